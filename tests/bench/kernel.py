# SPDX-License-Identifier: BSD-3-Clause
"""nftables in network namespaces at the same work, in one run with posternd

The kernel's gateway translates and filters between two pairs of veth devices: established flows
first, then the same rules for new ones. The sender is on core 0; what it sends is taken up on core
1, by a NAPI thread of the same priority, or by RPS.
"""

import os
import subprocess
import time

import results
import wire
from bench_process import (DEVICE_CORE, GENERATOR_CORE, NICENESS, Generator, cores_or_fail,
                           take_precedence)
from results import must

NAPI = "napi/lan-"  # threads that poll the gateway's inside interfaces
CONNTRACK = "/proc/sys/net/netfilter/"
MACS = {"lan0": "02:00:00:00:01:02", "lan": "02:00:00:00:01:01",
        "wan": "02:00:00:00:02:01", "wan0": "02:00:00:00:02:02"}

COLUMNS = [column for column in wire.COLUMNS if column[0] not in ("of macswap", "of io")]
COLUMNS.insert(-1, ("of kernel", "of_kernel", "{:.1f}"))

DROP_ALL = """table netdev sink {{
  chain in {{ type filter hook ingress device "{0}" priority 0; policy drop; }}
}}
"""
RULES = """table ip nat {{
  chain post {{
    type nat hook postrouting priority 100;
    oifname "wan" snat to {pool}
  }}
}}
table ip filter {{
  chain new_flows {{
{rules}  }}
  chain transit {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    ct state new jump new_flows
  }}
}}
"""


def add_options(parser):
    parser.add_argument("--sessions", default="65536", help="numbers, with commas")
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=64, help="of a frame on the wire")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rps", action="store_true", help="by RPS instead of a NAPI thread")


def read_number(path):
    with open(path, encoding="ascii") as file:
        return int(file.read())


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def threads_named(prefix):
    """Threads of the kernel."""
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/comm", encoding="utf-8") as file:
                if file.read().startswith(prefix):
                    found.add(int(process))
        except OSError:
            continue
    return found


