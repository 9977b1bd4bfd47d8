#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The file of the HTTP cache under fire, with the proxy as it runs (covers F55):

  crash_battery.py PROXY [--fill TIMES] [--kills N] [--octets N] [--clients N] [--folder F]

fill   objects of TIMES times the file go through it, and a hot set (a tenth of the file) again and
       again between them: the hot set's hit rate stays, in each fifth.
kills  kill -9 of the proxy at random moments while clients fill it; it starts again on the same
       file, and what was fetched before is asked for again: some of it must be hits.

The bodies are a function of the URL and every octet of every response is compared, hit or miss,
whole or a range, also of one that the kill cut off. The size of the file never changes, and it has
all its blocks on the disk the whole time. Everything is on loopback; only what it started is ended.
"""

import argparse
import hashlib
import http.client
import http.server
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ORIGIN_PIECE = 65_536
SLOW_S = 0.01  # between two pieces of a long body: so that kills find fills under way
# What a file system needs beside the blocks of the file to find them.
BLOCKS_SLACK = 1 << 20


def size_of(number):
    """Most objects are small, most octets are in large ones."""
    spread = hashlib.sha256(b"%d" % number).digest()
    if spread[0] < 8:
        return 300_000 + spread[1] * 6_000
    return 200 + (spread[2] << 8 | spread[3]) * (1 + spread[0] % 3)


def body_of(path):
    number = int(re.search(r"\d+", path)[0])
    return hashlib.shake_128(path.encode()).digest(size_of(number))


class Origin(http.server.BaseHTTPRequestHandler):
    """Every path of /o/N has a body, fresh for a day; of /c/N without a Content-Length."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = body_of(self.path)
        first, last = 0, len(body) - 1
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if part:
            first, last = int(part[1]), min(int(part[2]), last)
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("Cache-Control", "max-age=86400")
        self.send_header("ETag", f'"{self.path}"')
        is_chunked = self.path.startswith("/c/")
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        for at in range(first, last + 1, ORIGIN_PIECE):
            piece = body[at : min(at + ORIGIN_PIECE, last + 1)]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            if at > first:
                time.sleep(SLOW_S)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # the proxy was killed


class Proxy:
    """The program under test, on one file."""

    def __init__(self, options, path):
        self.command = [options.proxy, "--port", "0", "--store", path, "--allow", "127.0.0.1",
                        "--octets", str(options.octets)]
        self.path = path
        self.octets = options.octets
        self.process = None
        self.is_ending = False
        self.blocks = set()

    def start(self):
        self.is_ending = False
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            raise SystemExit("the proxy did not start")
        self.port = int(line.split()[1])
        self.look()

    def kill(self):
        self.is_ending = True
        self.process.kill()
        self.process.communicate()
        self.look()

    def stop(self):
        """Ends it in peace; its counters."""
        self.process.send_signal(signal.SIGTERM)
        words = self.process.communicate()[0].split()
        if self.process.returncode != 0:
            raise SystemExit(f"the proxy ended with {self.process.returncode}")
        self.look()
        return dict(zip(words[::2], words[1::2]))

    def is_alive(self):
        return self.process.poll() is None

    def look(self):
        """The file is what it was."""
        status = os.stat(self.path)
        allocated = status.st_blocks * 512
        self.blocks.add(allocated)
        if status.st_size != self.octets:
            raise SystemExit(f"the file has {status.st_size} octets, not {self.octets}")
        if not self.octets <= allocated <= self.octets + BLOCKS_SLACK:
            raise SystemExit(f"the file has {allocated} octets on the disk, of {self.octets}")


