#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs `postern login` of the built program against log-in pages that are played here, good and
hostile ones. Arguments: as of postern_test.py."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest

import postern_test
from login_page import (
    COOKIE, FORM, PASSWORD, REFRESH, STATE, Page, answer, make_certificate, send_for_ever,
    wrong,
)

OVER = "this log-in is over already; another one of this host may be there\n"


class LoginTest(unittest.TestCase):
    run_postern = postern_test.PosternTest.run_postern
    expect = postern_test.PosternTest.expect

    def setUp(self):
        # Where it is ignored (a job in the background), the program would ignore it, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        directory = tempfile.TemporaryDirectory(prefix="postern-login-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.certificate = self.directory + "/page.pem"
        self.fingerprint = make_certificate(self.certificate)
        self.password = self.directory + "/password"
        with open(self.password, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        os.mkdir(self.directory + "/runtime", 0o700)
        self.known = self.directory + "/config/postern/known_pages"
        self.page = self.start_page()

    def start_page(self, certificate=None):
        page = Page(certificate or self.certificate)
        self.addCleanup(page.close)
        return page

    def environment(self, authority=""):
        own = {"SSL_CERT_FILE": authority} if authority else {}
        return dict(os.environ, **own, TZ="UTC", HOME=self.directory,
                    XDG_CONFIG_HOME=self.directory + "/config",
                    XDG_RUNTIME_DIR=self.directory + "/runtime")

    def argv(self, *more, page=None, who=True):
        words = [postern_test.POSTERN, "login", (page or self.page).url(), *more]
        return words + (["--user", "anna", "--password-file", self.password] if who else [])

    def log_in(self, *more, page=None, who=True, authority=""):
        return subprocess.run(self.argv(*more, page=page, who=who), capture_output=True, text=True,
                              timeout=60, env=self.environment(authority),
                              stdin=subprocess.DEVNULL, check=False)

    def start(self, *more):
        process = subprocess.Popen(self.argv("--fingerprint", self.fingerprint, *more),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.environment(), stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def refused(self, code, text, *more, page=None, authority=""):
        result = self.log_in(*more, page=page, authority=authority)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(text, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertEqual(result.stdout, "")
        return result

    def pinned(self, code, text):
        return self.refused(code, text, "--fingerprint", self.fingerprint)

    def passwords(self, page=None):
        return [fields for _, _, fields in (page or self.page).asked if "password" in fields]

    def test_it_stays_until_a_signal_and_logs_out(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process = self.start()
                line = process.stdout.readline()
                self.assertRegex(line, r"^anna is logged in at 192\.168\.1\.10 until 20\d\d-")
                self.assertTrue(self.page.is_in)
                begun = time.monotonic()
                process.send_signal(number)
                self.assertEqual(process.wait(10), 0)
                self.assertLess(time.monotonic() - begun, 5)
                self.assertEqual(process.stdout.read(), "anna is logged out\n")
                self.assertFalse(self.page.is_in)

    def test_a_signal_before_the_verdict_leaves_nobody_logged_in(self):
        for more in ([], ["--once"]):
            asked = threading.Event()

            def late(connection, asked=asked):
                asked.set()
                time.sleep(0.5)
                self.page.is_in = True
                connection.sendall(answer(303, "", "Location: /",
                                          f"Set-Cookie: __Host-postern={COOKIE}; Path=/"))

            self.page.instead["POST /login"] = late
            process = self.start(*more)
            self.assertTrue(asked.wait(10))
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(10), 0)
            self.assertIn("anna is logged out", process.stdout.read())
            self.assertFalse(self.page.is_in)
            self.assertEqual(os.listdir(self.directory + "/runtime/postern") if more else [], [])

    def test_json_is_an_object_a_line(self):
        process = self.start("--json")
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 0)
        second = json.loads(process.stdout.read())
        self.assertRegex(first.pop("until"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(first, {"schema_version": 1, "event": "logged-in", "page": self.page.url(),
                                 "user": "anna", "address": "192.168.1.10", "idle_s": None,
                                 "fingerprint_sha256": self.fingerprint})
        self.assertEqual(second, {"schema_version": 1, "event": "logged-out",
                                  "page": self.page.url(), "user": "anna"})
        result = self.log_in("--json")
        self.assertEqual(result.returncode, 5)
        self.assertEqual(json.loads(result.stdout)["error"]["code"], "denied")
        self.assertEqual(result.stdout.count("\n"), 1)

    def test_it_keeps_the_log_in_alive_and_tells_when_it_is_over(self):
        self.page.state = REFRESH + STATE
        process = self.start("--json")
        self.assertIsNone(json.loads(process.stdout.readline())["until"])
        self.page.instead["GET /"] = lambda connection: None
        told = json.loads(process.stdout.readline())
        self.assertEqual(told["event"], "no-answer")
        del self.page.instead["GET /"]
        self.assertEqual(json.loads(process.stdout.readline())["event"], "logged-in")
        before, limit = len(self.page.asked), time.monotonic() + 20
        while len(self.page.asked) < before + 2 and time.monotonic() < limit:
            time.sleep(0.1)
        self.assertGreaterEqual(len(self.page.asked), before + 2)
        self.page.is_in = False
        self.assertEqual(process.wait(10), 1)
        self.assertIn("not logged in any more", json.loads(process.stdout.read())["error"]["text"])

    def test_an_unknown_certificate_is_told_nothing(self):
        result = self.refused(5, self.fingerprint)
        self.assertIn("--fingerprint", result.stderr)
        self.assertEqual(self.page.asked, [])
        other = "00" * 32
        self.refused(5, "not that of --fingerprint", "--fingerprint", other)
        make_certificate(self.directory + "/other.pem")
        self.refused(5, "not good by", "--ca", self.directory + "/other.pem")
        self.assertEqual(self.page.asked, [])

    def test_an_authority_vouches_for_its_own_name_alone(self):
        for form in (self.fingerprint, self.fingerprint.lower().replace(":", ""),
                     "sha256:" + self.fingerprint):
            self.assertEqual(self.log_in("--once", "--fingerprint", form).returncode, 0)
        self.assertEqual(self.log_in("--once", "--ca", self.certificate).returncode, 0)
        elsewhere = self.directory + "/elsewhere.pem"
        make_certificate(elsewhere, "IP:127.0.0.2,DNS:other.office")
        page = self.start_page(elsewhere)
        self.refused(5, "mismatch", "--ca", elsewhere, page=page)
        self.assertEqual(page.asked, [])

    def at_terminal(self, typed):
        """What was told, and the exit code; `typed`: pairs of what to wait for and what to type."""
        process, end = pty.fork()
        if process == 0:
            os.execve(postern_test.POSTERN,
                      ["postern", "login", self.page.url(), "--user", "anna", "--once"],
                      self.environment())
        told, limit = "", time.monotonic() + 30
        waiting = list(typed)
        while time.monotonic() < limit:
            if select.select([end], [], [], 1)[0]:
                try:
                    told += os.read(end, 4096).decode()
                except OSError:
                    break
            if waiting and waiting[0][0] in told:
                os.write(end, waiting.pop(0)[1].encode())
        os.close(end)
        return told, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def test_a_certificate_is_confirmed_once_and_refused_when_it_changes(self):
        told, code = self.at_terminal([("yes/no", "y\n")])
        self.assertEqual(code, 5, told)
        self.assertEqual(self.page.asked, [])
        typed = [("yes/no", "yes\n"), ("Password of anna", PASSWORD + "\n")]
        told, code = self.at_terminal(typed)
        self.assertEqual(code, 0, told)
        self.assertIn(self.fingerprint, told)
        self.assertNotIn(PASSWORD, told)
        told, code = self.at_terminal(typed[1:])
        self.assertEqual(code, 0, told)
        self.assertNotIn("yes/no", told)
        with open(self.known, encoding="utf-8") as file:
            self.assertEqual(file.read(), f"127.0.0.1:{self.page.port} sha256:{self.fingerprint}\n")
        make_certificate(self.directory + "/new.pem")
        self.page.context.load_cert_chain(self.directory + "/new.pem")
        before = len(self.page.asked)
        result = self.refused(5, "has changed")
        self.assertIn(f"remove line 1 of {self.known}", result.stderr)
        self.assertEqual(len(self.page.asked), before)
        self.refused(5, "has changed", authority=self.directory + "/new.pem")
        self.assertEqual(len(self.page.asked), before)
        os.remove(self.known)
        result = self.log_in("--once", authority=self.directory + "/new.pem")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_certificate_that_changes_meanwhile_ends_it(self):
        self.page.state = REFRESH + STATE
        process = self.start()
        process.stdout.readline()
        make_certificate(self.directory + "/new.pem")
        self.page.context.load_cert_chain(self.directory + "/new.pem")
        asked = len(self.page.asked)
        self.assertEqual(process.wait(10), 5)
        self.assertIn("nothing was told to it", process.stderr.read())
        self.assertLessEqual(len(self.page.asked), asked + 1)

    def test_a_refused_password_is_5_in_the_words_of_the_gateway(self):
        with open(self.password, "w", encoding="utf-8") as file:
            file.write("wrong\n")
        self.pinned(5, "wrong name or password & so?[31m")
        self.assertEqual(len(self.passwords()), 1)
        self.page.instead["POST /login"] = wrong("wait for 4 s", 429)
        self.pinned(5, "wait for 4 s")
        self.page.instead["POST /login"] = wrong("Too many log-ins at once", 503)
        self.pinned(1, "Too many log-ins at once")
        for text in ("", "\nsecond line", "x" * 1025):
            with open(self.password, "w", encoding="utf-8") as file:
                file.write(text)
            self.pinned(5, "the password is empty")

    def test_nobody_there_is_4(self):
        self.page.close()
        self.refused(4, "not reachable")
        result = subprocess.run([postern_test.POSTERN, "login", "no-such-host.invalid"],
                                capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 4)

    def test_time_is_bounded_however_slowly_a_head_comes(self):
        self.page.instead["GET /"] = send_for_ever(b"x", 0.2)
        begun = time.monotonic()
        self.pinned(4, "does not answer in time")
        self.assertLess(time.monotonic() - begun, 15)

    def test_answers_of_a_hostile_page_are_bounded(self):
        start = b"HTTP/1.1 200 OK\r\n"
        cases = {
            "its head is too long": send_for_ever(b"X-More: of this\r\n"),
            "no HTTP": b"SSH-2.0-nonsense\r\n" * 10,
            "it is too long": start + b"Content-Length: 100000000\r\n\r\n",
            "where it ends": start + b"\r\n" + FORM.encode(),
            "none yet": b"HTTP/1.1 100 Continue\r\n\r\n",
            "broke off": start + b"Content-Length: 100\r\n\r\n" + FORM.encode()[:50],
            "no log-in page": answer(200, "<html>something else"),
            "status 500": answer(500),
            "too busy": answer(503),
        }
        for text, told in cases.items():
            with self.subTest(text):
                if callable(told):
                    self.page.instead["GET /"] = lambda connection, told=told: (
                        connection.sendall(start), told(connection))
                else:
                    self.page.instead["GET /"] = told
                self.pinned(4 if text == "broke off" else 1, text)
        chunks = start + b"Transfer-Encoding: chunked\r\n\r\n"
        chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
        self.page.instead["GET /"] = lambda connection: (
            connection.sendall(chunks), send_for_ever(chunk)(connection))
        self.pinned(1, "it is too long")
        self.assertEqual(self.passwords(), [])

    def test_no_redirect_is_followed(self):
        other = self.start_page()
        for status in (301, 302, 303, 307, 308):
            self.page.instead["GET /"] = answer(status, "", f"Location: {other.url()}")
            self.pinned(1, "sends elsewhere")
        self.assertEqual(self.passwords(), [])
        del self.page.instead["GET /"]
        for status in (302, 303, 307):
            to = f"Location: {other.url()}login"
            cookie = f"Set-Cookie: __Host-postern={COOKIE}"
            self.page.instead["POST /login"] = answer(status, "", to, cookie)
            self.pinned(1, "sends elsewhere")
        self.assertEqual(len(self.passwords()), 3)
        self.assertEqual(other.asked, [])

    def test_no_tls_is_no_page(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                with client:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        result = subprocess.run(
            [postern_test.POSTERN, "login", f"127.0.0.1:{listener.getsockname()[1]}"],
            capture_output=True, text=True, check=False, timeout=60, env=self.environment())
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("no TLS", result.stderr)

    def test_once_keeps_the_log_in_for_out(self):
        pin = ("--fingerprint", self.fingerprint)
        kept = f"{self.directory}/runtime/postern/login-127.0.0.1:{self.page.port}"
        out = [*pin, "--out"]
        self.assertEqual(self.log_in(*out, who=False).returncode, 1)
        result = self.log_in(*pin, "--once")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("Ctrl-C", result.stdout)
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o600)
        self.assertTrue(self.page.is_in)
        result = self.log_in(*out, "--json", who=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["user"], "anna")
        self.assertFalse(self.page.is_in)
        self.assertFalse(os.path.exists(kept))
        self.assertEqual(self.log_in(*pin, "--once").returncode, 0)
        self.page.is_in = False
        result = self.log_in(*out, who=False)
        self.assertEqual((result.returncode, result.stdout), (0, OVER))
        os.chmod(self.directory + "/runtime", 0o755)
        asked = len(self.passwords())
        self.assertEqual(self.log_in(*pin, "--once").returncode, 1)
        self.assertEqual(len(self.passwords()), asked)

    def test_usage(self):
        secret = "https://anna:secret@127.0.0.1/"
        for words in (["http://127.0.0.1/"], [secret], ["https://127.0.0.1/login"], ["ftp://x"],
                      ["-"], ["https://"], ["https://127.0.0.1:0/"], ["https://127.0.0.1:65536/"],
                      ["127.0.0.1", "--once", "--out"], ["127.0.0.1", "--fingerprint", "AB:CD"],
                      ["127.0.0.1", "--ca", "x", "--fingerprint", "00" * 32],
                      ["127.0.0.1", "--out", "--user", "anna"], []):
            result = self.expect(2, "login", *words)
            self.assertEqual(result.stderr.count("\n"), 1, words)
            self.assertNotIn("secret", result.stderr)
        self.expect(2, "--host", "gateway", "login", "127.0.0.1")
        self.expect(1, "login", "127.0.0.1", "--ca", self.directory + "/missing.pem")

    def test_within_the_shell_it_is_refused(self):
        result = subprocess.run([postern_test.POSTERN, "--run-dir", self.directory, "shell"],
                                input="login 127.0.0.1\n", capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 5)
        self.assertIn("`login` is not for this shell", result.stderr)


if __name__ == "__main__":
    unittest.main()
