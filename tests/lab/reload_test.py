# SPDX-License-Identifier: BSD-3-Clause
"""Reloads of a large policy by the running program, while packets of real hosts cross it."""

import re
import time

from lab import WEB, check, wait_until

RULES = 10_000
BESIDE = 0.05  # seconds between two reloads in which packets come alone

# Takes numbered datagrams at both ports until it is told to end by the number nobody else sends.
RECEIVER = """
import select, socket, sys
ports = {}
for number in (7000, 7001):
    ports[number] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ports[number].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    ports[number].bind(("", number))
seen, blocked, is_over = set(), 0, False
print("ready", flush=True)
while not is_over:
    for ready in select.select(list(ports.values()), [], [])[0]:
        number = int(ready.recv(100))
        if ready is ports[7001]: blocked += 1
        elif number < 0: is_over = True
        else: seen.add(number)
print(f"came {len(seen)} blocked {blocked}", flush=True)
"""
# One to each port every two milliseconds, until SIGTERM.
SENDER = """
import signal, socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
is_over = []
signal.signal(signal.SIGTERM, lambda *_: is_over.append(1))
count = 0
while not is_over:
    out.sendto(str(count).encode(), (sys.argv[1], 7000))
    out.sendto(str(count).encode(), (sys.argv[1], 7001))
    count += 1
    time.sleep(0.002)
print(f"sent {count}", flush=True)
time.sleep(1)
for _ in range(20):
    out.sendto(b"-1", (sys.argv[1], 7000))
    time.sleep(0.05)
"""


def policy(lab, variant):
    """10,000 rules in front of those of the lab; what they are asked says nothing of our flows."""
    rules = ["    - { name: never, in: lan, service: udp/7001, action: drop }"]
    for number in range(RULES - 20):
        action = "permit" if (number + variant) % 2 else "drop"
        rules.append(f"    - {{ name: r{number}, in: lan, to: 10.{20 + number // 250}."
                     f"{number % 250}.0/24, service: tcp/{1 + number}, action: {action} }}")
    head = "filter:\n  rules:\n"
    return lab.plain_config().replace(head, head + "\n".join(rules) + "\n", 1)


def test_reloads_under_load(lab):
    """[C02][P15] Policies of 10,000 rules take turns; no packet is lost, none of a blocked flow
    crosses. With --long a thousand times."""
    policies = [policy(lab, variant) for variant in (0, 1)]
    reloads = 1000 if lab.is_long else 10
    lab.apply(policies[0])
    lab.client.must(f"ping -c 1 {WEB}")  # the neighbors are known from here on
    receiver = lab.internet.start(["/usr/bin/python3", "-c", RECEIVER])
    wait_until(lambda: "ready" in receiver.out(), 5, "nobody listens")
    sender = lab.client.start(["/usr/bin/python3", "-c", SENDER, WEB])
    slowest = 0
    for reload in range(1, reloads + 1):
        begun = time.monotonic()
        lab.apply(policies[reload % 2])
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(BESIDE)
    sender.process.terminate()
    sent = int(re.search(r"sent (\d+)", sender.wait(20).out)[1])
    told = re.search(r"came (\d+) blocked (\d+)", receiver.wait(20).out)
    print(f"{reloads} reloads, the slowest {slowest:.2f} s; {sent} sent")
    check(sent > reloads * 20, f"only {sent} were sent")
    check(int(told[1]) == sent, f"{sent} sent, {told[1]} came")
    check(int(told[2]) == 0, f"{told[2]} of a blocked flow crossed")
