#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the built `postern`: exit codes, one-line errors, tables, JSON; a stand-in plays the daemon.
Arguments: the program, its manual page, README.md."""

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest

POSTERN, MANUAL, README = (sys.argv.pop(1) for _ in range(3))

GOOD = """version: 1
interfaces:
  wan: { port: kernel:enp1s0, zone: external, address: 203.0.113.2/24 }
  lan: { port: kernel:enp2s0, zone: internal, address: 192.168.1.1/24 }
filter:
  rules:
    - { name: out, in: lan, out: wan, action: permit }
"""
BAD = GOOD.replace("in: lan", "in: lam").replace("permit", "allow")

SESSION = {
    "protocol": "tcp", "state": "established", "in": "lan", "out": "wan",
    "original": {"source": "192.168.1.10:5000", "destination": "198.51.100.7:80"},
    "reply": {"source": "198.51.100.7:80", "destination": "203.0.113.2:5000"},
    "rule": "out", "age_s": 61, "expires_s": 7440,
    "original_packets": 3, "reply_packets": 4, "original_bytes": 100, "reply_bytes": 11,
}


class Daemon:
    """Answers every request of one connection after the other, with the same response or with what
    a function makes of it."""

    def __init__(self, directory, response):
        self.requests = []
        self.response = response
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(directory + "/postern.sock")
        self.socket.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        """Its thread must not wait on: the next socket has the same number."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                length = struct.unpack(">I", client.recv(4, socket.MSG_WAITALL))[0]
                self.requests.append(json.loads(client.recv(length, socket.MSG_WAITALL)))
                response = self.response
                with contextlib.suppress(BrokenPipeError):  # interrupted
                    client.sendall(response(self.requests[-1]) if callable(response) else response)