class ConntrackRoom:
    """Room for as many flows, with a table to match; the machine's own setting comes back."""

    NAMES = ("nf_conntrack_max", "nf_conntrack_buckets")

    def __init__(self, flows):
        if not os.path.isdir(CONNTRACK):
            must("modprobe", "nf_conntrack")
        self.before = {name: read_number(CONNTRACK + name) for name in self.NAMES}
        room = max(262144, 2 * flows)
        write(CONNTRACK + "nf_conntrack_max", room)
        write(CONNTRACK + "nf_conntrack_buckets", room // 2)

    def end(self):
        for name, value in self.before.items():
            write(CONNTRACK + name, value)


class KernelDevice:
    """Three namespaces in a row, and a sender. Made to look like wire.Device."""

    def __init__(self, options, directory, flows):
        os.makedirs(directory)
        self.options, self.flows, self.directory = options, flows, directory
        self.names = {end: f"bench-{os.getpid()}-{flows}-{end}"
                      for end in ("inside", "gateway", "outside")}
        self.sender = None
        self.room = None
        self.thread = 0
        self.soft_interrupts = set()

    def inside(self, end, *command, text=None):
        return must("ip", "netns", "exec", self.names[end], *command, text=text)

    def start(self):
        for name in self.names.values():
            must("ip", "netns", "add", name)
        self.room = ConntrackRoom(self.flows)
        self.add_wire("lan0", "inside", "lan")
        self.add_wire("wan0", "outside", "wan")
        gateway = ["ip", "-n", self.names["gateway"]]
        must(*gateway, "addr", "add", "192.168.1.1/24", "dev", "lan")
        must(*gateway, "addr", "add", "192.0.2.1/24", "dev", "wan")
        for address, device, peer in (("192.168.1.2", "lan", "lan0"), ("192.0.2.2", "wan", "wan0")):
            must(*gateway, "neigh", "replace", address, "lladdr", MACS[peer], "dev", device,
                 "nud", "permanent")
        must(*gateway, "route", "add", "10.0.0.0/8", "via", "192.168.1.2")
        must(*gateway, "route", "add", "default", "via", "192.0.2.2")
        self.inside("gateway", "sysctl", "-qw", "net.ipv4.ip_forward=1",
                    "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.lan.rp_filter=0",
                    "net.ipv4.conf.wan.rp_filter=0",
                    "net.netfilter.nf_conntrack_udp_timeout=3600",
                    "net.netfilter.nf_conntrack_udp_timeout_stream=3600")
        self.inside("inside", "nft", "-f", "-", text=DROP_ALL.format("lan0"))
        self.inside("outside", "nft", "-f", "-", text=DROP_ALL.format("wan0"))
        self.inside("gateway", "nft", "-f", "-", text=self.rules())
        self.place()
        self.start_sender()

    def add_wire(self, outer, end, inner):
        must("ip", "-n", self.names[end], "link", "add", outer, "address", MACS[outer], "type",
             "veth", "peer", "name", inner, "address", MACS[inner], "netns", self.names["gateway"])
        must("ip", "-n", self.names[end], "link", "set", outer, "up")
        must("ip", "-n", self.names["gateway"], "link", "set", inner, "up")

    def rules(self):
        rules = must(
            os.path.join(self.options.build, "tests/bench/postern_bench_scene"), "--nftables",
            f"--rules={self.options.rules}")
        last = 1
        while last * 32768 < self.flows:
            last *= 2  # as pool_size() in common/scene.cc
        pool = "203.0.113.0" if last == 1 else f"203.0.113.0-203.0.113.{last - 1}"
        return RULES.format(pool=pool, rules=rules)

    def place(self):
        """Takes what comes in from inside up on the device's core."""
        if self.options.rps:
            mask = f"{1 << DEVICE_CORE:x}"
            self.inside("gateway", "sh", "-c",
                        f"echo {mask} >/sys/class/net/lan/queues/rx-0/rps_cpus")
            return
        self.inside("gateway", "ethtool", "-K", "lan", "gro", "on")
        self.inside("inside", "ethtool", "-K", "lan0", "tso", "off")  # else veth goes round NAPI
        others = threads_named(NAPI)
        self.inside("gateway", "sh", "-c", "echo 1 >/sys/class/net/lan/threaded")
        for thread in threads_named(NAPI) - others:
            self.thread = thread
            os.sched_setaffinity(thread, {DEVICE_CORE})
            os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
        if self.thread == 0:
            raise results.BenchFailed("the kernel made no NAPI thread; try --rps")

    def start_sender(self):
        self.sender = Generator(
            ["taskset", "-c", str(GENERATOR_CORE),
             os.path.join(self.options.build, "tests/bench/postern_bench_sender"),
             self.names["inside"], self.names["outside"], str(self.flows),
             str(self.options.bytes), MACS["lan"]],
            os.path.join(self.directory, "sender.log"), pipes=True)
        self.sender.answer("start", 60)
        answer = self.sender.ask("open", 60 + self.flows / 5_000)
        if answer["opened"] != self.flows or answer["wrong"] > 0:
            raise results.BenchFailed(f"nftables: of {self.flows} sessions {answer['opened']} "
                                      f"opened, {answer['wrong']} wrong")

        if self.options.realtime:
            self.soft_interrupts = threads_named(f"ksoftirqd/{DEVICE_CORE}")
            for thread in {self.thread, self.sender.process.pid} | self.soft_interrupts:
                take_precedence(thread)

    def flood(self, seconds, _):
        self.sender.ask(f"flood {wire.WARM_SECONDS} one {self.thread}", 30)
        answer = self.sender.ask(f"flood {seconds} one {self.thread}", 30 + seconds)
        if answer["mean_per_second"] == 0:
            raise results.BenchFailed("nftables: nothing comes through")
        return answer

    def end(self):
        for thread in self.soft_interrupts:
            os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
        if self.sender is not None:
            self.sender.end()
        if self.room is not None:
            self.room.end()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def run(options, table):
    cores_or_fail()
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    table.columns = COLUMNS
    options.alone = True

    def add_kernels(directory, devices):
        for sessions in (int(word) for word in options.sessions.split(",")):
            name = f"kernel-{sessions}"
            device = KernelDevice(options, os.path.join(directory, name), sessions)
            devices[name] = (device, [("outbound", "one")])
            device.start()

    started = time.monotonic()
    answers = wire.run_devices(options, also=add_kernels)
    for key, found in answers.items():
        kind, work, sessions = key
        reference = answers.get(("kernel", "outbound", sessions))
        document["machine"]["tsc_hz"] = found[0]["tsc_hz"]
        # What comes back does so through the kernel's gateway as well, which was not measured.
        references = {"kernel": reference} if work == "outbound" else {}
        row = wire.row_of(key, found, references, options)
        document["rows"].append(row)
        table.add(wire.shown(row))
    document["seconds"] = round(time.monotonic() - started)
    return document
