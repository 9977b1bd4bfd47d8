# SPDX-License-Identifier: BSD-3-Clause
"""The benches that need root, in short: they run, and check what comes through."""

import json
import os
import subprocess

from lab import HERE, POSTERN, check

BUILD = os.path.dirname(os.path.dirname(os.path.dirname(POSTERN)))


def bench(*words):
    done = subprocess.run(
        [os.path.join(HERE, "../bench/bench.py"), BUILD, *words, "--sessions=1024", "--rules=10",
         "--rounds=1", "--seconds=0.2", "--json"],
        capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)
    return {(row["device"], row["work"]): row for row in json.loads(done.stdout)["rows"]}


def test_bench_wire(_lab):
    """The wire bench measures posternd and testpmd, and every packet it looks at is right."""
    rows = bench("wire")
    kinds = {("io", "forward"), ("macswap", "forward"), ("postern", "outbound"),
             ("postern", "mixed")}
    check(set(rows) == kinds, str(rows))
    check(all(row["per_second"] > 0 for row in rows.values()), str(rows))


def test_bench_kernel(_lab):
    """The kernel bench measures nftables at the work of posternd, and leaves nothing."""
    before = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    rows = bench("kernel")
    check(rows["kernel", "outbound"]["per_second"] > 0, str(rows))
    after = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    check(after == before, after)