class Client:
    """One connection to the proxy; checks what comes, and counts."""

    def __init__(self, proxy, origin_port):
        self.proxy = proxy
        self.origin = f"http://127.0.0.1:{origin_port}"
        self.connection = None
        self.hits = self.misses = self.cut = self.octets = 0
        self.wrong = []

    def get(self, path, byte_range=None):
        """True: whole and right. False: the proxy is gone. What is wrong is noted."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=30)
        headers = {"Range": "bytes=%d-%d" % byte_range} if byte_range else {}
        right = body_of(path)
        if byte_range:
            right = right[byte_range[0] : byte_range[1] + 1]
        got = b""
        response = None
        try:
            self.connection.request("GET", self.origin + path, headers=headers)
            response = self.connection.getresponse()
            while piece := response.read(ORIGIN_PIECE):
                got += piece
        except (OSError, http.client.HTTPException) as error:
            got += getattr(error, "partial", b"")
        self.octets += len(got)
        if response is None or (got != right and right.startswith(got)):
            self.close()
            self.cut += 1
            if not self.proxy.is_ending:
                self.wrong.append(f"{path} {byte_range}: cut off after {len(got)} octets")
            return False
        if got != right or response.status != (206 if byte_range else 200):
            self.wrong.append(f"{path} {byte_range}: {response.status}, {len(got)} octets")
        if "hit" in re.split(r"[;, ]+", response.getheader("Cache-Status", "")):
            self.hits += 1
        else:
            self.misses += 1
        return True

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def path_of(number):
    return f"/{'c' if number % 5 == 0 else 'o'}/{number}"


def range_for(number, chance):
    """Sometimes a part of the object."""
    size = size_of(number)
    if size < 2 or chance.random() > 0.1:
        return None
    first = chance.randrange(size - 1)
    return first, chance.randrange(first, size)


def fill_and_kill(proxy, clients, space, chance):
    """Clients fill until the proxy is killed; what was answered in whole."""
    done = []

    def load(client, seed):
        own = random.Random(seed)
        while True:
            number = int(space * own.random() ** 2)
            if not client.get(path_of(number), range_for(number, own)):
                return
            done.append(number)

    threads = [threading.Thread(target=load, args=(client, chance.random())) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(0.05 + chance.random() * 0.8)
    was_alive = proxy.is_alive()
    proxy.kill()
    for thread in threads:
        thread.join()
    if not was_alive:
        raise SystemExit("the proxy ended by itself")
    return done


def run_kills(options, proxy, clients):
    chance = random.Random(options.seed)
    space = 3 * options.octets // 60_000
    checker = clients[0]
    after_hits = after_asked = cold_starts = 0
    slowest = 0.0
    proxy.start()
    for _ in range(options.kills):
        done = fill_and_kill(proxy, clients, space, chance)
        begun = time.monotonic()
        proxy.start()
        slowest = max(slowest, time.monotonic() - begun)
        before = checker.hits
        again = done[-30:] + chance.sample(done, min(10, len(done)))
        for number in again:
            checker.get(path_of(number))
        after_hits += checker.hits - before
        after_asked += len(again)
        cold_starts += bool(again) and checker.hits == before
        proxy.look()
    counters = proxy.stop()
    print(f"kills: {options.kills}, {sum(c.hits + c.misses for c in clients)} responses and "
          f"{sum(c.cut for c in clients)} cut off; after the starts {after_hits} hits of "
          f"{after_asked}, none at {cold_starts} starts; slowest start {slowest:.2f} s; damaged "
          f"{counters['damaged']} in the last life")
    if options.kills > 0 and after_hits * 4 < after_asked:
        raise SystemExit("what was stored is not found after a start")


def run_fill(options, proxy, clients):
    hot_octets, hot = 0, []
    while hot_octets < options.octets / 10:
        hot.append(1_000_000 + len(hot))
        hot_octets += size_of(hot[-1])
    quintile = options.fill * options.octets / 5
    lock = threading.Lock()
    state = {"octets": 0, "next": 2_000_000}
    rates = [[0, 0] for _ in range(5)]

    def load(client, seed):
        own = random.Random(seed)
        while client.proxy.is_alive():
            with lock:
                number = state["next"]
                state["next"] += 1
                part = int(state["octets"] // quintile)
                state["octets"] += size_of(number)
            if part >= 5:
                return
            client.get(path_of(number))
            before = client.hits
            client.get(path_of(own.choice(hot)))
            with lock:
                rates[part][0] += client.hits - before
                rates[part][1] += 1

    proxy.start()
    for number in hot:
        clients[0].get(path_of(number))
    threads = [threading.Thread(target=load, args=(client, i)) for i, client in enumerate(clients)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        proxy.look()
        time.sleep(0.2)
    took = time.monotonic() - begun
    counters = proxy.stop()
    percent = [100 * hits / max(1, asked) for hits, asked in rates]
    print(f"fill: {options.fill} times {options.octets / 1e6:.0f} MB in {took:.0f} s, "
          f"{len(hot)} hot objects of {hot_octets / 1e6:.1f} MB; their hits in each fifth, "
          "per cent: " + " ".join(f"{value:.1f}" for value in percent)
          + f"; refused {counters['refused']}, damaged {counters['damaged']}")
    if min(percent[1:]) < 80 or max(percent[1:]) - min(percent[1:]) > 15:
        raise SystemExit("the hit rate of the hot set is not steady")


def run(options, folder):
    server = Server(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxies = []
    try:
        for name, work, is_wanted in (("fill", run_fill, options.fill > 0),
                                      ("kills", run_kills, options.kills > 0)):
            if not is_wanted:
                continue
            proxy = Proxy(options, os.path.join(folder, name))
            proxies.append(proxy)
            clients = [Client(proxy, server.server_port) for _ in range(options.clients)]
            work(options, proxy, clients)
            wrong = [line for client in clients for line in client.wrong]
            octets = sum(client.octets for client in clients)
            print(f"{name}: {octets / 1e6:.0f} MB compared, {len(wrong)} wrong; on the disk "
                  f"{' '.join(str(octets) for octets in sorted(proxy.blocks))} octets of "
                  f"{proxy.octets}")
            for client in clients:
                client.close()
            if wrong:
                raise SystemExit("\n".join(wrong[:20]))
    finally:
        for proxy in proxies:
            if proxy.process and proxy.is_alive():
                proxy.kill()
        server.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("proxy", help="postern_http_proxy")
    parser.add_argument("--fill", type=float, default=1.5, help="times the size of the file")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--octets", type=int, default=32 << 20, help="size of the file")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--folder", help="for the files of the cache; default: a temporary one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-battery-", dir=options.folder) as folder:
        run(options, folder)


if __name__ == "__main__":
    socket.setdefaulttimeout(30)
    sys.exit(main())
