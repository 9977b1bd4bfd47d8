# SPDX-License-Identifier: BSD-3-Clause
"""the mail service beside Postfix, and its POP3 beside Dovecot: messages a second, CPU, memory

accept: smtp-source hands over messages of 4 KiB in sessions at once while the next hop, smtp-sink,
takes what comes through; counted until the last was accepted. deliver: the same messages, counted
until the next hop has the last. Both sides write to the disk before they answer. pop3: one client
logs in and reads a mailbox; idle: memory with sessions that have logged in and stay. Servers have
one core, generators and sinks the other; subjects take turns in each round.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import mail_peers
import results
from bench_process import DEVICE_CORE, GENERATOR_CORE
from bench_server import Server, does_listen, free_port, in_child, many_descriptors

WORKS = ["accept", "deliver", "pop3", "idle"]
PATIENCE_S = 120

COLUMNS = [("subject", "subject", "{}"), ("work", "work", "{}"), ("/s", "per_second", "{:,.0f}"),
           ("best", "per_second_best", "{:,.0f}"), ("us CPU", "cpu_us", "{:,.0f}"),
           ("log in ms", "login_ms", "{:,.1f}"), ("RSS MiB", "rss_mib", "{:,.1f}")]


def add_options(parser):
    parser.add_argument("--messages", type=int, default=4000, help="of each measurement")
    parser.add_argument("--octets", type=int, default=4096, help="of a message")
    parser.add_argument("--sessions", type=int, default=20, help="of smtp-source at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--box", type=int, default=10_000, help="messages in the mailbox read")
    parser.add_argument("--idle", type=int, default=1000, help="POP3 sessions that stay")
    parser.add_argument("--subjects", default="postern,postfix,dovecot",
                        help="also paths of other builds of postern_mail")
    parser.add_argument("--works", default=",".join(WORKS))


def does_smtp(subject):
    return subject != "dovecot"


def does_pop3(subject):
    return subject != "postfix"


class Reader:
    """A POP3 client that says what it is told to, a line at a time."""

    def __init__(self, port, user):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.file = self.socket.makefile("rb", 1 << 16)
        self.line()
        self.ask(f"USER {user}")
        self.ask(f"PASS {mail_peers.PASSWORD}")

    def line(self):
        line = self.file.readline()
        if not line.startswith(b"+OK"):
            raise results.BenchFailed(f"POP3: {line!r}")
        return line

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        return self.line()

    def text(self, command):
        """Octets of an answer of several lines."""
        self.ask(command)
        octets = 0
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise results.BenchFailed("POP3: a connection was closed")
            octets += len(line)
        return octets

    def close(self):
        self.file.close()
        self.socket.close()


class Bench:
    """Subjects at work; each measurement is a method."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.turn = 0

    def start(self, subject, hop=0, users=(), box=0):
        self.turn += 1
        directory = f"{self.directory}/{self.turn}-{os.path.basename(subject)}"
        if users:
            mail_peers.fill_mailboxes(directory + "/mailboxes", users, box, self.options.octets)
        port = free_port()
        peer = mail_peers.Peer(directory, port, hop, users)
        return Server(subject, peer.command(subject, self.options.build), DEVICE_CORE, port,
                      directory + ".log", self.options.realtime)

    def on_generator(self, *command):
        return subprocess.Popen(["taskset", "-c", str(GENERATOR_CORE), *command],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                preexec_fn=in_child(self.options.realtime))

    @staticmethod
    def must_listen(sink, hop):
        """A next hop that is not there is left alone for a while."""
        if does_listen(hop, sink):
            return
        sink.kill()
        raise results.BenchFailed(f"smtp-sink does not listen: {sink.communicate()[1][-500:]}")

    @staticmethod
    def must_end(program, server):
        try:
            told = program.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            raise results.BenchFailed(f"{server.name}: not all messages went through") from None
        finally:
            program.kill()
        if program.returncode != 0 or re.search("fatal|warning", told):
            raise results.BenchFailed(f"{server.name}: {program.args[3]}: {told[-500:]}")

    def send(self, server, hop):
        """Rows of accept and deliver for one load of messages."""
        count = self.options.messages
        sink = self.on_generator("smtp-sink", "-u", "nobody", "-M", str(count),
                                 f"127.0.0.1:{hop}", "200")
        self.must_listen(sink, hop)
        before, begin = server.cpu_ns(), time.monotonic()
        source = self.on_generator(
            "smtp-source", "-s", str(self.options.sessions), "-m", str(count), "-l",
            str(self.options.octets), "-M", "client.example", "-f", "a@client.example", "-t",
            "b@elsewhere.example", f"127.0.0.1:{server.port}")
        self.must_end(source, server)
        accepted = time.monotonic() - begin
        self.must_end(sink, server)
        delivered = time.monotonic() - begin
        spent = server.cpu_ns() - before
        server.must_live()
        return {"accept": {"per_second": count / accepted},
                "deliver": {"per_second": count / delivered, "cpu_us": spent / count / 1000}}

    def read(self, server, user):
        """Every message of a mailbox of somebody who has not logged in before."""
        before, begin = server.cpu_ns(), time.monotonic()
        reader = Reader(server.port, user)
        count = int(reader.ask("STAT").split()[1])
        logged_in = time.monotonic()
        if count != self.options.box:
            raise results.BenchFailed(f"{server.name}: {count} messages")
        for number in range(1, count + 1):
            if reader.text(f"RETR {number}") < self.options.octets:
                raise results.BenchFailed(f"{server.name}: message {number} is not whole")
        took, spent = time.monotonic() - logged_in, server.cpu_ns() - before
        reader.ask("QUIT")
        reader.close()
        return {"per_second": count / took, "cpu_us": spent / count / 1000,
                "login_ms": (logged_in - begin) * 1000}

    def idle(self, subject):
        """Memory of a fresh one with so many users that have logged in."""
        users = [f"u{number}" for number in range(self.options.idle)]
        server = self.start(subject, users=users, box=1)
        readers = []
        try:
            readers = [Reader(server.port, user) for user in users]
            time.sleep(1)
            memory = server.rss()
            for reader in readers[::97]:
                reader.ask("STAT")
            return {"sessions": len(users), "rss_mib": memory / (1 << 20)}
        finally:
            for reader in readers:
                reader.close()
            server.end()

    def over_smtp(self, subjects):
        found = {(work, subject): [] for work in WORKS[:2] for subject in subjects}
        servers = {}
        try:
            for subject in subjects:
                hop = free_port()
                servers[subject] = (self.start(subject, hop), hop)
            for _ in range(self.options.rounds):
                for subject, (server, hop) in servers.items():
                    for work, row in self.send(server, hop).items():
                        found[work, subject].append(row)
        finally:
            for server, _ in servers.values():
                server.end()
        return found

    def over_pop3(self, subjects):
        users = [f"anna{turn}" for turn in range(self.options.rounds)]
        found = {("pop3", subject): [] for subject in subjects}
        servers = {}
        try:
            for subject in subjects:
                servers[subject] = self.start(subject, users=users, box=self.options.box)
            for user in users:
                for subject, server in servers.items():
                    found["pop3", subject].append(self.read(server, user))
        finally:
            for server in servers.values():
                server.end()
        return found


