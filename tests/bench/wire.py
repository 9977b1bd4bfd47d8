# SPDX-License-Identifier: BSD-3-Clause
"""posternd between two memif ports, beside testpmd's forwarders in the same run

Every device under test is started once, with a generator of its own, opens its sessions, and is
then stopped; the rounds continue one at a time, so that all are measured within seconds of each
other and a ratio is of one round. Core 0 generates, core 1 forwards.
"""

import contextlib
import os
import shutil
import signal
import statistics
import tempfile
import time

import results
from bench_process import (DEVICE_CORE, GENERATOR_CORE, Generator, Hugepages, Program,
                           cores_or_fail, take_precedence)

GENERATOR_MIB = 80
TESTPMD_MIB = 128
POSTERN_MIB = 128
TESTPMD_FLOWS = 65536
VERIFIED = 4096
WARM_SECONDS = 0.3

COLUMNS = [
    ("device", "device", "{}"),
    ("work", "work", "{}"),
    ("sessions", "sessions", "{:,}"),
    ("rules", "rules", "{:,}"),
    ("M/s", "mega_per_second", "{:.2f}"),
    ("best", "mega_best", "{:.2f}"),
    ("ticks", "cycles_per_packet", "{:,.0f}"),
    ("of macswap", "of_macswap", "{:.2f}"),
    ("of io", "of_io", "{:.2f}"),
    ("clean", "clean_share", "{:.0%}"),
]


def add_options(parser):
    parser.add_argument("--sessions", default="1024,65536,1048576", help="numbers, with commas")
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=64, help="of a frame on the wire")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--alone", action="store_true", help="without testpmd")


class Device:
    """A device under test and its generator."""

    def __init__(self, options, directory, flows, translates):
        self.directory = directory
        os.makedirs(directory)
        self.flows = flows
        self.program = None
        self.thread = 0
        self.realtime = options.realtime
        self.generator = Generator(
            [os.path.join(options.build, "tests/bench/postern_bench_generator"), directory,
             str(GENERATOR_CORE), str(flows), str(options.bytes),
             "translates" if translates else "plain"],
            os.path.join(directory, "generator.log"), pipes=True)
        self.generator.answer("start", 60)

    def vdev(self, number, side):
        return (f"net_memif{number},role=client,id=0,rsize=10,zero-copy=yes,socket-abstract=no,"
                f"socket={self.directory}/{side}.sock")

    def start(self, command):
        self.program = Program(command, os.path.join(self.directory, "device.log"))

    def open(self, is_worker):
        """Opens the sessions; finds the forwarding thread and keeps all others off its core."""
        answer = self.generator.ask("open", 60 + self.flows / 10_000)
        self.program.must_live()
        if answer["opened"] != self.flows or answer["wrong"] > 0:
            raise results.BenchFailed(f"{self.program.name}: of {self.flows} sessions "
                                      f"{answer['opened']} opened, {answer['wrong']} wrong")
        for number, name, _, _ in self.program.threads():
            if is_worker(name):
                self.thread = number
            else:
                os.sched_setaffinity(number, {GENERATOR_CORE})
        if self.thread == 0:
            raise results.BenchFailed(f"{self.program.name} has no forwarding thread")
        if self.realtime:
            take_precedence(self.thread)
            take_precedence(self.generator.process.pid)
        self.program.signal(signal.SIGSTOP)

    def flood(self, seconds, ways):
        self.program.must_live()
        self.program.signal(signal.SIGCONT)
        self.generator.ask(f"flood {WARM_SECONDS} {ways} {self.thread}", 30)
        answer = self.generator.ask(f"flood {seconds} {ways} {self.thread}", 30 + seconds)
        self.program.signal(signal.SIGSTOP)
        if answer["wrong"] > 0:
            raise results.BenchFailed(f"{self.program.name}: {answer['wrong']} of "
                                      f"{answer['checked']} packets looked at are wrong")
        return answer

    def verify(self):
        self.program.signal(signal.SIGCONT)
        count = min(VERIFIED, self.flows)
        answer = self.generator.ask(f"verify {count}", 60)
        self.program.signal(signal.SIGSTOP)
        if answer["verified"] != count or answer["wrong"] > 0:
            raise results.BenchFailed(f"{self.program.name}: of {count} flows sent again "
                                      f"{answer['verified']} came back, {answer['wrong']} wrong")

    def end(self):
        for program in (self.program, self.generator):
            if program is not None:
                program.end()


