#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Watches changes on trial at a terminal. Arguments: as of postern_test.py."""

import contextlib
import os
import pty
import subprocess
import unittest

import postern_test


def read_all(terminal):
    """What comes from it until its other end is closed; closes it."""
    told = b""
    with contextlib.suppress(OSError):  # at its end
        while octets := os.read(terminal, 10000):
            told += octets
    os.close(terminal)
    return told.decode()


class TrialTest(unittest.TestCase):
    setUp = postern_test.PosternTest.setUp
    daemon = postern_test.PosternTest.daemon
    file = postern_test.PosternTest.file

    def watch(self, histories, typed=b""):
        """Watches a trial at a terminal; the daemon answers with each history in turn. What comes
        of it, and what the command asked for at last."""
        trial = {"digest": "d1", "seconds_left": 60}
        left = [postern_test.done({"trial": trial}), *histories]

        def answer(request):
            if request["command"] == "history":
                return left.pop(0) if len(left) > 1 else left[0]
            more = {"trial": trial} if request["command"] == "apply" else {}
            return postern_test.done({"text": "done", **more})
        daemon = self.daemon(answer)
        terminal, ours = pty.openpty()
        os.write(terminal, typed)
        environment = dict(os.environ, POSTERN_RUN_DIR=self.directory)
        command = [postern_test.POSTERN, "apply", self.file(postern_test.GOOD), "--confirm", "60s"]
        with subprocess.Popen(command, stdin=ours, stdout=subprocess.DEVNULL, stderr=ours,
                              env=environment) as running:
            code = running.wait(30)
        os.close(ours)
        told = read_all(terminal)
        daemon.close()
        os.unlink(self.directory + "/postern.sock")
        return code, told, daemon.requests[-1]

    def test_a_trial_is_watched_at_the_terminal(self):
        for word, command, exit_code in ((b"yes\n", "confirm", 0), (b"no\n", "revert", 6)):
            code, told, last = self.watch([], word)
            self.assertEqual(code, exit_code, told)
            self.assertIn("taken back in 1:00", told)
            self.assertEqual((last["command"], last["trial"]), (command, "d1"))

    def test_what_became_of_a_trial_is_told(self):
        confirmed = {"digest": "d1", "revisions": [{"digest": "d0"}, {"digest": "d1"}]}
        taken_back = {"digest": "d0", "revisions": [{"digest": "d0"}]}
        another = {**confirmed, "digest": "d2", "trial": {"digest": "d2", "seconds_left": 5}}
        busy = postern_test.refused("failed", "too busy")
        for histories, exit_code, text in (
                ([postern_test.done(confirmed)], 0, "somebody else has confirmed it"),
                ([postern_test.done(another)], 0, "somebody else has confirmed it"),
                ([postern_test.done(taken_back)], 6, "it was taken back"),
                ([busy, busy, postern_test.done(confirmed)], 0, "somebody else has confirmed it")):
            code, told, _ = self.watch(histories)
            self.assertEqual(code, exit_code, told)
            self.assertIn(text, told)
            self.assertEqual(told.count("too busy"), 1 if busy in histories else 0)


if __name__ == "__main__":
    unittest.main()
