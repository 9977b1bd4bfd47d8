#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs `postern shell` of the built program: as a forced command, with lines on standard input, at
a terminal. Arguments: as of postern_test.py."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest

import postern_test

STATUS = {"name": "gw1", "state": "live", "generation": 7}


class Terminal:
    """`postern shell` at a terminal of its own."""

    def __init__(self, directory):
        self.process, self.end = pty.fork()
        if self.process == 0:
            environment = {"TERM": "xterm", "PATH": "/usr/bin:/bin"}
            os.execve(postern_test.POSTERN,
                      ["postern", "--run-dir", directory, "shell"], environment)
        self.told = ""

    def type(self, text):
        os.write(self.end, text.encode())

    def expect(self, pattern, seconds=20):
        """Waits until it has been printed behind what was expected before."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.told)):
            if not select.select([self.end], [], [], max(end - time.monotonic(), 0))[0]:
                raise AssertionError(f"{pattern!r} is not in {self.told!r}")
            try:
                self.told += os.read(self.end, 4096).decode(errors="replace")
            except OSError as over:
                raise AssertionError(f"{pattern!r} is not in {self.told!r}") from over
        self.told = self.told[match.end():]

    def exit_code(self):
        """Waits for its end."""
        end = time.monotonic() + 20
        while True:
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process != 0:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > end:
                os.kill(self.process, signal.SIGKILL)
                raise AssertionError(f"it goes on: {self.told!r}")
            if select.select([self.end], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.told += os.read(self.end, 4096).decode(errors="replace")

    def close(self):
        os.close(self.end)


class ShellTest(unittest.TestCase):
    setUp = postern_test.PosternTest.setUp
    daemon = postern_test.PosternTest.daemon
    file = postern_test.PosternTest.file

    def shell(self, line=None, stdin="", **environment):
        environment["PATH"] = "/usr/bin:/bin"
        if line is not None:
            environment["SSH_ORIGINAL_COMMAND"] = line
        return subprocess.run(
            [postern_test.POSTERN, "--run-dir", self.directory, "shell"], input=stdin,
            capture_output=True, text=True, timeout=60, env=environment, check=False)

    def terminal(self):
        terminal = Terminal(self.directory)
        self.addCleanup(terminal.close)
        return terminal

    def test_a_forced_command_runs_with_its_output_and_exit_code(self):
        daemon = self.daemon(postern_test.done({"sessions": [postern_test.SESSION], "total": 1}))
        for line in ("show sessions --json", "postern show sessions --json",
                     "--json show  sessions"):
            result = self.shell(line)
            self.assertEqual((result.returncode, result.stderr), (0, ""), line)
            self.assertEqual(json.loads(result.stdout)["total"], 1)
        self.shell("show sessions --host '192.168.1.10'")
        self.assertIn("192.168.1.10", json.dumps(daemon.requests[-1]))
        result = self.shell("check -", stdin=postern_test.BAD)
        self.assertEqual(result.returncode, 3)
        self.assertIn("lam", result.stderr)

    def test_the_daemons_refusal_is_told(self):
        text = "`apply` takes the role admin; yours is viewer"
        self.daemon(postern_test.refused("denied", text))
        result = self.shell("apply -", stdin=postern_test.GOOD)
        self.assertEqual(result.returncode, 5)
        self.assertIn(text, result.stderr)

    def test_bad_lines_run_nothing(self):
        mark = self.directory + "/mark"
        path = self.file(postern_test.GOOD)
        for code, line in (
            (2, "sh"), (2, "id"), (2, "/bin/sh -c id"), (2, f"status; touch {mark}"),
            (2, f"status | touch {mark}"), (2, f"$(touch {mark})"), (2, f"`touch {mark}`"),
            (2, "status 'open"), (2, 'status "open'), (2, "status \\"), (2, "status\nid"),
            (2, "status \x1b[2J"), (2, "a " * 300), (2, "a" * 70000), (2, ""),
            (2, "/usr/lib/openssh/sftp-server"), (2, "scp -t /tmp"), (2, "internal-sftp"),
            (5, "lab exec client sh"), (5, f"lab exec client touch {mark}"), (5, "shell"),
            (5, "key generate"), (5, "key show /etc/hostname"), (5, "completion bash"),
            (5, f"check {path}"), (5, f"explain --config={path} --in lan"), (5, f"plan {path}"),
            (5, f"apply {path}"), (5, f"diff {path} -"), (5, f"diff - {path}"),
            (5, f"capture -w {mark}"), (5, f"capture -w{mark}"), (5, f"capture --out={mark}"),
            (5, f"capture --out {mark} -n 1"), (2, f"capture -w - -w {mark}"),
            (5, "support-bundle"), (5, f"support-bundle {mark}"), (5, f"support-bundle -- {mark}"),
            (5, "support-bundle - --config /etc/shadow"), (5, "doctor --root /"),
            (5, f"user import --format passwd --shadow {path} -"), (5, f"lease import {path}"),
            (5, "user hash --mib 1000000"), (5, "--host 127.0.0.1 status"),
            (5, "status --user root"), (5, f"--run-dir {self.directory} status"),
            (5, f"status --password-file={path}"), (5, f"--known-hosts {mark} status"),
        ):
            result = self.shell(line, stdin=postern_test.GOOD)
            self.assertEqual(result.returncode, code, line + result.stdout + result.stderr)
            self.assertFalse(os.path.exists(mark), line)
            self.assertNotIn("uid=", result.stdout)

    def test_the_environment_is_no_way_in(self):
        daemon = self.daemon(postern_test.done(STATUS))
        tricks = {"PAGER": "id", "EDITOR": "id", "TERMINFO": self.directory, "HOME": self.directory,
                  "EDITRC": self.directory + "/editrc", "TMPDIR": self.directory, "TZ": ":/etc/x"}
        result = self.shell("--json status", **tricks)
        self.assertEqual(json.loads(result.stdout)["name"], "gw1")
        self.assertEqual(self.shell("status", POSTERN_RUN_DIR="/tmp").returncode, 2)
        self.assertEqual(len(daemon.requests), 1)

    def test_lines_of_standard_input_are_run_and_leave_the_rest(self):
        daemon = self.daemon(postern_test.done(STATUS))
        result = self.shell(stdin="# no\nstatus --json\n\n 'open\nexit\nstatus\n")
        self.assertEqual(json.loads(result.stdout)["generation"], 7)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(len(daemon.requests), 1)
        result = self.shell(stdin="check -\n" + postern_test.BAD)  # reads what is behind its line
        self.assertEqual(result.returncode, 3)

    def test_at_a_terminal(self):
        daemon = self.daemon(postern_test.done(STATUS))
        terminal = self.terminal()
        terminal.expect("gw1> ")
        terminal.type("help\n")
        terminal.expect("support-bundle")
        terminal.expect("gw1> ")
        terminal.type("stat\t--json\n")  # completed
        terminal.expect('"generation": 7')
        terminal.expect("gw1> ")
        terminal.type("show \t")  # what there is
        terminal.expect("sessions")
        terminal.expect("gw1> show ")
        terminal.type("\x03")  # gives the line up
        terminal.expect("gw1> ")
        terminal.type("la\t")  # not for this shell
        terminal.expect("la")
        terminal.type("\x03")
        terminal.expect("gw1> ")
        terminal.type("lab status\n")
        terminal.expect("not for this shell")
        terminal.expect("gw1> ")
        asked = len(daemon.requests)
        terminal.type("\x1b[A\x1b[A\n")  # the line before the last one, of the history
        terminal.expect('"generation": 7')
        self.assertEqual(len(daemon.requests), asked + 1)
        terminal.expect("gw1> ")
        terminal.type("\x04")
        self.assertEqual(terminal.exit_code(), 0)

    def test_an_interrupt_ends_the_command_and_not_the_shell(self):
        slow = lambda request: (time.sleep(3), postern_test.done(STATUS))[1]
        daemon = self.daemon(lambda request: postern_test.done(STATUS))
        terminal = self.terminal()
        terminal.expect("gw1> ")
        daemon.response = slow
        terminal.type("status\n")
        while len(daemon.requests) < 2:
            time.sleep(0.05)
        terminal.type("\x03")
        terminal.expect("gw1> ", seconds=2)
        terminal.type("exit\n")
        self.assertEqual(terminal.exit_code(), 128 + signal.SIGINT)

    def test_who_may_not_ask_gets_no_prompt(self):
        self.daemon(postern_test.refused("denied", "not permitted to administer this gateway"))
        terminal = self.terminal()
        terminal.expect("not permitted")
        self.assertEqual(terminal.exit_code(), 5)


if __name__ == "__main__":
    unittest.main()