def start_testpmd(device, mode):
    device.start([
        "dpdk-testpmd", f"--lcores=0@{GENERATOR_CORE},1@{DEVICE_CORE}", "--no-pci", "--in-memory",
        "--single-file-segments", "--no-telemetry", "-m", str(TESTPMD_MIB),
        "--vdev=" + device.vdev(0, "lan"), "--vdev=" + device.vdev(1, "wan"), "--",
        f"--forward-mode={mode}", "--nb-cores=1", "--total-num-mbufs=16384", "--rxd=1024",
        "--txd=1024", "--burst=64", "--auto-start", "--no-mlockall", "--stats-period=100"])


def start_postern(options, device):
    config = results.must(
        os.path.join(options.build, "tests/bench/postern_bench_scene"),
        f"--sessions={device.flows}", f"--rules={options.rules}", f"--core={DEVICE_CORE}",
        f"--memory={POSTERN_MIB}",
        "--lan=vdev:" + device.vdev(1, "lan"), "--wan=vdev:" + device.vdev(0, "wan"))
    path = os.path.join(device.directory, "gateway.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(config)
    # The kernel devices of the host path stay in a namespace of their own.
    device.start(["unshare", "--net", os.path.join(options.build, "src/control/posternd"),
                  "--config", path, "--state-dir", os.path.join(device.directory, "state"),
                  "--run-dir", os.path.join(device.directory, "run")])


def ratio(pairs):
    """The median of the ratios of those rounds that have both."""
    found = [a / b for a, b in pairs if b > 0]
    return round(statistics.median(found), 3) if found else None


def row_of(key, answers, references, options):
    device, work, sessions = key
    best = [answer["per_second_best"] for answer in answers]
    row = {"device": device, "work": work, "sessions": sessions,
           "rules": options.rules if device in ("postern", "kernel") else 0, "bytes": options.bytes,
           "per_second": statistics.median(answer["per_second"] for answer in answers),
           "per_second_best": statistics.median(best),
           "clean_share": round(statistics.median(a["clean_share"] for a in answers), 3),
           "lost_share": max(answer["lost_share"] for answer in answers),
           "rounds": len(answers)}
    row["cycles_per_packet"] = round(answers[0]["tsc_hz"] / max(1, row["per_second_best"]), 1)
    for name, reference in references.items():
        row["of_" + name] = ratio(zip(best, [answer["per_second_best"] for answer in reference]))
    return row


def shown(row):
    return dict(row, mega_per_second=row["per_second"] / 1e6,
                mega_best=row["per_second_best"] / 1e6)


def start_all(options, directory, devices):
    """Fills `devices`: name -> (device, [(work, ways)])."""
    for mode in () if options.alone else ("io", "macswap"):
        device = Device(options, os.path.join(directory, mode), TESTPMD_FLOWS, translates=False)
        devices[mode] = (device, [("forward", "one")])
        start_testpmd(device, mode)
        device.open(lambda name: name.startswith("rte-worker"))
    for sessions in (int(word) for word in options.sessions.split(",")):
        name = f"postern-{sessions}"
        device = Device(options, os.path.join(directory, name), sessions, translates=True)
        devices[name] = (device, [("outbound", "one"), ("mixed", "both")])
        start_postern(options, device)
        device.open(lambda name: name.startswith("postern-w"))


def measure(options, devices):
    answers = {}
    for number in range(options.rounds):
        names = list(devices) if number % 2 == 0 else list(reversed(devices))
        for name in names:
            device, works = devices[name]
            for work, ways in works:
                key = (name.split("-")[0], work, device.flows)
                answers.setdefault(key, []).append(device.flood(options.seconds, ways))
    return answers


def run_devices(options, also=None):
    """All rounds; `also` may add devices of another kind."""
    needed = 2 * (GENERATOR_MIB + TESTPMD_MIB) + \
        len(options.sessions.split(",")) * (GENERATOR_MIB + POSTERN_MIB + 16)
    directory = tempfile.mkdtemp(prefix="postern-bench.")
    devices = {}
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        stack.enter_context(Hugepages(needed))
        stack.callback(lambda: [device.end() for device, _ in devices.values()])
        start_all(options, directory, devices)
        if also is not None:
            also(directory, devices)
        answers = measure(options, devices)
        for name, (device, _) in devices.items():
            if name.startswith("postern"):
                device.verify()
        return answers


def run(options, table):
    cores_or_fail()
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    table.columns = COLUMNS
    started = time.monotonic()
    answers = run_devices(options)
    references = {kind: found for (kind, _, _), found in answers.items() if kind != "postern"}
    for key, found in answers.items():
        document["machine"]["tsc_hz"] = found[0]["tsc_hz"]
        row = row_of(key, found, references, options)
        document["rows"].append(row)
        table.add(shown(row))
    document["seconds"] = round(time.monotonic() - started)
    return document
