# SPDX-License-Identifier: BSD-3-Clause
"""The logs: what goes into which, how it reaches collectors, who is told at once."""

import json
import os
import re
import subprocess
import time

from lab import HERE, POSTERN, WEB, check, first_rule, wait_until

COLLECTOR = "192.168.1.10"
PORTS = {"udp": 5141, "tcp": 5142, "tls": 5143}
QUIET = "{ name: quiet, in: lan, out: wan, service: udp/4000, action: drop, log: true }"


def log_lines(lab, log):
    path = f"{lab.directory}/state/log/{log}.log"
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def with_logging(text, more):
    """The lab's configuration with further lines in its section logging."""
    check("logging:\n" not in text, "the lab's configuration has a section logging")
    return text + "\nlogging:\n" + more


def sends(lab, count, port=4000):
    """So many datagrams, numbered by their source ports."""
    lab.client.python(
        f"""
import socket, time
for i in range({count}):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 20000 + i))
    s.sendto(b"x", ("{WEB}", {port}))
    s.close()
    time.sleep(0.002)
"""
    )


def certificate(lab):
    """Of an authority of its own, for the collector's name."""
    pair = lab.scratch("cert.pem"), lab.scratch("key.pem")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj"
    subprocess.run(
        ["openssl", *words.split(), "/CN=logs.example", "-addext",
         "subjectAltName=DNS:logs.example", "-out", pair[0], "-keyout", pair[1]],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return pair


def test_collector_away(lab):
    """Lines for collectors that are away for 10 s, with --long 60 s, arrive once they are back, all
    of them and in order, by UDP, TCP and TLS, also those from before a restart of the daemon; a
    collector with a certificate for another name gets nothing (F68)."""
    pair = certificate(lab)
    targets = "  syslog:\n"
    for protocol, port in PORTS.items():
        more = f", ca: {pair[0]}, server_name: logs.example" if protocol == "tls" else ""
        targets += (
            f'    - {{ address: "{COLLECTOR}:{port}", protocol: {protocol}, '
            f"logs: security{more} }}\n"
        )
    targets += (
        f'    - {{ address: "{COLLECTOR}:5144", protocol: tls, logs: security, ca: {pair[0]}, '
        "server_name: others.example }\n"
    )
    text = with_logging(first_rule(lab.config(), QUIET), targets)
    lab.write_config(text)
    lab.restart_with(text)
    begin = time.monotonic()
    first = len(log_lines(lab, "security"))
    sends(lab, 300)
    lab.restart()
    sends(lab, 300)
    wait_until(lambda: "syslog" in lab.postern("status"), 5, "the status does not say who is away")
    time.sleep(max(0, (60 if lab.is_long else 10) - (time.monotonic() - begin)))
    got = {protocol: lab.scratch(protocol) for protocol in PORTS}
    got["wrong"] = lab.scratch("wrong")
    for protocol, port in {**PORTS, "wrong": 5144}.items():
        kind = "tls" if protocol == "wrong" else protocol
        lab.client.serve(
            ["/usr/bin/python3", HERE + "/log_collector.py", kind, str(port), got[protocol],
             *(pair if kind == "tls" else ())],
            port,
            "udp" if kind == "udp" else "tcp",
        )  # fmt: skip

    def arrived(protocol):
        with open(got[protocol], "a+", encoding="utf-8") as file:
            file.seek(0)
            return re.findall(r"\] (module=.*)", file.read())

    def written():
        lines = log_lines(lab, "security")[first:]
        return [line.partition(" module=")[2] for line in lines]

    def is_whole(protocol):
        lines = ["module=" + line for line in written()]
        return len(lines) >= 600 and arrived(protocol)[-len(lines) :] == lines

    for protocol in PORTS:
        wait_until(
            lambda p=protocol: is_whole(p),
            12,
            f"{protocol}: {len(arrived(protocol))} of {len(written())} lines, or not in order",
        )
    check(not arrived("wrong"), "a collector that proved nothing was told something")


FLOOD = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 20000))
s.connect(("{WEB}", 4000))
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for _ in range(100):
        s.send(b"x")
