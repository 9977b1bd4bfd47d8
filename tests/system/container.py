# SPDX-License-Identifier: BSD-3-Clause
"""A clean Debian with systemd as its first process, in a container of systemd-nspawn, between two
hosts:

  client 192.168.1.10 -- lan0 192.168.1.1 [container] wan0 203.0.113.2 -- internet 203.0.113.1

Hosts are network namespaces; everything that is made carries the name of the container. Root only.
"""

import contextlib
import hashlib
import os
import shlex
import subprocess
import tempfile
import time

# What is in the root beside what the package needs.
INCLUDED = (
    "systemd,systemd-sysv,dbus,iproute2,iputils-ping,procps,kmod,openssh-server,python3,"
    "python3-apt,cloud-init"
)
SUITE = "bookworm"


class Failure(Exception):
    """What was to be shown was not seen."""


def check(is_true, otherwise):
    if not is_true:
        raise Failure(otherwise)


def run(command, **options):
    """A command on this machine, to its end; what it printed, or Failure."""
    argv = shlex.split(command) if isinstance(command, str) else command
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failure(f"{shlex.join(argv)[:200]}: {(done.stdout + done.stderr).strip()[-600:]}")
    return done.stdout


def wait_until(is_true, seconds, otherwise):
    end = time.monotonic() + seconds
    while not is_true():
        check(time.monotonic() < end, otherwise)
        time.sleep(0.2)


def depends(package):
    """Names of the packages that a .deb needs, the first of each choice."""
    told = run(["dpkg-deb", "-f", package, "Depends"])
    return sorted(one.split("|")[0].split("(")[0].strip() for one in told.split(","))


def make_root(package, cache):
    """A tar file with a Debian that has what the package needs, but not the package."""
    wanted = ",".join([INCLUDED, *depends(package)])
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    path = os.path.join(cache, f"root-{digest}.tar")
    if not os.path.exists(path):
        sources = next(
            name
            for name in ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")
            if os.path.exists(name)
        )
        run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + wanted, SUITE,
             path + ".part", sources, "--format=tar"])
        os.rename(path + ".part", path)
    return path


class Container:
    """Between __enter__ and __exit__ it runs."""

    def __init__(self, root_tar, name):
        self.name = name
        self.directory = tempfile.mkdtemp(prefix=f"postern-{name}-")
        self.root = self.directory + "/root"
        self.tar = root_tar
        self.process = None
        self.leader = None

    def namespace(self, host):
        return f"postern-{self.name}-{host}"

    def add_network(self):
        for host in ("client", "gateway", "internet"):
            run(f"ip netns add {self.namespace(host)}")
            run(f"ip -n {self.namespace(host)} link set lo up")
        for device, host, address in (
            ("lan0", "client", "192.168.1.10/24"),
            ("wan0", "internet", "203.0.113.1/24"),
        ):
            gateway, other = self.namespace("gateway"), self.namespace(host)
            run(f"ip -n {gateway} link add {device} type veth peer name eth0 netns {other}")
            run(f"ip -n {gateway} link set {device} up")
            run(f"ip -n {other} address add {address} dev eth0")
            run(f"ip -n {other} link set eth0 up")
            # A frame without its checksum is none on a wire.
            run(f"ip netns exec {other} ethtool -K eth0 tx off")
        run(f"ip -n {self.namespace('client')} route add default via 192.168.1.1")

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        os.mkdir(self.root)
        run(["tar", "-C", self.root, "-xf", self.tar])
        # It is there to judge our example, not to set this machine up.
        self.write("/etc/cloud/cloud-init.disabled", "")
        self.add_network()
        # Nspawn's own filter would refuse what a machine permits.
        environment = dict(os.environ, SYSTEMD_SECCOMP="0", SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1")
        with open(self.directory + "/console", "wb") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", self.root, "--boot", "--register=no",
                 "--keep-unit", "--capability=all", "--console=pipe", "--machine", self.name,
                 "--network-namespace-path", "/run/netns/" + self.namespace("gateway")],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment,
            )
        wait_until(self.has_leader, 30, "the container does not start: " + self.console())
        wait_until(
            lambda: self.run("systemctl is-system-running")[1].strip() in ("running", "degraded"),
            120,
            "systemd is not up",
        )

    def has_leader(self):
        check(self.process.poll() is None, "the container has ended: " + self.console())
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            children = file.read().split()
        # Its first process is the one in another namespace of process numbers.
        for child in children:
            with contextlib.suppress(OSError):
                is_inside = os.readlink(f"/proc/{child}/ns/pid") != os.readlink("/proc/self/ns/pid")
                self.leader = child if is_inside else self.leader
        return self.leader is not None

    def console(self):
        with open(self.directory + "/console", encoding="utf-8", errors="replace") as file:
            return file.read()[-600:]

    def run(self, command, stdin=None):
        """(exit status, output) of a command inside."""
        argv = shlex.split(command) if isinstance(command, str) else command
        done = subprocess.run(
            ["nsenter", "--target", self.leader, "--all", "--wdns=/", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *argv],
            input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        return done.returncode, done.stdout

    def must(self, command, stdin=None):
        status, out = self.run(command, stdin)
        check(status == 0, f"{command}: status {status}: {out.strip()[-800:]}")
        return out

    def host(self, host, command, **options):
        """A command in the namespace of a host; what it printed, or Failure."""
        argv = shlex.split(command) if isinstance(command, str) else command
        return run(["ip", "netns", "exec", self.namespace(host), *argv], **options)

    def reaches(self, host, address):
        with contextlib.suppress(Failure):
            self.host(host, f"ping -c 1 -W 1 {address}")
            return True
        return False

    def write(self, path, text, mode=0o640):
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.root + path, mode)

    def exists(self, path):
        return os.path.lexists(self.root + path)

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            if self.leader:
                self.run("systemctl poweroff --force")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            self.process.kill()
            self.process.wait()
        for host in ("client", "gateway", "internet"):
            subprocess.run(["ip", "netns", "delete", self.namespace(host)], check=False,
                           stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", "--one-file-system", self.directory], check=False)
