# SPDX-License-Identifier: BSD-3-Clause
"""Servers that are measured: started on a core, with their descendants' CPU time and memory."""

import glob
import os
import re
import resource
import signal
import socket
import subprocess
import time

import results
from bench_process import favoured, take_precedence

DESCRIPTORS = 32768
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def many_descriptors():
    """As many connections as the system lets it have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, DESCRIPTORS),) * 2)
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def in_child(realtime):
    def prepare():
        many_descriptors()
        try:
            favoured()
        except PermissionError:
            pass  # only root gets more of the core than others
        if realtime:
            take_precedence(os.getpid())
    return prepare


def ran_ns(pid):
    """Time that the threads of a process have run so far."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        except (OSError, IndexError):
            continue
    return total


def waited_ns(pid):
    """CPU time of children that have ended (proc(5), cutime and cstime)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            words = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(words[13]) + int(words[14])) * TICK_NS


def does_listen(port, program):
    """Whether somebody comes to listen at that port of 127.0.0.1 while the program lives."""
    end = time.monotonic() + 30
    while time.monotonic() < end and program.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


class Server:
    """A program that listens, with its children; ends with all of them."""

    def __init__(self, name, command, core, port, log, realtime):
        self.name, self.port, self.log = name, port, log
        with open(log, "wb") as file:
            self.program = subprocess.Popen(
                ["taskset", "-c", str(core), *command], stdout=file, stderr=file,
                stdin=subprocess.DEVNULL, preexec_fn=in_child(realtime))
        try:
            self.wait_until_it_listens()
        except BaseException:
            self.end()
            raise

    def wait_until_it_listens(self):
        if does_listen(self.port, self.program):
            return
        self.must_live()
        raise results.BenchFailed(f"{self.name} does not listen")

    def must_live(self):
        if self.program.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise results.BenchFailed(f"{self.name} ended with {self.program.returncode}: "
                                          f"{file.read()[-800:].strip()}")

    def end(self):
        if self.program.poll() is None:
            self.program.send_signal(signal.SIGTERM)
            try:
                self.program.wait(10)
            except subprocess.TimeoutExpired:
                self.program.kill()
                self.program.wait()

    def processes(self):
        """The program and its descendants."""
        found, rest = [], [self.program.pid]
        while rest:
            pid = rest.pop()
            found.append(pid)
            for path in glob.glob(f"/proc/{pid}/task/*/children"):
                with open(path, encoding="ascii") as file:
                    rest += [int(word) for word in file.read().split()]
        return found

    def cpu_ns(self):
        return sum(ran_ns(pid) + waited_ns(pid) for pid in self.processes())

    def rss(self):
        """Octets of its own: what it has mapped of files is the page cache's."""
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                for kibibytes in re.findall(r"(?:RssAnon|RssShmem):\s+(\d+)", file.read()):
                    total += int(kibibytes) << 10
        return total
