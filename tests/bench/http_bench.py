# SPDX-License-Identifier: BSD-3-Clause
"""the HTTP cache beside Squid, nginx and Traffic Server, by CPU time a request

All run at once, on loopback and one core, and wrk asks one after the other from another core, in
rounds. hit_*: objects that each cache has, asked for again and again; counted is the CPU time of
the server's processes, from /proc, so that neither wrk nor the origin is in it. miss: objects that
nobody has asked for, one at a time; what the 99th percentile has more than without a proxy.
idle: memory with connections that have asked once and stay. object: what 1 KiB objects more take.
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import http_peers
import results
from bench_process import DEVICE_CORE, GENERATOR_CORE
from bench_server import Server, free_port, in_child, many_descriptors

HERE = os.path.dirname(os.path.abspath(__file__))
# Octets of an object, and how many there are.
OBJECTS = {"hit_1k": (1 << 10, 256), "hit_64k": (64 << 10, 64), "hit_1m": (1 << 20, 16)}
WORKS = [*OBJECTS, "miss", "idle", "object"]
CACHE_OCTETS = 2 << 30
RAM_OCTETS = 256 << 20
HITS_LEAST = 0.999  # of the requests for objects that were asked for before

COLUMNS = [("subject", "subject", "{}"), ("work", "work", "{}"), ("us CPU", "cpu_us", "{:.2f}"),
           ("best", "cpu_us_best", "{:.2f}"),
           ("/s", "per_second", "{:,.0f}"), ("p50 us", "p50_us", "{:,.0f}"),
           ("p99 us", "p99_us", "{:,.0f}"), ("added p99", "added_p99_us", "{:,.0f}"),
           ("RSS MiB", "rss_mib", "{:,.1f}"), ("a unit", "octets_each", "{:,.0f}")]


def add_options(parser):
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16, help="of wrk, for hits")
    parser.add_argument("--idle", type=int, default=10_000, help="connections that stay")
    parser.add_argument("--objects", type=int, default=100_000, help="whose memory is measured")
    parser.add_argument("--subjects", default="postern,nginx,squid,trafficserver",
                        help="also paths of other builds of postern_http_proxy")
    parser.add_argument("--works", default=",".join(WORKS))


def wrk(options, port, origin, folder, count, connections):
    command = ["taskset", "-c", str(GENERATOR_CORE), "wrk", "-t1", f"-c{connections}",
               f"-d{options.seconds}s", "--timeout", "10s", "-s", HERE + "/http/wrk.lua",
               f"http://127.0.0.1:{port}", "--", f"127.0.0.1:{origin}", folder, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          preexec_fn=in_child(options.realtime))
    told = done.stdout
    found = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    if not found or found[0]["requests"] == 0 or found[0]["failed"] != 0:
        told += done.stderr
        raise results.BenchFailed(f"wrk ended with {done.returncode}: {told[-800:]}")
    return found[0]


def get(connection, origin, path):
    """One request on a connection that stays; the body."""
    connection.sendall(f"GET http://127.0.0.1:{origin}{path} HTTP/1.1\r\n"
                       f"Host: 127.0.0.1:{origin}\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(connection)
    head, body = data.split(b"\r\n\r\n", 1)
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if not head.startswith(b"HTTP/1.1 200 ") or not length:
        raise results.BenchFailed(f"{path}: {head[:200]!r}")
    while len(body) < int(length[1]):
        body += received(connection)
    return body


def received(connection):
    data = connection.recv(1 << 20)
    if not data:
        raise results.BenchFailed("a connection was closed")
    return data


class Bench:
    """The origin and the subjects, all at work; each measurement is a method."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.servers = {}
        self.turn = 0
        origin = free_port()
        peer = http_peers.Peer(directory + "/origin", origin, origin, 0, 0)
        self.objects = {}
        for work, (size, count) in OBJECTS.items():
            os.makedirs(f"{peer.directory}/objects/{work}")
            for number in range(count):
                body = (f"{work} {number} ".encode() * size)[:size]
                self.objects[f"/{work}/{number}"] = body
                with open(f"{peer.directory}/objects/{work}/{number}", "wb") as file:
                    file.write(body)
        self.origin = Server("origin", peer.origin(), GENERATOR_CORE, origin,
                             directory + "/origin.log", options.realtime)

    def start(self, subject, ram=RAM_OCTETS):
        self.turn += 1
        port = free_port()
        directory = f"{self.directory}/{self.turn}-{os.path.basename(subject)}"
        peer = http_peers.Peer(directory, port, self.origin.port, CACHE_OCTETS, ram)
        command = peer.command(subject, self.options.build)
        return Server(subject, command, DEVICE_CORE, port, directory + ".log",
                      self.options.realtime)

    def end(self):
        for server in (*self.servers.values(), self.origin):
            server.end()

    def warm(self, server, works):
        """Each object twice; must come as it is at the origin."""
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            for path in list(self.objects) * 2:
                if path.split("/")[1] in works and \
                        get(connection, self.origin.port, path) != self.objects[path]:
                    raise results.BenchFailed(f"{server.name}: {path} is not what was asked for")

    def asked(self):
        """Requests that the origin has had."""
        with socket.create_connection(("127.0.0.1", self.origin.port), 10) as connection:
            text = get(connection, self.origin.port, "/status").decode()
        return int(re.search(r"\n (\d+) (\d+) (\d+)", text)[3])

    def hit(self, server, work):
        asked, before = self.asked(), server.cpu_ns()
        told = wrk(self.options, server.port, self.origin.port, work, OBJECTS[work][1],
                   self.options.connections)
        spent, asked = server.cpu_ns() - before, self.asked() - asked
        if asked - 1 > (1 - HITS_LEAST) * told["requests"]:
            raise results.BenchFailed(f"{server.name}: {asked} of {told['requests']} were no hits")
        return {"cpu_us": spent / told["requests"] / 1e3, "p50_us": told["p50_us"],
                "p99_us": told["p99_us"], "per_second": told["requests"] / told["seconds"]}

    def miss(self, server):
        """Through the proxy, and without it at the same time of the day."""
        self.turn += 1
        before = server.cpu_ns()
        told = wrk(self.options, server.port, self.origin.port, f"once/{self.turn}", 0, 1)
        spent = server.cpu_ns() - before
        direct = wrk(self.options, self.origin.port, self.origin.port, "once/direct", 0, 1)
        return {"cpu_us": spent / told["requests"] / 1e3, "p50_us": told["p50_us"],
                "p99_us": told["p99_us"], "direct_p50_us": direct["p50_us"],
                "direct_p99_us": direct["p99_us"],
                "per_second": told["requests"] / told["seconds"]}

    def idle(self, subject):
        """Memory of a fresh one with so many connections that have asked once."""
        server = self.start(subject)
        connections = []
        try:
            self.warm(server, ["hit_1k"])
            before = server.rss()
            for number in range(self.options.idle):
                connections.append(socket.create_connection(("127.0.0.1", server.port), 10))
                get(connections[-1], self.origin.port, f"/hit_1k/{number % OBJECTS['hit_1k'][1]}")
            time.sleep(1)
            after = server.rss()
            # None was closed to make room.
            for connection in connections[::97]:
                get(connection, self.origin.port, "/hit_1k/0")
            return {"connections": self.options.idle, "rss_mib": after / (1 << 20),
                    "octets_each": (after - before) / self.options.idle}
        finally:
            for connection in connections:
                connection.close()
            server.end()

    def object(self, subject):
        """Memory that objects more take in a fresh one; none are kept in memory beside the disk."""
        server = self.start(subject, ram=0)
        try:
            counts = (self.options.objects // 4, self.options.objects)
            memory = []
            with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
                for number in range(sum(counts)):
                    if number == counts[0]:
                        time.sleep(1)
                        memory.append(server.rss())
                    get(connection, self.origin.port, f"/once/object/{self.turn}/{number}")
            time.sleep(1)
            memory.append(server.rss())
            return {"objects": counts[1], "rss_mib": memory[1] / (1 << 20),
                    "octets_each": (memory[1] - memory[0]) / counts[1]}
        finally:
            server.end()


def median_row(subject, work, rows):
    row = {"subject": os.path.basename(subject), "work": work}
    if "cpu_us" in rows[0]:
        row["cpu_us_best"] = round(min(one["cpu_us"] for one in rows), 2)
    for key in rows[0]:
        row[key] = round(statistics.median(one[key] for one in rows), 2)
    # Of the rounds in which the machine had least else to do.
    for part in ("p50_us", "p99_us") if work == "miss" else ():
        row["added_" + part] = min(one[part] for one in rows) - \
            min(one["direct_" + part] for one in rows)
    return row


def measure(bench, options, works):
    subjects = options.subjects.split(",")
    rounds = [work for work in works if work not in ("idle", "object")]
    found = {(work, subject): [] for work in works for subject in subjects}
    if rounds:
        for subject in subjects:
            bench.servers[subject] = bench.start(subject)
            bench.warm(bench.servers[subject], rounds)
    for _ in range(options.rounds):
        for work in rounds:
            for subject in subjects:
                server = bench.servers[subject]
                server.must_live()
                row = bench.miss(server) if work == "miss" else bench.hit(server, work)
                found[work, subject].append(row)
    for work, measured in (("idle", bench.idle), ("object", bench.object)):
        for subject in subjects if work in works else ():
            found[work, subject].append(measured(subject))
    for (work, subject), rows in found.items():
        yield median_row(subject, work, rows)


def run(options, table):
    works = options.works.split(",")
    if not set(works) <= set(WORKS):
        raise results.BenchFailed(f"works are {', '.join(WORKS)}")
    if not {GENERATOR_CORE, DEVICE_CORE} <= os.sched_getaffinity(0):
        raise results.BenchFailed("needs two cores")
    many_descriptors()
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    table.columns = COLUMNS
    directory = tempfile.mkdtemp(prefix="postern-bench-http-")
    os.chmod(directory, 0o755)
    bench = None
    try:
        bench = Bench(options, directory)
        for row in measure(bench, options, works):
            document["rows"].append(row)
            table.add(row)
    finally:
        if bench is not None:
            bench.end()
        shutil.rmtree(directory, ignore_errors=True)
    return document
