#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The benches' own parts, and one short run through every work of the pipeline bench.

Usage: bench_test.py BUILD-DIRECTORY
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import bench  # noqa: E402
import http_bench  # noqa: E402
import mail_bench  # noqa: E402
import pipeline  # noqa: E402
import results  # noqa: E402

BUILD = ""
WORKS = ["outbound", "inbound", "mixed", "new_session", "denied", "denied_logged", "reload",
         "flooded"]

CALLGRIND = """events: Ir
fl=(1) ../src/dataplane/nat/rewrite.cc
fn=(1) postern::apply
10 30
fi=(2) ../src/base/endian.h
12 5
cfi=(3) ../src/dataplane/wire/checksum.cc
cfn=(2) postern::sum
calls=2 40
13 700
fe=(1)
+4 15
"""


def run(*words, before=()):
    """What ./dev bench prints, as (exit code, text)."""
    done = subprocess.run([*before, os.path.join(HERE, "bench.py"), BUILD, *words],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Pipeline(unittest.TestCase):
    def test_every_work_runs_and_checks_its_packets(self):
        program = os.path.join(BUILD, "tests/bench/postern_bench_pipeline")
        rows = list(results.rows_of([program, "--work", ",".join(WORKS), "--sessions", "1,1024",
                                     "--rules", "10", "--packets", "2048", "--rounds", "1"]))
        self.assertEqual(rows[0].keys(), {"tsc_hz"})
        done = [(row["sessions"], row["work"]) for row in rows[1:]]
        self.assertEqual(done, [(n, work) for n in (1, 1024) for work in WORKS])
        for row in rows[1:]:
            self.assertEqual(row["packets"] + row["interrupted"], 2048, row)
            self.assertEqual("times_control" in row, row["work"] == "flooded", row)

    def test_frames_of_any_length(self):
        code, text = run("pipeline", "--work", "mixed", "--sessions", "1024", "--rules", "1",
                         "--bytes", "512,1500", "--seconds", "0", "--json")
        self.assertEqual(code, 0, text)
        self.assertEqual([row["bytes"] for row in json.loads(text)["rows"]], [512, 1500])

    def test_workers_together_and_alone(self):
        words = ("pipeline", "--workers", "2", "--sessions", "2048", "--rules", "10",
                 "--seconds", "0", "--json")
        code, text = run(*words, before=("taskset", "-c", str(min(os.sched_getaffinity(0)))))
        self.assertNotEqual(code, 0)
        self.assertIn("bench: 2 workers need as many cores", text)
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two cores")
        code, text = run(*words)
        self.assertEqual(code, 0, text)
        rows = json.loads(text)["rows"]
        self.assertEqual([row["work"] for row in rows], ["outbound", "inbound", "mixed"])
        for row in rows:
            self.assertEqual((row["workers"], len(row["by_worker"])), (2, 2))
            self.assertEqual(sum(one["sessions"] for one in row["by_worker"]), 2048)
            self.assertGreater(row["times_one"], 0)
        code, text = run("pipeline", "--workers", "2", "--work", "reload")
        self.assertNotEqual(code, 0)
        self.assertIn("bench: reload is measured with one worker only", text)

    def test_a_work_that_does_not_exist_is_refused(self):
        code, text = run("pipeline", "--work", "inbond")
        self.assertNotEqual(code, 0)
        self.assertIn("inbond", text)


class Http(unittest.TestCase):
    def test_a_row_has_the_median_and_the_lowest_of_the_rounds(self):
        rounds = [{"cpu_us": cost, "per_second": 1e6 / cost} for cost in (10.0, 8.0, 25.0)]
        self.assertEqual(http_bench.median_row("/tmp/other", "hit_1k", rounds),
                         {"subject": "other", "work": "hit_1k", "cpu_us": 10.0,
                          "cpu_us_best": 8.0, "per_second": 100000.0})

    def test_a_work_that_does_not_exist_is_refused(self):
        code, text = run("http", "--works", "hit_2k")
        self.assertNotEqual(code, 0)
        self.assertIn("bench: works are hit_1k, hit_64k", text)

    def test_hits_and_misses_are_counted(self):
        if not shutil.which("wrk") or not shutil.which("nginx"):
            self.skipTest("wrk and nginx are not installed")
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two cores")
        code, text = run("http", "--subjects", "postern", "--works", "hit_1k,hit_1m,miss,idle",
                         "--idle", "200", "--seconds", "1", "--rounds", "1", "--json")
        self.assertEqual(code, 0, text)
        rows = {row["work"]: row for row in json.loads(text)["rows"]}
        self.assertEqual(list(rows), ["hit_1k", "hit_1m", "miss", "idle"])
        self.assertLess(rows["hit_1k"]["cpu_us"], rows["hit_1m"]["cpu_us"])
        self.assertGreater(rows["miss"]["per_second"], 0)
        self.assertEqual(rows["idle"]["connections"], 200)


class Mail(unittest.TestCase):
    def test_every_work_of_our_own_runs(self):
        if os.geteuid() != 0 or not shutil.which("smtp-source") or not shutil.which("smtp-sink"):
            self.skipTest("needs root, and Postfix's generator and sink")
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two cores")
        code, text = run("mail", "--messages", "50", "--rounds", "1", "--box", "20", "--idle", "5",
                         "--subjects", "postern", "--json")
        self.assertEqual(code, 0, text)
        rows = {row["work"]: row for row in json.loads(text)["rows"]}
        self.assertEqual(set(rows), set(mail_bench.WORKS))
        self.assertGreater(rows["deliver"]["per_second"], 0)
        self.assertEqual(rows["idle"]["sessions"], 5)


class Results(unittest.TestCase):
    def test_instructions_count_where_they_were_executed(self):
        by_file, total = pipeline.by_file(CALLGRIND.splitlines(keepends=True))
        self.assertEqual(by_file, {"nat/rewrite": 45, "base/endian": 5})
        self.assertEqual(total, 50)

    def test_two_results_are_compared_row_by_row(self):
        def document(cycles):
            return {"rows": [{"work": "outbound", "sessions": 1, "rules": 10, "bytes": 64,
                              "cycles_per_packet": cycles}]}

        with tempfile.TemporaryDirectory() as directory:
            paths = []
            for name, cycles in (("a", 300), ("b", 100)):
                paths.append(os.path.join(directory, name))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    json.dump(document(cycles), file)
            code, text = run("compare", *paths, "--json")
            self.assertEqual(code, 0, text)
            self.assertEqual(json.loads(text)["rows"][0]["faster"], 3)
            code, text = run("compare", paths[0], os.path.join(directory, "none"))
            self.assertNotEqual(code, 0)

    def test_a_table_shows_what_a_row_lacks_as_a_dash(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            results.Table(quiet=False).add({"work": "outbound", "sessions": 65536})
        self.assertEqual(out.getvalue().splitlines()[1].split(),
                         ["outbound", "65,536", "-", "-", "-", "-", "-", "-", "-"])

    def test_every_bench_has_a_front(self):
        self.assertEqual(set(bench.BENCHES),
                         {"pipeline", "wire", "kernel", "dns", "dhcp", "http", "mail", "compare"})


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
