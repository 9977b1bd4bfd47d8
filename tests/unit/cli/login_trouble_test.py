#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs `postern login` against a log-in page that breaks off, closes and comes late, or that is
told to end at a bad moment: nobody is left logged in behind. Arguments: as of postern_test.py."""

import json
import shutil
import signal
import socket
import struct
import threading
import time
import unittest

import login_test
from login_page import COOKIE, LEFT, REFRESH, STATE, answer

ACCEPTED = answer(303, "", "Location: /", f"Set-Cookie: __Host-postern={COOKIE}; Path=/")


class LoginTroubleTest(unittest.TestCase):
    setUp = login_test.LoginTest.setUp
    start_page = login_test.LoginTest.start_page
    environment = login_test.LoginTest.environment
    argv = login_test.LoginTest.argv
    log_in = login_test.LoginTest.log_in
    start = login_test.LoginTest.start
    refused = login_test.LoginTest.refused
    pinned = login_test.LoginTest.pinned

    def let_in(self, then):
        """The password is right, and the page is as `then` makes it."""

        def play(connection):
            self.page.is_in = True
            then()
            connection.sendall(ACCEPTED)

        self.page.instead["POST /login"] = play

    def breaks(self, told):
        def then():
            self.page.instead["GET /"] = told
        return then

    def event(self, process):
        line = process.stdout.readline()
        self.assertTrue(line, "no more events")
        return json.loads(line)["event"]

    def out(self, process):
        self.assertEqual(process.wait(15), 0)
        self.assertIn("logged-out", process.stdout.read())
        self.assertFalse(self.page.is_in)

    def test_a_page_that_fails_after_the_verdict_is_asked_again(self):
        for told in (lambda connection: None, answer(503), answer(500)):
            self.let_in(self.breaks(told))
            process = self.start("--json")
            self.assertEqual(self.event(process), "no-answer")
            self.assertTrue(self.page.is_in)
            del self.page.instead["GET /"]
            self.assertEqual(self.event(process), "logged-in")
            process.send_signal(signal.SIGINT)
            self.out(process)

    def test_a_signal_logs_out_who_was_never_seen(self):
        self.let_in(self.breaks(answer(503)))
        process = self.start("--json")
        self.assertEqual(self.event(process), "no-answer")
        del self.page.instead["GET /"]
        process.send_signal(signal.SIGINT)
        self.out(process)

    def test_once_leaves_a_log_in_that_was_never_seen_to_out(self):
        self.let_in(self.breaks(answer(503)))
        pin = ("--fingerprint", self.fingerprint)
        self.refused(1, "kept for --out", *pin, "--once")
        del self.page.instead["GET /"]
        result = self.log_in(*pin, "--out", who=False)
        self.assertEqual((result.returncode, result.stdout), (0, "anna is logged out\n"))
        self.assertFalse(self.page.is_in)

    def test_once_logs_out_again_what_it_cannot_keep(self):
        self.let_in(lambda: shutil.rmtree(self.directory + "/runtime"))
        result = self.log_in("--fingerprint", self.fingerprint, "--once")
        self.assertEqual(result.returncode, 1)
        self.assertIn("not kept", result.stderr)
        self.assertEqual(result.stdout, "anna is logged out\n")
        self.assertFalse(self.page.is_in)

    def slow_verdict(self, seconds):
        asked, go = threading.Event(), threading.Event()
        self.addCleanup(go.set)

        def play(connection):
            asked.set()
            go.wait(seconds)
            self.page.is_in = True
            connection.sendall(ACCEPTED)

        self.page.instead["POST /login"] = play
        process = self.start()
        self.assertTrue(asked.wait(10))
        process.send_signal(signal.SIGINT)
        self.assertIn("waits for the verdict", process.stderr.readline())
        return process

    def test_a_signal_waits_for_a_slow_verdict(self):
        process = self.slow_verdict(3)
        self.assertEqual(process.wait(20), 0, process.stderr.read())
        self.assertIn("anna is logged out", process.stdout.read())
        self.assertEqual(process.stderr.read(), "")
        self.assertFalse(self.page.is_in)

    def test_a_second_signal_does_not_wait_for_the_verdict(self):
        process = self.slow_verdict(18)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 1)
        self.assertLess(time.monotonic() - begun, 8)
        self.assertIn("anna may be logged in", process.stderr.read())

    def test_who_closes_before_tls_is_4(self):
        for is_reset in (False, True):
            listener = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(listener.close)

            def close_one(listener=listener, is_reset=is_reset):
                client, _ = listener.accept()
                client.recv(4096)
                if is_reset:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
                client.close()

            threading.Thread(target=close_one, daemon=True).start()
            page = self.page
            page.url = lambda listener=listener: f"https://127.0.0.1:{listener.getsockname()[1]}/"
            self.pinned(4, "closed the connection")

    def test_a_log_out_is_tried_again_while_connections_are_closed(self):
        process = self.start("--json")
        self.assertEqual(self.event(process), "logged-in")
        self.page.closes = 3
        process.send_signal(signal.SIGINT)
        self.out(process)
        self.assertEqual(self.page.closes, 0)

    def test_a_log_out_without_an_answer_is_asked_for(self):
        def play(_):
            self.page.is_in = False
            del self.page.instead["POST /logout"]

        self.page.instead["POST /logout"] = play
        process = self.start("--json")
        self.assertEqual(self.event(process), "logged-in")
        process.send_signal(signal.SIGINT)
        self.out(process)

    def test_the_time_that_was_told_ends_it_without_an_answer(self):
        self.page.state = REFRESH + STATE + LEFT.replace("3600", "1")
        process = self.start("--json")
        self.assertEqual(self.event(process), "logged-in")
        self.page.close()
        self.assertEqual(process.wait(30), 1)
        last = json.loads(process.stdout.read().strip().split("\n")[-1])
        self.assertIn("the time is over", last["error"]["text"])

    def test_signals_that_are_ignored_stay_so(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            process = self.start("--json")
        finally:
            signal.signal(signal.SIGHUP, before)
        self.assertEqual(self.event(process), "logged-in")
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.out(process)


if __name__ == "__main__":
    unittest.main()