def median_row(subject, work, rows):
    row = {"subject": os.path.basename(subject), "work": work}
    if "per_second" in rows[0]:
        row["per_second_best"] = round(max(one["per_second"] for one in rows))
    for key in rows[0]:
        row[key] = round(statistics.median(one[key] for one in rows), 2)
    return row


def measure(bench, subjects, works):
    found = {}
    over_smtp = [subject for subject in subjects if does_smtp(subject)]
    over_pop3 = [subject for subject in subjects if does_pop3(subject)]
    if over_smtp and set(works) & {"accept", "deliver"}:
        found.update(bench.over_smtp(over_smtp))
    if over_pop3 and "pop3" in works:
        found.update(bench.over_pop3(over_pop3))
    for subject in over_pop3 if "idle" in works else ():
        found["idle", subject] = [bench.idle(subject)]
    for (work, subject), rows in found.items():
        if work in works:
            yield median_row(subject, work, rows)


def run(options, table):
    works = options.works.split(",")
    if not set(works) <= set(WORKS):
        raise results.BenchFailed(f"works are {', '.join(WORKS)}")
    if os.geteuid() != 0:
        raise results.BenchFailed("needs root, for Postfix and Dovecot")
    if not {GENERATOR_CORE, DEVICE_CORE} <= os.sched_getaffinity(0):
        raise results.BenchFailed("needs two cores")
    many_descriptors()
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    table.columns = COLUMNS
    directory = tempfile.mkdtemp(prefix="postern-bench-mail-")
    os.chmod(directory, 0o755)
    try:
        for row in measure(Bench(options, directory), options.subjects.split(","), works):
            document["rows"].append(row)
            table.add(row)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return document
