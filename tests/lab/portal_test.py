# SPDX-License-Identifier: BSD-3-Clause
"""Rules for users: people log in at the gateway's page, and what only they may ends with it."""

import json
import os
import re
import signal
import subprocess
import time

from lab import HERE, POSTERN, check, wait_until

PASSWORD = "correct-horse1"
PAGE = "https://192.168.1.1:4443"
SERVER = "10.9.0.10"
PORT = 4430
NOBODY = 65534
SERVE = f"""
import socket, threading
def talk(connection):
    while True:
        data = connection.recv(100)
        if not data:
            return
        connection.sendall(data)
listener = socket.create_server(("{SERVER}", {PORT}))
while True:
    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
"""
# Sends a line every 50 ms and prints when the last answer came, until nothing comes for a second.
TALK = f"""
import socket, time
connection = socket.create_connection(("{SERVER}", {PORT}), 2)
connection.settimeout(1)
try:
    while True:
        connection.sendall(b"x")
        connection.recv(100)
        print(time.time(), flush=True)
        time.sleep(0.05)
except OSError:
    print("over", flush=True)
"""


def config(lab, more=""):
    done = subprocess.run([POSTERN, "passwd-hash", "--mib", "19"], input=PASSWORD + "\n",
                          capture_output=True, text=True, timeout=60, check=False)
    secret = re.search(r"\$argon2id\S+", done.stdout)
    check(secret, f"no hash: {done.stdout}{done.stderr}")
    head, _ = lab.plain_config().split("filter:\n", 1)
    return head + f"""
services:
  portal: {{ port: 4443{more} }}
users:
  lockout: {{ free_attempts: 3, delay: 100ms }}
  accounts:
    anna: {{ password: "{secret[0]}", groups: [hr] }}
    bert: {{ password: "{secret[0]}" }}
  groups: {{ hr: {{}} }}
filter:
  rules:
    - {{ name: hr, in: lan, to: 10.9.0.0/24, service: tcp/{PORT}, users: "group:hr",
        action: permit, log: true }}
"""


class Browser:
    """curl with a jar for its cookie."""

    def __init__(self, lab, host, name=""):
        self.host = host
        self.jar = lab.scratch("cookies-" + host.name + name)
        self.body = ""

    def ask(self, path, *fields, headers=()):
        """The status; the page is in `body` then."""
        argv = ["curl", "-sk", "-m", "8", "-b", self.jar, "-c", self.jar, "-w", "\n%{http_code}"]
        for field in fields:
            argv += ["--data-urlencode", field]
        for header in headers:
            argv += ["-H", header]
        out = self.host.run(argv + [PAGE + path], timeout=10).out
        self.body, _, status = out.rpartition("\n")
        return status.strip()

    def token(self):
        self.ask("/")
        found = re.search(r'name="token" value="(\w+)"', self.body)
        check(found, f"no form: {self.body}")
        return "token=" + found[1]

    def log_in(self, user="anna", password=PASSWORD):
        return self.ask("/login", self.token(), "user=" + user, "password=" + password)

    def log_out(self):
        return self.ask("/logout", self.token())


class Person:
    """An ordinary user of a host, who has `postern` and no browser."""

    def __init__(self, lab, host):
        self.host = host
        self.home = lab.scratch("home-" + host.name)
        self.password = self.home + "/password"
        os.mkdir(self.home, 0o700)
        self.say(PASSWORD)
        os.chown(self.home, NOBODY, NOBODY)

    def say(self, password):
        with open(self.password, "w", encoding="utf-8") as file:
            file.write(password + "\n")
        os.chown(self.password, NOBODY, NOBODY)

    def argv(self, *words):
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        # A signal that whoever runs this ignores would stay ignored.
        own = ["env", "--default-signal=INT", "-u", "XDG_CONFIG_HOME"]
        home = ["HOME=" + self.home, "XDG_RUNTIME_DIR=" + self.home]
        return user + own + home + [POSTERN, "login", PAGE + "/", *words]

    def log_in(self, *words, user="anna"):
        return self.argv(*words, "--user", user, "--password-file", self.password)


def opens(host):
    return host.run(f"nc -z -w 1 {SERVER} {PORT}").ok


def logins(lab):
    return {row["address"]: row["user"] for row in lab.ask("show", "logins")["logins"]}


def serve(lab):
    return lab.dmz.serve(["/usr/bin/python3", "-c", SERVE], PORT)


