# SPDX-License-Identifier: BSD-3-Clause
"""the DNS service beside other servers, by CPU time a query (root)

Three network namespaces in a row: dnsperf asks, the server under test is between, a server that
knows every name answers. hit: names that the cache has; miss: each name once. The CPU time is that
of the server's threads, from /proc, so that neither dnsperf nor a slow machine is in it.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import results
from bench_process import DEVICE_CORE, GENERATOR_CORE
from bench_server import ran_ns
from results import must

SERVER = "192.168.1.1"
CLIENT = "192.168.1.2"
UPSTREAM = "192.0.2.53"
HIT_NAMES = 5_000
MISS_NAMES = 400_000

COLUMNS = [("subject", "subject", "{}"), ("work", "work", "{}"), ("us CPU", "cpu_us", "{:.2f}"),
           ("/s", "per_second", "{:,.0f}"), ("lost", "lost", "{}")]

UNBOUND = """server:
  interface: {server}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  num-threads: 1
  username: ""
  chroot: ""
  pidfile: "{directory}/unbound.pid"
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: 64m
  rrset-cache-size: 128m
  outgoing-range: 4096
  num-queries-per-thread: 4096
  val-permissive-mode: yes
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {upstream}
"""

DNSDIST = """setLocal("{server}:53")
setACL("0.0.0.0/0")
newServer({{address="{upstream}", healthCheckMode="up"}})
getPool(""):setCache(newPacketCache(1000000, {{maxTTL=86400}}))
setMaxUDPOutstanding(65535)
"""


def add_options(parser):
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subjects", default="postern,dnsmasq,unbound,pdns-recursor,dnsdist")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Network:
    """The namespaces, and programs in them; all end with it."""

    def __init__(self):
        self.prefix = f"dns-bench-{os.getpid()}-"
        self.programs = []

    def name(self, end):
        return self.prefix + end

    def __enter__(self):
        for end in ("client", "server", "upstream"):
            must("ip", "netns", "add", self.name(end))
            must("ip", "-n", self.name(end), "link", "set", "lo", "up")
        self.wire("client", CLIENT, "server", SERVER)
        self.wire("server", "192.0.2.1", "upstream", UPSTREAM)
        return self

    def __exit__(self, *_):
        for program in self.programs:
            self.end(program)
        for end in ("client", "server", "upstream"):
            subprocess.run(["ip", "netns", "del", self.name(end)], check=False)

    def wire(self, left, left_address, right, right_address):
        must("ip", "-n", self.name(left), "link", "add", right, "type", "veth", "peer", "name",
             left, "netns", self.name(right))
        for end, device, address in ((left, right, left_address), (right, left, right_address)):
            must("ip", "-n", self.name(end), "addr", "add", address + "/24", "dev", device)
            must("ip", "-n", self.name(end), "link", "set", device, "up")

    def inside(self, end, core, command):
        return ["ip", "netns", "exec", self.name(end), "taskset", "-c", str(core), *command]

    def start(self, end, core, command, log):
        with open(log, "wb") as file:
            program = subprocess.Popen(self.inside(end, core, command), stdout=file, stderr=file,
                                       stdin=subprocess.DEVNULL)
        self.programs.append(program)
        return program

    @staticmethod
    def end(program):
        if program.poll() is None:
            program.send_signal(signal.SIGTERM)
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def command_of(subject, options, directory):
    fill = {"server": SERVER, "upstream": UPSTREAM, "directory": directory}
    if subject == "postern":
        return [os.path.join(options.build, "tests/bench/postern_bench_dns"), SERVER, "53",
                UPSTREAM, "53", "--entries", "1000000"]
    if subject == "dnsmasq":
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                "--no-hosts", "--user=root", "--pid-file=", "--bind-interfaces",
                f"--listen-address={SERVER}", f"--server={UPSTREAM}", "--cache-size=10000",
                "--dns-forward-max=10000", "--except-interface=lo"]
    if subject == "unbound":
        write(directory + "/unbound.conf", UNBOUND.format(**fill))
        return ["unbound", "-d", "-c", directory + "/unbound.conf"]
    if subject == "pdns-recursor":
        return ["pdns_recursor", f"--config-dir={directory}", f"--socket-dir={directory}",
                f"--local-address={SERVER}", f"--forward-zones-recurse=.={UPSTREAM}",
                "--threads=1", "--distributor-threads=0", "--pdns-distributes-queries=no",
                "--dnssec=off", "--allow-from=0.0.0.0/0", "--dont-query=", "--daemon=no",
                "--max-mthreads=8192", "--loglevel=3", "--quiet=yes", "--setuid=", "--setgid="]
    if subject == "dnsdist":
        write(directory + "/dnsdist.conf", DNSDIST.format(**fill))
        return ["dnsdist", "--supervised", "--disable-syslog", "-C", directory + "/dnsdist.conf"]
    raise results.BenchFailed(f"no such subject: {subject}")


def pid_of(program):
    """Of the server itself: `ip netns exec` and taskset become it."""
    return program.pid


def wait_for_answer(network, program, log):
    for _ in range(50):
        if program.poll() is not None:
            break
        done = subprocess.run(
            network.inside("client", GENERATOR_CORE,
                           ["dig", f"@{SERVER}", "ready.example", "+tries=1", "+time=1", "+short"]),
            capture_output=True, text=True, check=False)
        if "198.51.100.1" in done.stdout:
            return
        time.sleep(0.1)
    with open(log, encoding="utf-8", errors="replace") as file:
        raise results.BenchFailed(f"{program.args[6]} does not answer: {file.read()[-400:]}")


def ask(network, names, *limits):
    """What dnsperf says of one run: queries completed, lost, a second."""
    told = must(*network.inside("client", GENERATOR_CORE, [
        "dnsperf", "-s", SERVER, "-d", names, "-c", "16", "-q", "500", "-T", "1", *limits]))
    number = {key: re.search(rf"{key}:\s+([\d.]+)", told) for key in (
        "Queries completed", "Queries lost", "Queries per second")}
    return {key: float(match[1]) if match else 0.0 for key, match in number.items()}


def measure(network, program, names, limits):
    before = ran_ns(pid_of(program))
    told = ask(network, names, *limits)
    spent = ran_ns(pid_of(program)) - before
    completed = told["Queries completed"]
    if completed == 0:
        raise results.BenchFailed("no query was answered")
    return {"cpu_us": spent / completed / 1000, "per_second": told["Queries per second"],
            "lost": int(told["Queries lost"])}


def median_row(subject, work, rows):
    return {"subject": subject, "work": work,
            "cpu_us": round(statistics.median(row["cpu_us"] for row in rows), 2),
            "per_second": round(statistics.median(row["per_second"] for row in rows)),
            "lost": sum(row["lost"] for row in rows)}


def measure_subject(network, subject, options, directory):
    hits, misses = [], []
    for turn in range(options.rounds):
        log = f"{directory}/{subject}.log"
        program = network.start("server", DEVICE_CORE,
                                command_of(subject, options, directory), log)
        wait_for_answer(network, program, log)
        # Each name once: all are new to a server that has just been started.
        misses.append(measure(network, program, directory + f"/miss{turn % 2}",
                              ["-n", "1", "-l", str(options.seconds)]))
        ask(network, directory + "/hit", "-n", "1")
        hits.append(measure(network, program, directory + "/hit", ["-l", str(options.seconds)]))
        network.end(program)
    return [median_row(subject, "hit", hits), median_row(subject, "miss", misses)]


def run(options, table):
    if os.geteuid() != 0:
        raise results.BenchFailed("needs root, for namespaces")
    table.columns = COLUMNS
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    directory = tempfile.mkdtemp(prefix="postern-bench-dns-")
    try:
        write(directory + "/hit", "".join(f"n{i}.example A\n" for i in range(HIT_NAMES)))
        for turn in range(2):
            write(f"{directory}/miss{turn}",
                  "".join(f"m{i}-{turn}.some.example A\n" for i in range(MISS_NAMES)))
        with Network() as network:
            upstream = os.path.join(options.build, "tests/bench/postern_bench_dns_upstream")
            network.start("upstream", GENERATOR_CORE, [upstream, UPSTREAM, "53"],
                          directory + "/upstream.log")
            for subject in options.subjects.split(","):
                for row in measure_subject(network, subject, options, directory):
                    document["rows"].append(row)
                    table.add(row)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return document
