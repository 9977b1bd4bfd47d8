# SPDX-License-Identifier: BSD-3-Clause
"""The remote administration on the running gateway: who gets in, and what a sniffer sees."""

import ctypes
import json
import os
import re
import time

from lab import GATEWAY, POSTERN, WEB, check, first_rule, wait_until

LAN = "192.168.1.1"
PASSWORD = "correct horse 7!"
REMOTE_RULE = "{ name: remote, out: gateway, service: tcp/44333, action: permit, log: true }"


def password_hash(password):
    """As libsodium makes it, small enough for a test."""
    sodium = ctypes.CDLL("libsodium.so.23")
    out = ctypes.create_string_buffer(128)
    octets = password.encode()
    made = sodium.crypto_pwhash_str(out, octets, ctypes.c_ulonglong(len(octets)),
                                    ctypes.c_ulonglong(2), ctypes.c_size_t(20 << 20))
    check(made == 0, "no hash")
    return out.value.decode()


class Admin:
    """An administrator on a host, with files of their own."""

    def __init__(self, lab, host, name):
        self.host = host
        self.home = lab.scratch(name)
        os.makedirs(self.home)
        self.password_file = self.home + "/password"
        with open(self.password_file, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")

    def run(self, *words, gateway=LAN, **more):
        argv = ["env", "XDG_CONFIG_HOME=" + self.home, POSTERN, "--host", gateway, *words]
        return self.host.run(argv, **more)

    def start(self, *words):
        argv = ["env", "XDG_CONFIG_HOME=" + self.home, POSTERN, "--host", LAN, *words]
        return self.host.start(argv)

    def make_key(self):
        argv = ["env", "XDG_CONFIG_HOME=" + self.home, POSTERN, "key", "generate"]
        return self.host.must(argv).strip()


def arrange(lab, key, remote="from: 192.168.1.10"):
    """The configuration with an administrator; returns the gateway's key."""
    users = (
        "users:\n  accounts:\n"
        f"    alice: {{ role: admin, password: '{password_hash(PASSWORD)}', keys: '{key}' }}\n"
        "    victor: { role: viewer, password: '" + password_hash(PASSWORD) + "' }\n"
    )
    admin = f"admin:\n  remote: {{ {remote} }}\n"
    text = first_rule(lab.config(), REMOTE_RULE) + users + admin
    lab.apply(text)
    return text, lab.ask("show", "remote")["key"]


def test_session(lab):
    """A LAN host shows, applies and captures by `postern --host`, with a key and with a password;
    the wire has no name, rule or password in it (F59)."""
    admin = Admin(lab, lab.client, "alice")
    text, gateway_key = arrange(lab, admin.make_key())
    pin = ("--fingerprint", gateway_key)
    by_password = pin + ("--user", "alice", "--password-file", admin.password_file)
    path = lab.scratch("new.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("name: no-games", "name: no-toys"))
    with lab.sniff("inside", "tcp port 44333", snaplen=65535) as wire:
        told = admin.run("show", "rules", *pin)
        check(told.ok and "no-trojan" in told.out, told.out)
        told = admin.run("status", *by_password)
        check(told.ok, told.out)
        told = admin.run("apply", path, *pin)
        check(told.ok, told.out)
        told = admin.run("capture", "--where", "tcp and port 44333", "--count", "3", *pin)
        check(told.ok and LAN + ":44333" in told.out, told.out)
    check("no-toys" in lab.postern("show", "rules"), "it was not applied")
    check(" alice " in lab.postern("history"), lab.postern("history"))
    with open(wire.path, "rb") as file:
        seen = file.read()
    check(len(seen) > 20000, "the wire was not watched")
    for word in ("alice", "rules", "no-trojan", "no-toys", PASSWORD, "horse", "version", "command"):
        check(word.encode() not in seen, f"`{word}` is on the wire")


def test_live(lab):
    """The logs are followed, a packet is traced and the load is shown by `postern --host`; the
    audit log names who logged in and changed something, and from where (F59, F65)."""
    admin = Admin(lab, lab.client, "alice")
    _, gateway_key = arrange(lab, admin.make_key())
    pin = ("--fingerprint", gateway_key)
    look = json.loads(admin.run("--json", "top", "--once", *pin).out)
    check(look["workers"], f"{look}")
    follower = admin.start("log", "security", "-f", "--rule", "no-trojan", *pin)
    trace = admin.start("trace", "tcp and port 31337", "-n", "1", "--seconds", "20", *pin)
    wait_until(lambda: lab.ask("show", "captures")["captures"], 5, f"no trace: {trace.out()}")
    lab.client.run(f"nc -z -w 1 {WEB} 31337")
    wait_until(lambda: 'rule="no-trojan"' in follower.out(), 5, f"no line: {follower.out()}")
    follower.stop()
    check(trace.wait(20).ok and "no-trojan" in trace.out(), trace.out())
    check(admin.run("dns", "flush", *pin).ok, "no flush")
    audit = lab.postern("log", "audit", "-n", "50")
    who = r'who="alice" from="remote 192\.168\.1\.10:\d+" action='
    for line in (who + '"login" outcome=done detail="with a key, role admin"', who + '"dns flush"'):
        check(re.search(line, audit), f"not in the audit log: {line} {audit}")


def test_refusals(lab):
    """Refused: a wrong password, an unknown key of the client, a key of the gateway that is unknown
    or has changed, addresses that are not listed, the world outside; a viewer changes nothing; each
    log-in is in the log (F59, F61)."""
    admin = Admin(lab, lab.client, "alice")
    _, gateway_key = arrange(lab, admin.make_key())
    pin = ("--fingerprint", gateway_key)
    wrong = lab.scratch("wrong")
    with open(wrong, "w", encoding="utf-8") as file:
        file.write("incorrect 7!\n")
    other = Admin(lab, lab.client2, "other")
    other_key = other.make_key()
    for who, words, status, says in (
        (other, ("status", *pin), 4, "closed the connection"),
        (admin, ("status", *pin, "--user", "alice", "--password-file", wrong), 5, "wrong name or"),
        (admin, ("status", *pin, "--user", "nobody", "--password-file", wrong), 5, "wrong name or"),
        (admin, ("status", *pin, "--identity", other.home + "/postern/key"), 5, "opens nothing"),
        (admin, ("status",), 5, "is not known yet: " + gateway_key),
        (admin, ("status", "--fingerprint", other_key), 5, "not that of --fingerprint"),
    ):
        told = who.run(*words)
        check(told.status == status and says in told.out, f"{words}: {told.status} {told.out}")
    known = admin.home + "/known"
    with open(known, "w", encoding="utf-8") as file:
        file.write(f"# gateways\n{LAN}:44333 {other_key}\n")
    told = admin.run("status", "--known-hosts", known)
    check(told.status == 5 and "has changed" in told.out, told.out)
    check("remove line 2 of " + known in told.out, told.out)
    with open(known, "w", encoding="utf-8") as file:
        file.write(f"{LAN}:44333 {gateway_key}\n")
    check(admin.run("status", "--known-hosts", known).ok, "the known gateway is refused")
    viewer = ("--user", "victor", "--password-file", admin.password_file, *pin)
    check(admin.run("show", "rules", *viewer).ok, "a viewer may not look")
    told = admin.run("dns", "flush", *viewer)
    check(told.status == 5 and "takes the role operator" in told.out, told.out)
    told = lab.internet.run(f"nc -z -w 1 {GATEWAY} 44333")
    check(not told.ok, "it listens outside")
    with open(lab.directory + "/state/log/error.log", encoding="utf-8") as file:
        log = file.read()
    inside = r"from 192\.168\.1\.10:\d+: "
    for line in (
        "remote: alice " + inside + "refused, with a password: wrong name or password",
        "remote: somebody " + inside + "refused, with a key: nobody has the key ed25519:",
        r"remote: a connection from 192\.168\.1\.11:\d+ is refused: the address is not in admin",
        "remote: alice " + inside + "logged in with a key, role admin",
    ):
        check(re.search(line, log), f"not in the log: {line}")


def test_guessing(lab):
    """A hundred wrong log-ins: after some of them the guesser waits, then he is blocked, and one
    alert tells of it; the host that is excepted still gets in by the same name (F61)."""
    admin = Admin(lab, lab.client, "alice")
    text, gateway_key = arrange(lab, admin.make_key(), "from: [192.168.1.10, 192.168.1.11]")
    lockout = "users:\n  lockout: { delay: 100ms, exempt: 192.168.1.10 }\n"
    lab.apply(text.replace("users:\n", lockout))
    guesser = Admin(lab, lab.client2, "guesser")
    with open(guesser.password_file, "w", encoding="utf-8") as file:
        file.write("incorrect 7!\n")
    by_password = ("--fingerprint", gateway_key, "--user", "alice", "--password-file")
    told, alerts = [], lab.directory + "/state/log/alert.log"
    while len(told) < 100:
        guess = guesser.run("status", *by_password, guesser.password_file)
        if "closed the connection" in guess.out:
            time.sleep(0.1)  # more handshakes of one address than a second may have
            continue
        check(guess.status == 5, f"{guess.status} {guess.out}")
        told.append(guess.out)
    wrong = sum("wrong name or password" in one for one in told)
    later = sum("too many log-ins; try again later" in one for one in told)
    check(3 <= wrong < 10 and wrong + later == 100, f"{wrong} wrong, {later} later: {told}")
    check("alice" in lab.postern("user", "lockouts"), "no block is shown")
    check(admin.run("status", *by_password, admin.password_file).ok, "the excepted host is out")
    wait_until(lambda: os.path.exists(alerts), 5, "no alert")
    with open(alerts, encoding="utf-8") as file:
        lines = [line for line in file if "kind=login" in line]
    check(len(lines) == 1 and "alice is blocked after 10 wrong" in lines[0], str(lines))
    lab.postern("user", "unlock", "alice")


def test_shut_out(lab):
    """A change by `--host` that would end the session of who makes it goes on trial (C01)."""
    admin = Admin(lab, lab.client, "alice")
    text, gateway_key = arrange(lab, admin.make_key())
    pin = ("--fingerprint", gateway_key)
    path = lab.scratch("elsewhere.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("from: 192.168.1.10", "from: 192.168.1.99"))
    told = admin.run("plan", path, *pin)
    check("admin.remote.from would not list you" in told.out, told.out)
    told = admin.run("apply", path, *pin)
    check(told.status == 6 and "would not list you" in told.out, f"{told.status} {told.out}")
    check(not admin.run("status", *pin).ok, "still listed")
    lab.postern("revert")
    check(admin.run("status", *pin).ok, "not back")


def test_off(lab):
    """Nothing listens without an administrator; a session ends with its account (F60, F59)."""
    admin = Admin(lab, lab.client, "alice")
    lab.apply(first_rule(lab.config(), REMOTE_RULE) + "admin:\n  remote: {}\n")
    check("no account with the role admin" in lab.postern("status"), lab.postern("status"))
    told = admin.run("status")
    check(told.status == 4 and "refused" in told.out, told.out)
    _, gateway_key = arrange(lab, admin.make_key(), remote="port: 44333")
    pin = ("--fingerprint", gateway_key)
    running = admin.start("capture", "--where", "icmp", "--seconds", "30", *pin)
    try:
        while not lab.ask("show", "remote")["sessions"]:
            check(running.runs(), running.out())
        lab.apply(lab.config())
        told = running.wait(10)
        check(not told.ok and "44333" in told.out, told.out)
    finally:
        running.stop()