def frame(body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return struct.pack(">I", len(data)) + data


def done(result):
    return frame({"version": 1, "ok": True, "result": result})


def refused(code, text):
    return frame({"version": 1, "ok": False, "error": {"code": code, "text": text}})


class PosternTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="postern-test-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def daemon(self, response):
        daemon = Daemon(self.directory, response)
        self.addCleanup(daemon.close)
        return daemon

    def file(self, text):
        path = self.directory + "/gateway.yaml"
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def run_postern(self, *arguments):
        environment = dict(os.environ, POSTERN_RUN_DIR=self.directory, TZ="UTC")
        return subprocess.run([POSTERN, *arguments], capture_output=True, text=True, timeout=60,
                              env=environment, check=False)

    def expect(self, code, *arguments):
        result = self.run_postern(*arguments)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stderr}")
        return result

    def test_usage_errors_are_2_and_one_line(self):
        for arguments in ([], ["shwo"], ["show"], ["show", "sesions"], ["status", "now"],
                          ["status", "--jsn"], ["check"], ["show", "sessions", "--limit", "many"],
                          ["show", "mail", "queue", "--limit", "many"],
                          ["show", "sessions", "--protocol", "tpc"],
                          ["show", "mappings", "--protocol", "256"],
                          ["--run-dir"], ["completion", "fish"],
                          ["apply", "x", "--confirm", ""], ["apply", "x", "--confirm", "soon"],
                          ["apply", "x", "--confirm", "5m", "--no-confirm"],
                          ["apply", "x", "--detailed-exitcode"],
                          ["apply", "x", "--check", "--save"],
                          ["apply", "x", "--check", "--confirm", "5m"],
                          ["apply", "x", "--check", "--no-confirm"],
                          ["apply", "x", "--check", "--comment", ""],
                          ["rollback", "3", "--confirm", ""], ["rollback", "third"]):
            result = self.expect(2, *arguments)
            self.assertEqual(result.stderr.count("\n"), 1, arguments)
            self.assertEqual(result.stdout, "")

    def test_a_mistyped_command_gets_the_nearest_one(self):
        self.assertIn("did you mean `sessions`", self.expect(2, "show", "sesions").stderr)
        self.assertIn("did you mean `status`", self.expect(2, "statsu").stderr)
        self.assertIn("did you mean `--json`", self.expect(2, "status", "--jsn").stderr)

    def test_check_is_0_or_3_and_works_alone(self):
        self.expect(0, "check", self.file(GOOD))
        result = self.expect(3, "check", self.file(BAD))
        self.assertIn("gateway.yaml:7:", result.stderr)
        self.assertEqual(result.stderr.count("error:"), 2)
        self.expect(1, "check", self.directory + "/missing.yaml")
        found = json.loads(self.expect(3, "--json", "check", self.file(BAD)).stdout)
        self.assertEqual(found["schema_version"], 1)
        self.assertFalse(found["valid"])
        self.assertEqual(len(found["findings"]), 2)
        self.assertEqual(found["findings"][0]["line"], 7)

    def test_no_daemon_is_4(self):
        for arguments in (["status"], ["show", "rules"], ["apply", self.file(GOOD)]):
            self.assertEqual(self.expect(4, *arguments).stderr.count("\n"), 1)
        answer = json.loads(self.expect(4, "--json", "status").stdout)
        self.assertEqual(answer["error"]["code"], "unavailable")

    def test_refusals_keep_their_codes(self):
        for code, exit_code in (("failed", 1), ("invalid", 3), ("unavailable", 4), ("denied", 5),
                                ("exhausted", 1), ("no such word", 1)):
            with self.subTest(code):
                daemon = self.daemon(refused(code, "not now"))
                self.assertEqual(self.expect(exit_code, "status").stderr, "postern: not now\n")
                self.expect(exit_code, "apply", self.file(GOOD))
                daemon.close()
                os.unlink(self.directory + "/postern.sock")

    def test_a_daemon_that_talks_nonsense_is_an_error(self):
        for response in (b"", b"\0\0", b"\0\0\0\0", b"\xff\xff\xff\xff", frame(b"nonsense"),
                         frame([]), frame({"ok": "yes"}), frame({"ok": True, "result": 7})):
            with self.subTest(response):
                daemon = self.daemon(response)
                result = self.run_postern("status")
                self.assertIn(result.returncode, (1, 4))
                self.assertEqual(result.stderr.count("\n"), 1)
                daemon.close()
                os.unlink(self.directory + "/postern.sock")

    def test_sessions_are_a_table_or_json(self):
        daemon = self.daemon(done({"since": "2026-03-01T08:00:00Z", "matching": 3, "shown": 1,
                                   "sessions": [SESSION]}))
        lines = self.expect(0, "show", "sessions", "--host", "192.168.1.10").stdout.splitlines()
        self.assertEqual(daemon.requests[0], {"command": "show sessions", "host": "192.168.1.10",
                                              "protocol": "", "limit": 100, "version": 1})
        self.assertTrue(lines[0].startswith("PROTO  STATE"))
        for text in ("192.168.1.10:5000 > 198.51.100.7:80", "198.51.100.7:80 > 203.0.113.2:5000",
                     "out", "1m01s", "2h04m", " 7 ", "111"):
            self.assertIn(text, lines[1])
        self.assertEqual(lines[2], "2 more; see --limit")
        self.assertEqual(len(self.expect(0, "show", "sessions", "--no-header").stdout.splitlines()),
                         1)
        answer = json.loads(self.expect(0, "show", "sessions", "--json").stdout)
        self.assertEqual(list(answer)[0], "schema_version")
        self.assertEqual(answer["sessions"], [SESSION])

    def test_the_mail_queue_is_shown_up_to_a_limit(self):
        daemon = self.daemon(done({"total": 3, "messages": [
            {"id": "1", "arrived": None, "bytes": 7, "from": "", "waiting": 1}]}))
        lines = self.expect(0, "show", "mail", "queue", "--limit", "1").stdout.splitlines()
        self.assertEqual(daemon.requests[0], {"command": "show mail", "what": "queue", "limit": 1,
                                              "version": 1})
        self.assertEqual(lines[-1], "1 of 3 messages; see --limit")

    def test_what_is_shown_is_not_sought_in_vain_where_it_is_changed(self):
        for word in ("queue", "list"):
            error = self.expect(2, "mail", word).stderr
            self.assertIn(f"no command `postern mail {word}`; did you mean `postern show mail`?",
                          error)
        self.assertIn("`postern show mail queue`", self.expect(0, "mail", "--help").stdout)

    def test_protocols_have_names_and_numbers(self):
        self.daemon(done({"since": "2026-03-01T08:00:00Z", "matching": 0, "shown": 0,
                          "sessions": []}))
        for protocol in ("tcp", "icmp", "esp", "47"):
            self.expect(0, "show", "sessions", "--protocol", protocol)

    def test_answers_that_were_forgotten_are_counted(self):
        daemon = self.daemon(done({"flushed": 1}))
        self.assertEqual(self.expect(0, "dns", "flush").stdout, "1 answer forgotten\n")
        daemon.response = done({"flushed": 2})
        self.assertEqual(self.expect(0, "dns", "flush").stdout, "2 answers forgotten\n")

    def test_counters_say_since_when(self):
        self.daemon(done({"since": "2026-03-01T08:00:00Z", "drops": [
            {"reason": "no_route", "packets": 5, "source": "RFC 1812", "help": "no route"}]}))
        lines = self.expect(0, "show", "drops").stdout.splitlines()
        self.assertEqual(lines[1], "no_route        5  RFC 1812  no route")
        self.assertEqual(lines[2], "counters since 2026-03-01 08:00:00 +0000")

    def test_apply_sends_the_text_and_shows_what_is_wrong(self):
        daemon = self.daemon(frame({"version": 1, "ok": False, "error": {
            "code": "invalid", "text": "2 errors", "findings": [
                {"severity": "error", "line": 7, "column": 3, "path": "filter", "text": "bad"}]}}))
        path = self.file(GOOD)
        result = self.expect(3, "apply", path)
        self.assertEqual(daemon.requests[0]["text"], GOOD)
        self.assertFalse(daemon.requests[0]["save"])
        self.assertEqual(result.stderr,
                         f"{path}:7:3: error: filter: bad\npostern: 2 errors\n")

    def test_what_was_not_saved_is_1(self):
        daemon = self.daemon(done({"changed": True, "text": "in force", "saved": True}))
        self.expect(0, "apply", self.file(GOOD), "--save")
        self.assertTrue(daemon.requests[0]["save"])
        daemon.response = done({"changed": True, "text": "in force, not saved", "saved": False})
        self.assertEqual(self.expect(1, "apply", self.file(GOOD), "--save").stdout,
                         "in force, not saved\n")
        self.expect(1, "confirm")
        self.expect(1, "lease", "reserve", "192.168.1.20")

    def test_apply_with_a_difference_is_one_json_document(self):
        def answer(request):
            is_text = request["command"] == "show config"
            return done({"text": GOOD.replace("out,", "all,") if is_text else "in force"})
        daemon = self.daemon(answer)
        path = self.file(GOOD)
        answered = json.loads(self.expect(0, "--json", "apply", "--diff", path).stdout)
        self.assertEqual(answered["text"], "in force")
        self.assertIn("+    - { name: out, in: lan", answered["diff"])
        lines = self.expect(0, "apply", "--diff", path).stdout.splitlines()
        self.assertEqual(lines[:2], ["--- in force", "+++ " + path])
        daemon.response = refused("failed", "no such revision")
        for command in (("apply", "--diff", path), ("diff", path), ("diff", "0", path),
                        ("show", "config", "--revision", "0")):
            result = self.expect(1, *command)
            self.assertEqual((result.stdout, result.stderr), ("", "postern: no such revision\n"))
        self.assertEqual(daemon.requests[-1]["revision"], 0)

    def test_doctor_examines_a_machine_without_a_daemon(self):
        root = self.directory + "/root"
        os.makedirs(root + "/etc/postern")
        os.makedirs(root + "/proc/sys/net/ipv4")
        with open(root + "/etc/postern/gateway.yaml", "w", encoding="utf-8") as file:
            file.write(GOOD)
        os.chmod(root + "/etc/postern/gateway.yaml", 0o640)
        with open(root + "/proc/sys/net/ipv4/ip_forward", "w", encoding="utf-8") as file:
            file.write("1\n")
        told = json.loads(self.expect(1, "--json", "doctor", "--root", root).stdout)
        health = {f["check"]: f["health"] for f in told["findings"]}
        self.assertEqual((health["ip_forward"], health["port wan"]), ("FAIL", "FAIL"))
        self.assertEqual((health["configuration"], health["permissions"]), ("OK", "OK"))
        self.assertIn("sysctl -w net.ipv4.ip_forward=0",
                      self.expect(1, "doctor", "--root", root).stdout)

    def test_a_support_bundle_has_no_secret(self):
        secrets = ["planted-%d" % i for i in range(6)]
        config = self.file(GOOD + "admin:\n"
                           f"  password: {secrets[0]}  # {secrets[1]}\n"
                           f"  users: [ {{ name: a, hash: \"$argon2id${secrets[2]}\" }} ]\n"
                           f"  key: |\n    -----BEGIN KEY-----\n    {secrets[3]}\n")
        os.makedirs(self.directory + "/log")
        with open(self.directory + "/log/error.log", "w", encoding="utf-8") as file:
            file.write(f"first line\nlog-in with token={secrets[4]}\n")
        self.daemon(done({"name": "gw", "api_token": secrets[5]}))
        bundle = self.directory + "/bundle.tar.gz"
        listed = self.expect(0, "support-bundle", bundle, "--config", config, "--state-dir",
                             self.directory).stdout
        with tarfile.open(bundle) as archive:
            texts = {m.name.split("/", 1)[1]: archive.extractfile(m).read().decode()
                     for m in archive.getmembers() if m.isfile()}
        for name in texts:
            self.assertIn(name, listed)
        self.assertIn("first line", texts["log/error.log"])
        self.assertIn("in: lan, out: wan", texts["configuration.yaml"])
        self.assertIn('"name": "gw"', texts["daemon/status.json"])
        for secret in secrets:
            self.assertNotIn(secret, "".join(texts.values()))
        self.assertEqual(os.stat(bundle).st_mode & 0o077, 0)

    def test_top_without_a_terminal_prints_tables(self):
        look = {"time_ns": 1, "name": "gw", "sessions": 1, "sessions_max": 2, "workers": [],
                "interfaces": [{"name": "lan", "link": "up", "rx_bytes": 5}], "rules": [],
                "drops": [], "talkers": []}
        self.daemon(done(look))
        text = self.expect(0, "top", "--once").stdout
        self.assertTrue("interfaces" in text and "\x1b" not in text, text)
        self.assertEqual(json.loads(self.expect(0, "--json", "top", "--once").stdout)
                         ["interfaces"][0]["rx_bytes_per_s"], 0)
        self.expect(2, "top", "--interval", "0")

    def test_the_schema_and_the_completion_are_printed(self):
        schema = json.loads(self.expect(0, "config", "schema").stdout)
        self.assertIn("properties", schema)
        script = self.expect(0, "completion", "bash").stdout
        self.assertIn("sessions", script)
        check = subprocess.run(["bash", "-n"], input=script, text=True, check=False)
        self.assertEqual(check.returncode, 0)

    def complete(self, *words):
        script = self.run_postern("completion", "bash").stdout
        script += f"COMP_WORDS=({' '.join(repr(w) for w in words)})\n"
        script += f"COMP_CWORD={len(words) - 1}\n_postern\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        return subprocess.run(["bash"], input=script, text=True, capture_output=True,
                              check=False).stdout.split()

    def test_completion_knows_commands_and_options(self):
        self.assertIn("status", self.complete("postern", "st"))
        self.assertEqual(self.complete("postern", "show", "sess"), ["sessions"])
        self.assertIn("--host", self.complete("postern", "show", "sessions", "--"))
        self.assertIn("sessions", self.complete("postern", "--run-dir", "/x", "show", ""))

    def test_the_manual_names_every_command_and_option(self):
        texts = []
        for path in (MANUAL, README):
            with open(path, encoding="utf-8") as file:
                texts.append(re.sub(r"[*_]", " ", file.read()))  # without markup
        manual, readme = texts
        script = self.run_postern("completion", "bash").stdout
        case = r"^    '([^']*)'(?:\|'[^']* '\*)?\) offered='(.*)' ;;$"
        cases = re.findall(case, script, re.MULTILINE)
        self.assertGreater(len(cases), 20)
        for path, words in cases:
            for word in words.split():
                if path.startswith(" lab ") or (path and word == "--help"):
                    continue  # `postern lab --help` explains these
                with self.subTest(path=path, word=word):
                    whole_word = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
                    self.assertTrue(re.search(whole_word, manual), "not in the manual page")
                    if not word.startswith("-"):
                        self.assertTrue(re.search(whole_word, readme), "not in README.md")

    def test_help_and_version_are_0(self):
        self.assertIn("show", self.expect(0, "--help").stdout)
        self.assertIn("--limit", self.expect(0, "show", "sessions", "--help").stdout)
        self.assertTrue(self.expect(0, "version").stdout.startswith("postern "))
        self.assertIn("version", json.loads(self.expect(0, "--json", "version").stdout))


if __name__ == "__main__":
    unittest.main()
