# SPDX-License-Identifier: BSD-3-Clause
"""Changes of the configuration: on trial, taken back, confirmed, recorded, rolled back."""

import json
import os
import signal
import socket
import struct
import subprocess
import time

import dhcp_client_test as dhcp_client
from lab import POSTERN, WEB, check, first_rule, wait_until

LOCK_OUT = "{ name: oops, in: lan, out: gateway, action: drop }"
NO_SSH = "{ name: no-ssh, in: lan, service: tcp/22, action: drop }"

# Sends a byte and waits for its echo, ten times a second; tells the longest wait so far.
ECHO_CLIENT = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
connection.settimeout(60)
worst, end = 0, time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    asked = time.monotonic()
    connection.sendall(b"x")
    if connection.recv(1) != b"x":
        sys.exit("the connection has ended")
    worst = max(worst, time.monotonic() - asked)
    print(f"{worst:.2f}", flush=True)
    time.sleep(0.1)
"""
ECHO_SERVER = ["/usr/bin/python3", "-c", """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(100):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
Server(("", 22), Echo).serve_forever()
"""]


def postern(lab, *words, environment=None):
    """Status and output, whatever the status."""
    done = subprocess.run(
        [POSTERN, "--run-dir", lab.directory + "/run", *words],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout + done.stderr


def send(lab, request):
    """What the daemon answers to a request of our own making."""
    body = json.dumps({"version": 1, **request}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(lab.directory + "/run/postern.sock")
        connection.sendall(struct.pack(">I", len(body)) + body)
        length = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))[0]
        return json.loads(connection.recv(length, socket.MSG_WAITALL))


def write(lab, text):
    path = lab.scratch("change.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def worst(running):
    return float(running.out().split()[-1])


def echo(host, to, seconds):
    running = host.start(["/usr/bin/python3", "-c", ECHO_CLIENT, to, "22", str(seconds)])
    wait_until(lambda: running.out(), 10, "no connection: " + running.out())
    return running


def test_lock_out(lab):
    """Who locks himself out with `apply --confirm 20s` is let in again after 20 s: his own session
    waits and goes on; one through the gateway and iperf3 never stop (C01)."""
    with lab.gateway.serve(ECHO_SERVER, 22), lab.internet.serve(ECHO_SERVER, 22), \
            lab.internet.serve("iperf3 -s", 5201):
        own = echo(lab.client, "192.168.1.1", 40)
        through = echo(lab.client, WEB, 40)
        transfer = lab.client.start(["iperf3", "-c", WEB, "-b", "5M", "-i", "1", "-J", "-t", "30"])
        status, told = postern(lab, "apply", write(lab, first_rule(lab.config(), LOCK_OUT)),
                               "--confirm", "20s", "--comment", "a mistake")
        check(status == 6 and "on trial until" in told, f"status {status}: {told}")
        began = time.monotonic()
        trial = lab.ask("status")["trial"]
        check(15 < trial["seconds_left"] <= 20, str(trial))
        check("ON TRIAL" in lab.postern("status"), "the trial is not shown")
        check(not lab.client.run("nc -z -w 2 192.168.1.1 22").ok, "not locked out")
        status, told = postern(lab, "apply", write(lab, lab.config()))
        check(status == 1 and "on trial" in told, f"another change: {told}")
        wait_until(lambda: lab.ask("status")["trial"] is None, 25, "it is not taken back")
        took = time.monotonic() - began
        check(17 < took < 23, f"taken back after {took:.1f} s")
        check(lab.postern("show", "config") == lab.config(), "not what was there before")
        check(lab.client.run("nc -z -w 2 192.168.1.1 22").ok, "still locked out")
        result = json.loads(transfer.wait(30).out)
        still = [i for i in result["intervals"] if i["sum"]["bytes"] == 0]
        check(not still, f"iperf3 stood still: {still}")
        own.wait(30)
        through.wait(30)
        check(through.process.returncode == 0, through.out()[-200:])
        check(worst(through) < 1, f"a session through the gateway waited {worst(through)} s")
        check(own.process.returncode == 0, own.out()[-200:])
        check(worst(own) > 15, f"his own session went on meanwhile: {worst(own)} s")


def test_lock_out_and_crash(lab):
    """The same when posternd is killed meanwhile: it starts with what was there before, even when
    the file has the change, and says so (C01)."""
    text = first_rule(lab.config(), LOCK_OUT)
    lab.write_config(text)
    status, told = postern(lab, "apply", lab.directory + "/gateway.yaml", "--confirm", "10m")
    check(status == 6, told)
    lab.signal(signal.SIGKILL)
    wait_until(lambda: lab.pid() is None, 5, "posternd lives on")
    lab.restart()
    try:
        check(lab.postern("show", "config") == lab.config(), "it started with what was on trial")
        warnings = " ".join(lab.ask("status")["warnings"])
        check("nobody confirmed" in warnings and "which a start refuses" in warnings, warnings)
        with lab.gateway.serve(ECHO_SERVER, 22):
            check(lab.client.run("nc -z -w 2 192.168.1.1 22").ok, "locked out")
        status, told = postern(lab, "confirm")
        check(status == 1 and "no change is on trial" in told, told)
    finally:
        lab.write_config(lab.config())
        lab.restart()
    check(not any("nobody confirmed" in w for w in lab.ask("status")["warnings"]), "still warned")


def test_confirm(lab):
    """What is confirmed stays, and now ends the sessions that it does not allow; the history tells
    who and why (C01, P14)."""
    before = lab.ask("history")["revisions"]
    with lab.internet.serve(ECHO_SERVER, 22):
        session = echo(lab.client, WEB, 30)
        path = write(lab, first_rule(lab.config(), NO_SSH))
        status, told = postern(lab, "apply", path, "--confirm", "5s", "--comment", "no SSH")
        lab.applied = "changed"
        check(status == 6, told)
        held = lab.ask("show", "sessions", "--host", WEB)["sessions"]
        check(any("22" in row["original"]["destination"] for row in held), "the session is gone")
        told = lab.postern("confirm")
        check("confirmed" in told, told)
        time.sleep(6)
        check(lab.ask("status")["trial"] is None, "still on trial")
        check("no-ssh" in lab.postern("show", "config"), "taken back in spite of it")
        rows = lab.ask("show", "sessions", "--host", WEB)["sessions"]
        check(not any(r["original"]["destination"].endswith(":22") for r in rows), str(rows))
        session.stop()
    after = lab.ask("history")
    check(len(after["revisions"]) == len(before) + 1, "not one revision more")
    check(after["in_force"] == after["revisions"][-1]["revision"], str(after["in_force"]))
    check(after["revisions"][-1]["comment"] == "no SSH", str(after["revisions"][-1]))
    check("root" in after["revisions"][-1]["who"], str(after["revisions"][-1]))


def test_rollback(lab):
    """A revision comes back byte for byte, and sessions that both allow go on (P14)."""
    lab.apply(lab.config())
    number = lab.ask("history")["in_force"]
    with lab.internet.serve(ECHO_SERVER, 22):
        session = echo(lab.client, WEB, 6)
        more = "{ name: more, out: wan, action: continue }"
        changed = "# a comment\n" + first_rule(lab.config(), more)
        path = write(lab, changed)
        status, lines = postern(lab, "diff", path)
        check(status == 10 and "+# a comment\n" in lines, f"status {status}: {lines}")
        lab.apply(changed)
        check(postern(lab, "diff", path) == (0, ""), "it differs from itself")
        check(lab.postern("show", "config") == changed, "not byte for byte")
        status, lines = postern(lab, "diff", str(number), path)
        check(status == 10, lines)
        told = lab.postern("rollback", str(number), "--comment", "back")
        check("in force" in told, told)
        check(lab.postern("show", "config") == lab.config(), "not byte for byte")
        lab.applied = None
        session.wait(20)
        check(session.process.returncode == 0 and worst(session) < 1, session.out()[-200:])
    last = lab.ask("history")["revisions"][-1]
    check(last["source"] == f"rollback to {number}", str(last))
    status, told = postern(lab, "rollback", "99999")
    check(status == 1 and "no revision" in told, told)


def test_plan(lab):
    """`plan` tells sessions that would end and what takes a restart, and changes nothing."""
    with lab.internet.serve(ECHO_SERVER, 22):
        session = echo(lab.client, WEB, 20)
        plan = lab.ask("plan", write(lab, first_rule(lab.config(), NO_SSH)))
        check(plan["changed"] and plan["restart"] == [], str(plan))
        check(plan["sessions_ending"] >= 1, str(plan))
        same = lab.ask("plan", write(lab, lab.config()))
        check(not same["changed"], str(same))
        fewer = write(lab, lab.config().replace("mib: 128", "mib: 192"))
        plan = lab.ask("apply", "--check", "--diff", fewer)
        check(plan["restart"] == ["system.memory"] and plan["outage_s"] > 0, str(plan))
        check("+  memory: { hugepages: off, mib: 192 }" in plan["diff"], plan["diff"])
        check(postern(lab, "plan", "--detailed-exitcode", fewer)[0] == 10, "no status of its own")
        check(postern(lab, "plan", write(lab, "version: 1\nfoo: 1\n"))[0] == 3, "a bad file")
        check(session.runs, "the session ended")
        session.stop()
    check(lab.postern("show", "config") == lab.config(), "something was changed")


def test_judged_beside(lab):
    """While a configuration is judged that takes seconds, everything else is answered; another one
    that is only asked about does not wait for it (C03)."""
    rules = "".join(
        f"    - {{ name: r{i}, in: lan, from: 10.{i % 250}.{i // 250}.0/24, "
        f"service: tcp/{i}, action: drop }}\n" for i in range(1, 8000))
    tests = "".join(
        f"  - {{ name: t{i}, in: lan, protocol: tcp, from: 192.168.1.10, to: {WEB}:80,"
        f" at: mon {i % 24:02}:{i // 24:02}, verdict: permit }}\n" for i in range(24))
    large = lab.config().replace("  rules:\n", "  rules:\n" + rules, 1) + "tests:\n" + tests
    path = write(lab, large)
    judging = [subprocess.Popen([POSTERN, "--run-dir", lab.directory + "/run", "plan", path],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for _ in range(4)]
    waits = []
    while any(one.poll() is None for one in judging):
        asked = time.monotonic()
        send(lab, {"command": "status"})
        waits.append(time.monotonic() - asked)
        time.sleep(0.05)
    told = [one.communicate(timeout=30)[0] for one in judging]
    check(any(one.returncode == 0 for one in judging), str(told))
    check(any("being judged; try again" in text for text in told), str(told))
    check(len(waits) > 10, "it was judged too quickly to tell")
    check(max(waits) < 1, f"status took {max(waits):.2f} s")


def test_careful_with_ssh(lab):
    """A change that would cut off the SSH session that it comes by goes on trial unasked (C01)."""
    session = {"SSH_CONNECTION": "192.168.1.10 50000 192.168.1.1 22"}
    path = write(lab, first_rule(lab.config(), LOCK_OUT))
    status, told = postern(lab, "plan", path, environment=session)
    check(status == 0 and "would be cut off (rule oops)" in told, told)
    status, told = postern(lab, "apply", path, environment=session)
    try:
        check(status == 6 and "would be cut off" in told, f"status {status}: {told}")
        trial = lab.ask("status")["trial"]
        check(290 < trial["seconds_left"] <= 300, "not five minutes")
        for command in ("confirm", "revert"):
            answer = send(lab, {"command": command, "trial": "0" * 64})
            check("another change" in answer["error"]["text"], str(answer))
        check(lab.ask("history")["digest"] == trial["digest"], "it is not in force any more")
    finally:
        told = lab.postern("revert")
    check("taken back by" in told, told)
    harmless = write(lab, first_rule(lab.config(), NO_SSH.replace("in: lan", "in: dmz")))
    status, told = postern(lab, "apply", harmless, environment=session)
    lab.applied = "changed"
    check(status == 0, f"status {status}: {told}")
    lab.apply(lab.config())
    status, told = postern(lab, "apply", path, "--no-confirm", environment=session)
    lab.applied = "changed"
    check(status == 0 and "trial" not in told, f"status {status}: {told}")


def test_two_administrators(lab):
    """What one did meanwhile is not lost to the other: a change made from an older text, a
    confirmation of another trial, and a file that was edited during the trial (P14, C01)."""
    first = write(lab, first_rule(lab.config(), NO_SSH))
    base = lab.ask("plan", first)["base"]
    check(base == lab.ask("history")["digest"], "not the digest of what is in force")
    lab.apply(first_rule(lab.config(), NO_SSH.replace("no-ssh", "another")))
    status, told = postern(lab, "apply", first, "--base", base)
    check(status == 1 and "is not what the change was made from" in told, f"{status}: {told}")
    check("another" in lab.postern("show", "config"), "it was put into force")
    lab.write_config(lab.config())
    status, told = postern(lab, "--json", "apply", first, "--diff", "--save", "--confirm", "60s")
    check(status == 6, f"status {status}: {told}")
    digest = json.loads(told)["trial"]["digest"]
    status, told = postern(lab, "confirm", "0" * 64)
    check(status == 1 and "another change is on trial" in told, f"{status}: {told}")
    lab.write_config(lab.config() + "# by hand\n")
    status, told = postern(lab, "confirm", digest)
    check(status == 1 and "not saved" in told and "was edited meanwhile" in told, told)
    with open(lab.directory + "/gateway.yaml", encoding="utf-8") as file:
        check(file.read() == lab.config() + "# by hand\n", "the file was overwritten")
    check("no-ssh" in lab.postern("show", "config"), "the change is not kept")
    lab.write_config(lab.config())


def test_lease_outlives_a_trial(lab):
    """A trial that gives the world outside a fixed address leaves the lease there alone: taken
    back, it is there at once, with the connection through it; nobody was asked (C01)."""
    by_lease = dhcp_client.config(lab)
    fixed = by_lease.replace("address: dhcp", "address: 203.0.113.200/24")
    with dhcp_client.Provider(lab) as provider, lab.internet.serve(ECHO_SERVER, 22):
        lab.apply(by_lease)
        dhcp_client.has(lab, dhcp_client.FIRST)
        session = echo(lab.client, WEB, 8)
        asked = len(provider.heard())
        status, told = postern(lab, "apply", write(lab, fixed), "--confirm", "60s")
        check(status == 6, told)
        check(dhcp_client.addresses(lab) == ["203.0.113.200/24"], "the trial is not in force")
        time.sleep(2)
        lab.postern("revert")
        check(dhcp_client.addresses(lab) == [dhcp_client.FIRST + "/24"], "the lease is gone")
        check(len(provider.heard()) == asked, "the server was asked meanwhile")
        session.wait(20)
        check(session.process.returncode == 0, session.out()[-200:])
        check(worst(session) > 1.5, "the connection did not wait")
