# SPDX-License-Identifier: BSD-3-Clause
"""DHCP exchanges by perfdhcp, with Kea and dnsmasq at the same work beside

Each server stands alone in a namespace at the end of a veth; perfdhcp is a relay at the other end
and takes every client through DISCOVER, OFFER, REQUEST, ACK. Each rate is tried with fresh leases;
counted is what was completed, and the CPU time that the server's process took for it. Postern's
leases are on disk before each ACK; Kea writes its lease file without waiting for the disk, dnsmasq
rewrites its own now and then.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time

import results
from bench_process import favoured
from results import must

SERVER = "10.64.0.1"
RELAY = "10.64.0.2"
NETWORK = "10.64.0.0/14"
OWN = SERVER + "/14"
RANGE = ("10.64.1.0", "10.67.255.0")
LOST_MOST = 0.02  # of the exchanges at a rate that counts as carried

COLUMNS = [
    ("subject", "subject", "{}"),
    ("work", "work", "{}"),
    ("rate", "rate", "{:,}"),
    ("per second", "per_second", "{:,.0f}"),
    ("lost", "lost_percent", "{:.1f}%"),
    ("CPU us", "cpu_us", "{:.1f}"),
    ("ms", "latency_ms", "{:.2f}"),
    ("RSS MiB", "rss_mib", "{:.1f}"),
]

KEA = """{{ "Dhcp4": {{
  "interfaces-config": {{ "interfaces": [ "server" ], "dhcp-socket-type": "udp" }},
  "lease-database": {{ "type": "memfile", "persist": true, "name": "{directory}/kea.csv",
                      "lfc-interval": 0 }},
  "valid-lifetime": 43200,
  "subnet4": [ {{ "id": 1, "subnet": "{network}", "pools": [ {{ "pool": "{first}-{last}" }} ] }} ],
  "loggers": [ {{ "name": "kea-dhcp4", "severity": "ERROR",
                 "output_options": [ {{ "output": "{directory}/kea.log" }} ] }} ]
}} }}
"""


def add_options(parser):
    parser.add_argument("--rates", default="2000,4000,5000,6000,8000",
                        help="exchanges a second that are tried, with commas")
    parser.add_argument("--seconds", type=int, default=3, help="of each rate")
    parser.add_argument("--subjects", default="postern,kea,dnsmasq")


class Wire:
    """Two namespaces with a veth between them."""

    def __init__(self):
        self.server = f"bench-dhcp-{os.getpid()}-s"
        self.client = f"bench-dhcp-{os.getpid()}-c"

    def __enter__(self):
        for name in (self.server, self.client):
            must("ip", "netns", "add", name)
        must("ip", "-n", self.server, "link", "add", "server", "type", "veth", "peer", "name",
             "client", "netns", self.client)
        for name, device, address in ((self.server, "server", SERVER),
                                      (self.client, "client", RELAY)):
            must("ip", "-n", name, "address", "add", address + "/14", "dev", device)
            must("ip", "-n", name, "link", "set", device, "up")
            must("ip", "-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for name in (self.server, self.client):
            subprocess.run(["ip", "netns", "delete", name], check=False)


def command_of(subject, options, directory):
    if subject == "postern":
        return [os.path.join(options.build, "tests/bench/postern_bench_dhcp"), "server", OWN,
                "-".join(RANGE), directory + "/leases.db"]
    if subject == "kea":
        with open(directory + "/kea.json", "w", encoding="utf-8") as file:
            file.write(KEA.format(directory=directory, network=NETWORK, first=RANGE[0],
                                  last=RANGE[1]))
        return ["kea-dhcp4", "-c", directory + "/kea.json"]
    return ["dnsmasq", "-k", "--port=0", "--conf-file=/dev/null", "--interface=server",
            "--bind-interfaces", "--no-ping", "--quiet-dhcp", "--dhcp-authoritative", "--user=root",
            "--log-facility=/dev/null", "--dhcp-lease-max=300000", "--pid-file=",
            f"--dhcp-range={RANGE[0]},{RANGE[1]},255.252.0.0,12h",
            f"--dhcp-leasefile={directory}/dnsmasq.leases"]


class Server:
    def __init__(self, subject, options, wire):
        self.wire = wire
        self.directory = tempfile.mkdtemp(prefix="dhcp-", dir=options.build)
        env = dict(os.environ, KEA_PIDFILE_DIR=self.directory, KEA_LOCKFILE_DIR=self.directory,
                   KEA_DHCP_DATA_DIR=self.directory)
        self.log = open(self.directory + "/log", "wb")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", wire.server, *command_of(subject, options, self.directory)],
            stdout=self.log, stderr=self.log, env=env, preexec_fn=favoured)

    def __enter__(self):
        end = time.monotonic() + 10
        while ":67 " not in subprocess.run(["ip", "netns", "exec", self.wire.server, "ss", "-lnu"],
                                           capture_output=True, text=True, check=False).stdout:
            if time.monotonic() > end or self.process.poll() is not None:
                with open(self.directory + "/log", encoding="utf-8", errors="replace") as file:
                    raise results.BenchFailed("the server did not start: " + file.read()[-500:])
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def cpu_s(self):
        """Of all its threads, user and system; those that wait for the disk included."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


def measure(subject, rate, options):
    with Wire() as wire, Server(subject, options, wire) as server:
        before = server.cpu_s()
        clients = rate * options.seconds
        told = subprocess.run(
            ["ip", "netns", "exec", wire.client, "perfdhcp", "-4", "-r", str(rate), "-R",
             str(clients), "-p", str(options.seconds), "-W", "500000", "-l", RELAY, SERVER],
            capture_output=True, text=True, check=False, timeout=options.seconds + 30,
            preexec_fn=favoured).stdout
        spent = server.cpu_s() - before
        parts = told.split("***Statistics for: ")
        acks = next((part for part in parts if part.startswith("REQUEST-ACK")), "")
        sent = re.search(r"sent packets: (\d+)", parts[1] if len(parts) > 1 else "")
        done = re.search(r"received packets: (\d+)", acks)
        if not sent or not done or int(done[1]) == 0:
            raise results.BenchFailed(f"{subject}: perfdhcp says: {told[-500:]}")
        waits = [float(x) for x in re.findall(r"avg delay: ([\d.]+) ms", told)]
        asked, completed = int(sent[1]), int(done[1])
        return {"subject": subject, "work": "exchange", "rate": rate, "exchanges": completed,
                "per_second": completed / options.seconds,
                "lost_percent": 100 * max(0, 1 - completed / asked),
                "cpu_us": spent / completed * 1e6, "latency_ms": sum(waits),
                "rss_mib": server.rss_mib()}


def run(options, table):
    if os.geteuid() != 0:
        raise results.BenchFailed("needs root, for namespaces")
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    table.columns = COLUMNS
    started = time.monotonic()
    for subject in options.subjects.split(","):
        for rate in (int(word) for word in options.rates.split(",")):
            row = measure(subject, rate, options)
            document["rows"].append(row)
            table.add(row)
            if row["lost_percent"] > 100 * LOST_MOST:
                break
    document["seconds"] = round(time.monotonic() - started)
    return document
