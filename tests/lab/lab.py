# SPDX-License-Identifier: BSD-3-Clause
"""The lab as scenes and tests use it: hosts that run commands, wires that are watched, the gateway.

All is done through `postern lab`, so what a script does here, a person can type. $POSTERN names the
program; without it that of ../../build is taken.
"""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import textwrap
import time

HERE = os.path.dirname(os.path.realpath(__file__))
POSTERN = os.environ.get("POSTERN") or os.path.join(HERE, "../../build/src/cli/postern")

GATEWAY = "203.0.113.2"  # its address outside
SERVER = "203.0.113.9"  # one-to-one with 10.9.0.9 in the DMZ
WEB = "198.51.100.10"
SECOND = "198.51.100.20"
ROUTER = "203.0.113.1"
GATEWAY_MAC = {
    "inside": "02:00:00:00:01:01",
    "outside": "02:00:00:00:71:02",
    "dmz": "02:00:00:00:09:01",
}
PRIVATE = "(net 10.0.0.0/8 or net 172.16.0.0/12 or net 192.168.0.0/16)"

WIRES = {"inside": ("lan", "port0"), "outside": ("isp", "wan0"), "dmz": ("dmz", "eth0")}


class Failure(Exception):
    """What was to be shown was not seen."""


class Outcome:
    """A command that has ended."""

    def __init__(self, status, out, seconds):
        self.status = status
        self.out = out  # standard output and error together
        self.seconds = seconds

    @property
    def ok(self):
        return self.status == 0


