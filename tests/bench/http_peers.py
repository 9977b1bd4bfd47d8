# SPDX-License-Identifier: BSD-3-Clause
"""The proxies that ./dev bench http compares, and the origin behind them: how each is started.

Each has one process or thread that serves, a cache in a directory of its own on the same file
system, and no log of requests. All listen on loopback. What keeps objects in memory beside the
disk by its own default, does (Squid, Traffic Server: `ram` octets); the others have the page
cache.
"""

import os
import pwd
import subprocess

import results

ORIGIN = """{user}daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid {directory}/pid;
error_log {directory}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  open_file_cache max=4096 inactive=1h;
  open_file_cache_valid 1h;
  client_body_temp_path {directory}/temp;
  proxy_temp_path {directory}/temp;
  fastcgi_temp_path {directory}/temp;
  uwsgi_temp_path {directory}/temp;
  scgi_temp_path {directory}/temp;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {directory}/objects;
    default_type text/plain;
    expires 1d;
    location / {{ }}
    location /once/ {{ try_files /hit_1k/0 =404; }}
    location = /status {{ stub_status; }}
  }}
}}
"""

NGINX = """{user}daemon off;
worker_processes 1;
worker_rlimit_nofile 32768;
pid {directory}/pid;
error_log {directory}/error.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  proxy_cache_path {directory}/cache levels=1:2 keys_zone=cache:64m max_size={octets}
                   inactive=1d use_temp_path=off;
  client_body_temp_path {directory}/temp;
  proxy_temp_path {directory}/temp;
  fastcgi_temp_path {directory}/temp;
  uwsgi_temp_path {directory}/temp;
  scgi_temp_path {directory}/temp;
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host:{origin};
      proxy_cache cache;
      proxy_cache_key $host$request_uri;
    }}
  }}
}}
"""

SQUID = """{user}http_port 127.0.0.1:{port}
http_access allow all
cache_dir ufs {directory}/cache {mebibytes} 16 256
cache_mem {ram} bytes
maximum_object_size 64 MB
maximum_object_size_in_memory 2 MB
max_filedescriptors 32768
client_idle_pconn_timeout 5 minutes
access_log none
cache_store_log none
cache_log {directory}/cache.log
pid_filename {directory}/pid
coredump_dir {directory}
pinger_enable off
dns_nameservers 127.0.0.1
visible_hostname bench
shutdown_lifetime 0 seconds
workers 1
"""

RUN_ROOT = """prefix: {directory}
exec_prefix: {directory}
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: {directory}/etc
datadir: {directory}
includedir: {directory}
libdir: {directory}
libexecdir: {directory}
localstatedir: {directory}
runtimedir: {directory}
logdir: {directory}
cachedir: {directory}/cache
"""

TRAFFIC_SERVER = {
    "records.config": """CONFIG proxy.config.proxy_name STRING bench
CONFIG proxy.config.admin.user_id STRING {name}
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.exec_thread.affinity INT 0
CONFIG proxy.config.reverse_proxy.enabled INT 0
CONFIG proxy.config.url_remap.remap_required INT 0
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.cache.ram_cache.size INT {ram}
CONFIG proxy.config.net.connections_throttle INT 30000
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 300
CONFIG proxy.config.hostdb.host_file.path STRING /dev/null
""",
    "storage.config": "cache {octets}\n",
    "ip_allow.yaml": "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n"
                     "    methods: ALL\n",
    "remap.config": "",
    "plugin.config": "",
}


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def give_to(name, path):
    """Servers that do not stay root must be able to write."""
    user = pwd.getpwnam(name)
    for folder, _, files in os.walk(path):
        for entry in (folder, *(os.path.join(folder, file) for file in files)):
            os.chown(entry, user.pw_uid, user.pw_gid)


class Peer:
    """What is told to a subject: its directory, its port, that of the origin, the cache's octets,
    and `ram` for objects."""

    def __init__(self, directory, port, origin, octets, ram):
        self.fill = {"directory": directory, "port": port, "origin": origin, "octets": octets,
                     "mebibytes": octets >> 20, "ram": ram,
                     "user": "", "name": pwd.getpwuid(os.geteuid()).pw_name}
        self.directory = directory
        os.makedirs(directory + "/cache")

    def nginx(self, template):
        if os.geteuid() == 0:
            self.fill["user"] = "user root;\n"
        write(self.directory + "/nginx.conf", template.format(**self.fill))
        return ["nginx", "-c", self.directory + "/nginx.conf", "-e",
                self.directory + "/error.log", "-p", self.directory]

    def squid(self):
        if os.geteuid() == 0:
            self.fill["user"] = "cache_effective_user proxy\n"
        config = self.directory + "/squid.conf"
        write(config, SQUID.format(**self.fill))
        if os.geteuid() == 0:
            give_to("proxy", self.directory)
        done = subprocess.run(["squid", "-N", "-z", "-f", config], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise results.BenchFailed("squid -z: " + done.stderr[-500:])
        return ["squid", "-N", "-f", config]

    def traffic_server(self):
        if os.geteuid() == 0:
            self.fill["name"] = "trafficserver"
        os.mkdir(self.directory + "/etc")
        for file, text in TRAFFIC_SERVER.items():
            write(f"{self.directory}/etc/{file}", text.format(**self.fill))
        write(self.directory + "/runroot.yaml", RUN_ROOT.format(**self.fill))
        if os.geteuid() == 0:
            give_to("trafficserver", self.directory)
        return ["traffic_server", f"--run-root={self.directory}/runroot.yaml"]

    def postern(self, program):
        return [program, "--port", str(self.fill["port"]), "--store",
                self.directory + "/cache/objects", "--octets", str(self.fill["octets"]),
                "--allow", "127.0.0.1"]

    def command(self, subject, build):
        if subject == "postern":
            return self.postern(os.path.join(build, "tests/http/postern_http_proxy"))
        if "/" in subject:
            return self.postern(subject)
        if subject == "nginx":
            return self.nginx(NGINX)
        if subject == "squid":
            return self.squid()
        if subject == "trafficserver":
            return self.traffic_server()
        raise results.BenchFailed(f"no such subject: {subject}")

    def origin(self):
        return self.nginx(ORIGIN)