def test_user_rule(lab):
    """The rule of a group opens for the host where a member logs in, for no other host and nobody
    else; log-out cuts a live session within a second; a reload logs nobody out (F27)."""
    text = config(lab)
    lab.apply(text)
    with serve(lab):
        browser = Browser(lab, lab.client)
        check(not opens(lab.client), "open without a log-in")
        check(browser.log_in(password="wrong") == "403", f"wrong password: {browser.body}")
        check(not opens(lab.client), "open after a wrong password")
        check(browser.log_in("bert") == "303", f"bert: {browser.body}")
        check(not opens(lab.client), "open for bert, who is not in the group")
        check(browser.log_out() == "303" and logins(lab) == {}, f"logged out: {logins(lab)}")
        check(browser.log_in() == "303", f"anna: {browser.body}")
        check(logins(lab) == {"192.168.1.10": "anna"}, f"logins: {logins(lab)}")
        check(opens(lab.client), "closed after the log-in")
        check(not opens(lab.client2), "open for another PC")
        lab.apply(text.replace("name: hr, in", "name: hr2, in"))
        check(opens(lab.client), "a reload logged anna out")
        talk = lab.client.start(["/usr/bin/python3", "-c", TALK])
        wait_until(lambda: talk.out().count("\n") > 3, 5, "no talk")
        rows = [row for row in lab.ask("show", "sessions", "--host", SERVER)["sessions"]
                if row["user"] == "anna"]
        check(rows, "no session of anna")
        begun = time.time()
        check(browser.log_out() == "303", f"log-out: {browser.body}")
        wait_until(lambda: "over" in talk.out(), 5, "the session lives")
        last = float(talk.out().split()[-2])
        check(last - begun < 1, f"it went on for {last - begun:.1f} s")
        check(not opens(lab.client), "open after the log-out")
        lines = [line for line in lab.security_log() if 'user="anna"' in line]
        check(any("action=permit" in line for line in lines), f"no user in the log: {lines}")
        audit = lab.postern("log", "audit", "-n", "50")
        for line in ('who="anna" from="portal 192.168.1.10" action="login" outcome=refused',
                     'who="anna" from="portal 192.168.1.10" action="login" outcome=done'):
            check(line in audit, f"not in the audit log: {line} {audit}")
        check(any("action=end" in line for line in lines), f"no end in the log: {lines}")


def test_login_by_command(lab):
    """An ordinary user without a browser logs in by `postern login`, which keeps the log-in alive;
    the rule opens, and Ctrl-C cuts the live session within a second (F27)."""
    lab.apply(config(lab, ", heartbeat: 5s, absolute_timeout: 1h"))
    person = Person(lab, lab.client)
    fingerprint = lab.ask("show", "logins")["fingerprint_sha256"]
    with serve(lab):
        refused = lab.client.run(person.log_in())
        check(refused.status == 5 and fingerprint in refused.out, f"not pinned: {refused.out}")
        pin = ("--fingerprint", fingerprint)
        person.say("wrong")
        wrong = lab.client.run(person.log_in(*pin))
        check(wrong.status == 5 and "wrong" in wrong.out, f"a wrong password: {wrong.out}")
        check(logins(lab) == {} and not opens(lab.client), "open after a wrong password")
        person.say(PASSWORD)
        stay = lab.client.start(person.log_in(*pin, "--json"))
        wait_until(lambda: "\n" in stay.out(), 5, f"not logged in: {stay.out()}")
        told = json.loads(stay.out())
        check((told["user"], told["address"]) == ("anna", "192.168.1.10"), f"told: {told}")
        check(logins(lab) == {"192.168.1.10": "anna"}, f"logins: {logins(lab)}")
        talk = lab.client.start(["/usr/bin/python3", "-c", TALK])
        wait_until(lambda: talk.out().count("\n") > 3, 5, "no talk")
        time.sleep(7)  # longer than the page waits for a browser
        check(stay.runs() and "over" not in talk.out(), f"it was not kept alive: {stay.out()}")
        begun = time.time()
        stay.process.send_signal(signal.SIGINT)
        ended = stay.wait(5)
        check(ended.status == 0 and '"logged-out"' in ended.out, f"it ended so: {ended.out}")
        wait_until(lambda: "over" in talk.out(), 5, "the session lives")
        last = float(talk.out().split()[-2])
        check(last - begun < 1, f"it went on for {last - begun:.1f} s")
        check(logins(lab) == {} and not opens(lab.client), "open after the log-out")


