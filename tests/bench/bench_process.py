# SPDX-License-Identifier: BSD-3-Clause
"""Programs that run beside each other on two cores: started, stopped and continued, ended."""

import json
import os
import select
import signal
import subprocess
import time

import results

GENERATOR_CORE = 0
DEVICE_CORE = 1
NICENESS = -10  # as workers of posternd give themselves
END_SECONDS = 5


def cores_or_fail():
    if os.geteuid() != 0:
        raise results.BenchFailed("needs root, for hugepages and namespaces")
    if not {GENERATOR_CORE, DEVICE_CORE} <= os.sched_getaffinity(0):
        raise results.BenchFailed("needs two cores")


def favoured():
    """In the child: a session of its own, with a larger share of the cores than others."""
    os.setsid()
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write(str(NICENESS))
    except OSError:
        pass  # a kernel without groups
    os.nice(NICENESS)


def take_precedence(thread):
    """Runs before every ordinary program; the kernel leaves those a twentieth of the core."""
    if thread != 0:
        os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(1))


class Program:
    """A child with a log file; ended by its number and no other's."""

    def __init__(self, command, log, pipes=False, env=None):
        self.log = log
        self.name = os.path.basename(command[0])
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                command, stderr=file, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if pipes else file, preexec_fn=favoured, env=env)

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def must_live(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise results.BenchFailed(f"{self.name} ended: {file.read()[-2000:].strip()}")

    def threads(self):
        """(number, name, cores it may use, time it has run) of each thread."""
        tasks = f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks):
            try:
                with open(f"{tasks}/{task}/comm", encoding="utf-8") as file:
                    name = file.read().strip()
                with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
                    ran = int(file.read().split()[0])
                yield int(task), name, os.sched_getaffinity(int(task)), ran
            except OSError:
                continue


class Generator(Program):
    """Answers commands with JSON objects."""

    def ask(self, command, seconds):
        self.must_live()
        self.process.stdin.write((command + "\n").encode())
        self.process.stdin.flush()
        return self.answer(command, seconds)

    def answer(self, what, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.process.stdout], [], [], left)[0]:
                break
            line = self.process.stdout.readline()
            if not line:
                self.process.wait(END_SECONDS)
                self.must_live()
            if line.startswith(b"{"):
                return json.loads(line)
        raise results.BenchFailed(f"the generator does not answer `{what}`")


class Hugepages:
    """Reserves so many more, and gives them back."""

    PATH = "/proc/sys/vm/nr_hugepages"

    def __init__(self, mebibytes):
        self.before = self.read()
        self.wanted = self.before + (mebibytes + 1) // 2

    @classmethod
    def read(cls):
        with open(cls.PATH, encoding="ascii") as file:
            return int(file.read())

    @classmethod
    def write(cls, number):
        with open(cls.PATH, "w", encoding="ascii") as file:
            file.write(str(number))

    def __enter__(self):
        self.write(self.wanted)
        if self.read() < self.wanted:
            self.write(self.before)
            raise results.BenchFailed(f"the machine does not have {self.wanted} hugepages")
        return self

    def __exit__(self, *_):
        self.write(self.before)