class Running:
    """A command that runs in a host; its output goes to a file that can be read meanwhile."""

    def __init__(self, argv, path):
        self.path = path
        with open(path, "wb") as out:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def out(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def runs(self):
        return self.process.poll() is None

    def wait(self, timeout):
        """The Outcome, or Failure when it takes longer than `timeout` seconds."""
        start = time.monotonic()
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failure(f"still running after {timeout} s: {self.out()[-400:]}") from None
        return Outcome(status, self.out(), time.monotonic() - start)

    def stop(self, how=signal.SIGTERM):
        """Ends it and what it started."""
        for one in (how, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, one)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Host:
    def __init__(self, lab, name):
        self.lab = lab
        self.name = name

    def argv(self, command):
        words = shlex.split(command) if isinstance(command, str) else list(command)
        return [POSTERN, "lab", "exec", "--name", self.lab.name, self.name] + words

    def run(self, command, timeout=20, stdin=None):
        """Runs to the end; a command that takes longer than `timeout` counts as failed."""
        start = time.monotonic()
        process = subprocess.Popen(
            self.argv(command),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            out, _ = process.communicate(stdin.encode() if stdin else None, timeout)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
            status = 124
        return Outcome(status, out.decode("utf-8", "replace"), time.monotonic() - start)

    def must(self, command, timeout=20, stdin=None):
        """Runs to the end and returns what it said; Failure when it fails."""
        outcome = self.run(command, timeout, stdin)
        if not outcome.ok:
            said = outcome.out.strip()[-400:]
            raise Failure(f"{self.name}: {shown(command)}: status {outcome.status}: {said}")
        return outcome.out

    def start(self, command):
        running = Running(self.argv(command), self.lab.scratch(self.name + ".out"))
        self.lab.started.append(running)
        return running

    def serve(self, command, port, protocol="tcp"):
        """Starts a server and returns when it listens on `port`."""
        running = self.start(command)
        flag = "-lnt" if protocol == "tcp" else "-lnu"
        wait_until(
            lambda: f":{port} " in self.run(["ss", flag]).out,
            5,
            f"{shown(command)} does not listen on {port}: {running.out()}",
        )
        return running

    def python(self, code, timeout=60):
        """Runs some lines of Python; returns what they printed."""
        return self.must(["/usr/bin/python3", "-c", textwrap.dedent(code)], timeout)

    def scapy(self, code, timeout=60):
        """Runs some lines of Python that use scapy; returns what they printed."""
        head = (
            "import logging; logging.disable(logging.CRITICAL)\n"
            "from scapy.all import *\nconf.verb = 0\n"
        )
        return self.must(["/usr/bin/python3", "-c", head + textwrap.dedent(code)], timeout)


class Wire:
    """A sniffer at one end of a wire of the gateway."""

    def __init__(self, lab, wire, expression, direction, snaplen):
        host, device = WIRES[wire]
        self.path = lab.scratch(wire + ".pcap")
        command = [
            "tcpdump",
            "-i",
            device,
            "-nn",
            "-s",
            str(snaplen),
            "-U",
            "--immediate-mode",
            "-Z",
            "root",
            "-Q",
            direction,
            "-w",
            self.path,
        ] + ([expression] if expression else [])
        self.running = lab.host(host).start(command)
        wait_until(lambda: "listening on" in self.running.out(), 10, "tcpdump did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.stop(signal.SIGINT)

    def packets(self, expression="", since=0.0):
        """The packets that fit `expression`, from the time `since`, as tcpdump prints them."""
        told = subprocess.run(
            ["tcpdump", "-nn", "-tt", "-v", "-r", self.path] + ([expression] if expression else []),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        ).stdout
        packets = []
        for line in told.splitlines():
            if line[:1].isspace() and packets:
                packets[-1] += " " + line.strip()
            elif re.match(r"\d+\.\d+ ", line):
                packets.append(line)
        return [packet for packet in packets if float(packet.split(" ", 1)[0]) >= since]

    def count(self, expression="", since=0.0):
        return len(self.packets(expression, since))


class Lab:
    def __init__(self, name, driver="auto"):
        self.name = name
        self.driver = driver
        self.scratched = 0
        self.started = []  # commands that may still run
        self.applied = None  # the configuration in force, where it is not config()
        self.is_long = False
        self.directory = "/run/postern-lab/" + name

    def command(self, *words, timeout=90):
        """Runs postern and returns what it said; Failure when it fails."""
        if not os.access(POSTERN, os.X_OK):
            raise Failure(f"{POSTERN} is not there; build it: ./dev build")
        done = subprocess.run(
            [POSTERN, *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise Failure(f"postern {' '.join(words)}: {(done.stdout + done.stderr).strip()}")
        return done.stdout

    def up(self, config=""):
        self.down()
        words = ["lab", "up", "--name", self.name, "--driver", self.driver]
        if config:
            words += ["--config", config]
        told = self.command(*words)
        os.makedirs(self.directory + "/scratch", exist_ok=True)
        return told

    def down(self):
        self.command("lab", "down", "--name", self.name)

    def restart(self):
        self.command("lab", "restart", "--name", self.name)
        self.applied = None

    def restart_with(self, text):
        """Another configuration from the start, for what a reload cannot change."""
        self.write_config(text)
        self.restart()
        self.applied = None if text == self.config() else text

    def write_config(self, text):
        """The file that posternd was started with and reads at SIGHUP."""
        with open(self.directory + "/gateway.yaml", "w", encoding="utf-8") as file:
            file.write(text)

    def make_ready(self):
        """posternd runs, with the lab's own configuration."""
        if self.pid() is None:
            self.write_config(self.config())
            self.restart()
        self.signal(signal.SIGCONT)
        if self.applied is not None:
            self.apply(self.config())

    def stop_all(self):
        """Ends every command that was started and still runs."""
        while self.started:
            self.started.pop().stop()

    def seconds(self, few):
        """How long a transfer takes: a few seconds, or a minute where all is to be shown."""
        return 60 if self.is_long else few

    def host(self, name):
        return Host(self, name)

    def __getattr__(self, name):
        """lab.client, lab.internet, ..."""
        if name in ("client", "client2", "gateway", "dmz", "isp", "internet"):
            return Host(self, name)
        raise AttributeError(name)

    def scratch(self, name):
        """A path for a new file that goes away with the lab."""
        self.scratched += 1
        return f"{self.directory}/scratch/{self.scratched:03d}-{name}"

    def sniff(self, wire, expression="", direction="inout", snaplen=256):
        """Watches a wire; direction "in" is what comes out of the gateway alone."""
        return Wire(self, wire, expression, direction, snaplen)

    # --- the gateway

    def postern(self, *words):
        """What `postern WORDS` says about this lab's gateway, for people."""
        return self.command("--run-dir", self.directory + "/run", *words)

    def ask(self, *words):
        """The same, as data."""
        return json.loads(self.postern("--json", *words))

    def pid(self):
        """Of posternd, or None."""
        told = subprocess.run(
            [POSTERN, "--json", "lab", "status", "--name", self.name],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for process in json.loads(told)["processes"]:
            if process["what"] == "posternd" and process["running"]:
                return process["pid"]
        return None

    def signal(self, number):
        pid = self.pid()
        if pid is None:
            raise Failure("posternd does not run")
        os.kill(pid, number)

    def config(self):
        """The text of the lab's own configuration."""
        with open(HERE + "/lab.yaml", encoding="utf-8") as file:
            return file.read().replace("driver: auto", "driver: " + self.driver)

    def plain_config(self):
        """The same without services, for tests that have their own."""
        return re.sub(r"^services:\n(.*\n)+?\n", "", self.config(), flags=re.MULTILINE)

    def apply(self, text):
        """Puts a configuration in force."""
        path = self.scratch("apply.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        told = self.postern("apply", path)
        self.applied = None if text == self.config() else text
        return told

    def lists(self, what, text):
        """Whether `postern show WHAT`, sessions or mappings, has `text` in a row."""
        return text in self.postern("show", what, "--limit", "99999")

    def security_log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.directory + "/state/log/security.log", encoding="utf-8") as file:
                return file.read().splitlines()
        return []


def first_rule(text, rule):
    """The configuration with one more rule, above all others."""
    return text.replace("  rules:\n", "  rules:\n    - " + rule + "\n", 1)


def shown(command):
    """A command in one short line."""
    text = command if isinstance(command, str) else " ".join(map(str, command))
    first, _, more = text.partition("\n")
    return first + (" ..." if more else "")


def wait_until(is_true, seconds, otherwise):
    """Returns once is_true() is; Failure after `seconds`."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise Failure(otherwise)
        time.sleep(0.05)


def check(is_true, otherwise):
    if not is_true:
        raise Failure(otherwise)