"""


def test_flood_is_counted(lab):
    """However fast logged drops come: lines and lost ones told of are the packets that were judged,
    and what a collector gets and what it is told to miss are the lines (F67, C17)."""
    got = lab.scratch("got")
    lab.client.serve(
        ["/usr/bin/python3", HERE + "/log_collector.py", "tcp", "5145", got], 5145, "tcp"
    )
    text = with_logging(
        first_rule(lab.config(), QUIET),
        "  security: { max_mib: 2048 }\n  syslog:\n"
        f'    - {{ address: "{COLLECTOR}:5145", protocol: tcp, logs: security, queue_mib: 1 }}\n',
    )
    lab.apply(text)

    def judged():
        rules = lab.ask("show", "rules")["rules"]
        return next(rule["packets"] for rule in rules if rule["name"] == "quiet") - before

    before = 0
    before = judged()
    first = len(log_lines(lab, "security"))
    lab.client.python(FLOOD)

    def counted():
        lines = log_lines(lab, "security")[first:]
        lost = sum(int(n) for line in lines for n in re.findall(r"action=lost records=(\d+)", line))
        return sum('rule="quiet"' in line for line in lines) + lost

    wait_until(lambda: counted() == judged(), 5, f"{counted()} lines and lost, {judged()} packets")

    def told():
        with open(got, "rb") as file:
            messages = file.read().split(b"\n")
        lost = sum(
            int(n)
            for line in messages
            if b" error [" in line
            for n in re.findall(rb'records="(\d+)"', line)
        )
        return sum(b" security [" in line for line in messages) + lost

    def written():
        return len(log_lines(lab, "security")) - first

    wait_until(lambda: told() == written(), 8, f"{told()} told and missed, {written()} lines")
    check(judged() > 10000, f"only {judged()} packets came")


def test_follow_a_rule(lab):
    """`postern log -f --rule X` shows a line of X within a second, and nothing else (F69)."""
    lab.apply(first_rule(lab.config(), QUIET))
    words = ["--run-dir", lab.directory + "/run", "log", "security", "-f", "--rule", "quiet"]
    out = lab.scratch("followed")
    with open(out, "w", encoding="utf-8") as file:
        with subprocess.Popen([POSTERN, *words, "-n", "0"], stdout=file) as follower:
            time.sleep(0.5)
            sends(lab, 20, port=4001)
            sends(lab, 5)
            time.sleep(1)
            follower.terminate()
    with open(out, encoding="utf-8") as file:
        lines = file.read().splitlines()
    check(len(lines) == 5, f"{len(lines)} lines: {lines[:3]}")
    check(all('rule="quiet"' in line for line in lines), f"lines of others: {lines}")


def test_one_line_each(lab):
    """One event of each kind is one line in one log: a rule's match, a change, an alert, a packet
    that is watched; an alert comes once a burst, also to its command (F28, F65)."""
    told = lab.scratch("told")
    rule = "{ name: trap, in: lan, out: wan, service: udp/4002, action: drop, alert: true }"
    text = with_logging(
        first_rule(first_rule(lab.config(), QUIET), rule),
        "  debug:\n    packets: [ { packets: udp and port 4000, interface: lan } ]\n"
        "  alert:\n    window: 2s\n"
        f"    command: [/bin/sh, -c, 'echo $POSTERN_ALERT_SUBJECT >> {told}']\n",
    )
    logs = ("security", "error", "audit", "dial", "debug", "alert")
    lab.apply(text)
    time.sleep(0.5)
    before = {log: len(log_lines(lab, log)) for log in logs}

    def fresh(log):
        return log_lines(lab, log)[before[log] :]

    sends(lab, 1)
    wait_until(lambda: len(fresh("debug")) == 2, 3, f"debug: {fresh('debug')}")
    check("at=received" in fresh("debug")[0] and "at=dropped" in fresh("debug")[1],
          f"debug: {fresh('debug')}")  # fmt: skip
    sends(lab, 30, port=4002)
    lab.postern("dns", "flush")
    wait_until(lambda: len(fresh("alert")) == 2, 5, f"alert: {fresh('alert')}")
    time.sleep(0.3)
    ours = [line for line in fresh("security") if f"{WEB}:400" in line]
    check(len(ours) == 1, f"security: {ours}")
    check(len(fresh("audit")) == 1 and 'action="dns flush"' in fresh("audit")[0],
          f"audit: {fresh('audit')}")  # fmt: skip
    check("records=29" in fresh("alert")[1], f"alert: {fresh('alert')}")
    check(not fresh("error") and not fresh("dial"), f"{fresh('error')}, {fresh('dial')}")
    with open(told, encoding="utf-8") as file:
        check(file.read() == "trap\n", "the command was not run once")
    lines = json.loads(lab.postern("--json", "log", "audit", "-n", "1"))["lines"]
    check(lines[0]["fields"]["outcome"] == "done", f"{lines}")


def test_dial_log(lab):
    """A link that goes and comes back is a line each time, with what it has carried (F65)."""
    before = len(log_lines(lab, "dial"))
    lab.isp.must("ip link set wan0 down")
    wait_until(lambda: len(log_lines(lab, "dial")) == before + 1, 5, "no line of the link's end")
    lab.isp.must("ip link set wan0 up")
    wait_until(lambda: len(log_lines(lab, "dial")) == before + 2, 5, "no line of its return")
    down, up = log_lines(lab, "dial")[before:]
    check(re.search(r"interface=wan action=link_down duration_s=\d+ received_bytes=[1-9]", down),
          down)  # fmt: skip
    check("interface=wan action=link_up" in up, up)
