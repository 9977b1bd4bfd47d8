# SPDX-License-Identifier: BSD-3-Clause
"""More than the gateway can bear: those who are connected stay so."""

import re

from lab import GATEWAY, GATEWAY_MAC, WEB, check, wait_until

SECONDS = 6
LIMITS = "  limits: { sessions: 1024, mappings: 2048, hosts: 1024, sessions_from_host: 512 }\n"

# Sends numbered lines over one connection until told to end; says how many came back as they were.
TALK = f"""
import socket, sys, time
s = socket.create_connection(("{WEB}", 7), 5)
s.settimeout(5)
print("connected", flush=True)
end, said = time.monotonic() + {SECONDS} + 3, 0
while time.monotonic() < end:
    line = b"%06d" % said * 100
    s.sendall(line)
    back = b""
    while len(back) < len(line):
        back += s.recv(len(line) - len(back)) or sys.exit("closed")
    if back != line:
        sys.exit("mixed up")
    said += 1
    time.sleep(0.01)
print("said", said, flush=True)
"""

# Raw frames of several kinds, as fast as Python can.
FLOOD = """
import random, socket, time
def ip(source, to, proto, data, flags=0):
    head = bytes([69, 0]) + (20 + len(data)).to_bytes(2, "big") + random.randbytes(2)
    head += flags.to_bytes(2, "big") + bytes([64, proto, 0, 0]) + socket.inet_aton(source)
    head += socket.inet_aton(to)
    total = sum(int.from_bytes(head[i:i + 2], "big") for i in range(0, 20, 2))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + (~total & 0xffff).to_bytes(2, "big") + head[12:] + data
def udp(port, to):
    return port.to_bytes(2, "big") + to.to_bytes(2, "big") + bytes([0, 12, 0, 0]) + b"lots"
def syn(port, to):
    return (port.to_bytes(2, "big") + to.to_bytes(2, "big") + random.randbytes(4) + bytes(4)
            + bytes([80, 2, 16, 0, 0, 0, 0, 0]))
def arp(sender):
    return (bytes([0, 1, 8, 0, 6, 4, 0, 1, 2, 9]) + socket.inet_aton(sender)
            + socket.inet_aton(sender) + bytes(6) + socket.inet_aton("192.168.1.1"))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((DEVICE, 0))
own = s.getsockname()[4]
head = bytes.fromhex(MAC.replace(":", "")) + own
end, sent = time.monotonic() + SECONDS, 0
while time.monotonic() < end:
    for _ in range(50):
        kind, data = make(random.randrange(1 << 16))
        try:
            s.send(head + kind.to_bytes(2, "big") + data)
            sent += 1
        except OSError:
            time.sleep(0.001)
print("sent", sent)
"""

INSIDE = f"""
def make(n):
    if n % 4 == 0:
        return 0x806, arp("192.168.1.%d" % (100 + n % 100))
    if n % 4 == 1:
        return 0x800, ip("192.168.1.%d" % (20 + n % 200), "{WEB}", 17, b"x" * 64, 0x2000 + n % 99)
    if n % 4 == 2:
        return 0x800, ip("192.168.1.%d" % (20 + n % 200), "10.9.0.%d" % (n % 250), 17, udp(n, 9))
    return 0x800, ip("192.168.1.%d" % (20 + n % 200), "{WEB}", 17, udp(n, 9))
"""

OUTSIDE = f"""
def make(n):
    source = "198.18.%d.%d" % (n >> 8, n & 255)
    if n % 2 == 0:
        return 0x800, ip("192.168.1.%d" % (n & 255), "{GATEWAY}", 17, udp(n, 9))
    return 0x800, ip(source, "{GATEWAY}", 6, syn(n, 5555))
"""


def flood(host, device, mac, make):
    head = f"DEVICE, MAC, SECONDS = {device!r}, {mac!r}, {SECONDS}\n"
    return host.start(["/usr/bin/python3", "-c", head + make + FLOOD])


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def test_the_connected_stay(lab):
    """Under floods of SYNs, new flows, forged sources, fragments, silent neighbors and ARP from
    both sides a connection goes on whole, memory stays, and the log says what was left out (P05,
    F67)."""
    try:
        lab.restart_with(lab.config().replace("interfaces:\n", LIMITS + "\ninterfaces:\n", 1))
        with lab.client.start(["/usr/bin/python3", "-c", TALK]) as talk:
            wait_until(lambda: "connected" in talk.out(), 10, "no connection")
            before = resident_kib(lab.ask("status")["pid"])
            floods = [
                flood(lab.client2, "eth0", GATEWAY_MAC["inside"], INSIDE),
                flood(lab.isp, "wan0", GATEWAY_MAC["outside"], OUTSIDE),
            ]
            sent = [int(one.wait(SECONDS + 30).out.split()[-1]) for one in floods]
            told = talk.wait(SECONDS + 30)
        check(told.ok and "said" in told.out, f"the connection: {told.out}")
        check(int(told.out.split()[-1]) > 50, f"the connection hardly went on: {told.out}")
        check(min(sent) > 2000, f"hardly a flood: {sent}")
        status = lab.ask("status")
        grown = resident_kib(status["pid"]) - before
        check(grown < 8192, f"memory grew by {grown} KiB")
        check(status["sessions"]["in_use"] <= 1024, f"sessions: {status['sessions']}")
        check(status["sessions"]["evicted"] > 0, "no session was given up")
        check(status["log"]["records_suppressed"] > 0, f"log: {status['log']}")
        text = "\n".join(lab.security_log())
        check("action=suppressed reason=spoofed_source" in text, "the log does not say so")
    finally:
        lab.restart_with(lab.config())