def test_login_by_command_ends(lab):
    """`postern login` says so when an administrator ends the log-in; --once leaves it to --out; a
    gateway with another certificate is told nothing (F27)."""
    lab.apply(config(lab, ", heartbeat: 5s"))
    person = Person(lab, lab.client)
    ca = person.home + "/gateway.pem"
    with open(lab.directory + "/state/portal/certificate.pem", encoding="utf-8") as own:
        with open(ca, "w", encoding="utf-8") as file:
            file.write(own.read())
    stay = lab.client.start(person.log_in("--ca", ca))
    wait_until(lambda: "is logged in" in stay.out(), 8, f"not logged in: {stay.out()}")
    lab.postern("logout", "anna")
    ended = stay.wait(5)
    check(ended.status == 1 and "not logged in any more" in ended.out, f"it ended so: {ended.out}")
    lab.apply(config(lab))
    lab.client.must(person.log_in("--ca", ca, "--once"))
    check(logins(lab) == {"192.168.1.10": "anna"}, f"logins: {logins(lab)}")
    lab.client.must(person.argv("--ca", ca, "--out"))
    check(logins(lab) == {}, f"not logged out: {logins(lab)}")

    known = person.home + "/.config/postern/known_pages"
    fingerprint = lab.ask("show", "logins")["fingerprint_sha256"]
    os.makedirs(os.path.dirname(known))
    with open(known, "w", encoding="utf-8") as file:
        file.write(PAGE.removeprefix("https://") + " sha256:" + fingerprint + "\n")
    lab.client.must(f"chown -R {NOBODY} {person.home}/.config")
    lab.client.must(person.log_in("--once"))
    lab.client.must(person.argv("--out"))
    folder = lab.directory + "/state/portal/"
    for name in ("certificate.pem", "key.pem"):
        os.remove(folder + name)
    text = config(lab)
    lab.apply(text)
    check(lab.ask("show", "logins")["fingerprint_sha256"] != fingerprint, "the same certificate")
    requests = lab.ask("show", "logins")["counters"]["requests"]
    changed = lab.client.run(person.log_in("--once"))
    check(changed.status == 5 and "has changed" in changed.out, f"another one: {changed.out}")
    counters = lab.ask("show", "logins")["counters"]
    check(counters["requests"] == requests, f"it was asked something: {counters}")


def test_somebody_else(lab):
    """Where another user logs in at a host, the sessions of the one before end, and the log names
    who that was (F27)."""
    lab.apply(config(lab))
    with serve(lab):
        check(Browser(lab, lab.client).log_in() == "303", "anna does not get in")
        talk = lab.client.start(["/usr/bin/python3", "-c", TALK])
        wait_until(lambda: talk.out().count("\n") > 3, 5, "no talk")
        begin = len(lab.security_log())
        check(Browser(lab, lab.client, "bert").log_in("bert") == "303", "bert does not get in")
        wait_until(lambda: "over" in talk.out(), 5, "the session lives")
        check(logins(lab) == {"192.168.1.10": "bert"}, f"logins: {logins(lab)}")

        def ends():
            return [line for line in lab.security_log()[begin:] if "action=end" in line]

        wait_until(ends, 3, "no end in the log")
        check(all('user="anna"' in line for line in ends()), f"whose session was it? {ends()}")


def test_login_ends(lab):
    """Time-outs, an administrator and a new password end a log-in; forms of other sites are
    refused, and nobody outside reaches the page (F27)."""
    limits = ", idle_timeout: 0s, absolute_timeout: 5s"
    lab.apply(config(lab, limits))
    browser = Browser(lab, lab.client)
    token = browser.token()
    fields = [token, "user=anna", "password=" + PASSWORD]
    check(browser.ask("/login", *fields, headers=["Origin: https://evil.example"]) == "403",
          "a form of another site was taken")
    check(browser.ask("/login", *fields[1:]) == "403", "a form without a token was taken")
    check(logins(lab) == {}, f"logins: {logins(lab)}")
    check(browser.log_in() == "303", f"anna: {browser.body}")
    lab.postern("logout", "anna")
    check(logins(lab) == {}, "an administrator could not log out anna")
    check(browser.log_in() == "303", f"anna: {browser.body}")
    lab.apply(config(lab, limits))  # hashed anew: with another salt, so another password
    check(logins(lab) == {}, "a new password left anna logged in")
    check(browser.log_in() == "303", f"anna: {browser.body}")
    wait_until(lambda: logins(lab) == {}, 8, "the longest time does not end")
    outside = lab.internet.run("curl -sk -m 1 https://203.0.113.2:4443/")
    check(not outside.ok, "the page is seen from outside")


def test_login_in_a_browser(lab):
    """A real browser (Chromium) shows the form, logs in by it, and logs out, which cuts a live
    session within a second (F27)."""
    lab.apply(config(lab))
    with serve(lab):
        argv = lab.client.argv(["/usr/bin/python3", "-B", HERE + "/portal_chromium.py", PAGE + "/",
                                "anna", PASSWORD, lab.scratch("chromium")])
        browser = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            lines = [browser.stdout.readline().strip() for _ in range(3)]
            check(lines[:2] == ["title Log in", "title Logged in"], f"the browser saw {lines}")
            check("anna" in lines[2] and "192.168.1.10" in lines[2], f"the page: {lines}")
            check(opens(lab.client), "closed after the log-in")
            talk = lab.client.start(["/usr/bin/python3", "-c", TALK])
            wait_until(lambda: talk.out().count("\n") > 3, 5, "no talk")
            browser.stdin.write("\n")
            browser.stdin.flush()
            check(browser.stdout.readline().strip() == "title Log in", "not logged out")
            out = time.time()
            wait_until(lambda: "over" in talk.out(), 5, "the session lives")
            last = float(talk.out().split()[-2])
            check(last - out < 1, f"it went on for {last - out:.1f} s")
            check(not opens(lab.client), "open after the log-out")
        finally:
            browser.stdin.close()
            browser.terminate()
            browser.wait(20)
