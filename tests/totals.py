#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sums test results to one plain closing line: N passed, N failed[, N skipped].

Arguments: meson's testlog.json files, and files with the output of other runners (a line "exit
status N" in one means that it failed). A program that counts its own cases (a Catch2 summary, or a
line like our closing line) counts with those; any other program counts as one. The exit code is 0
only when something passed and nothing failed.
"""

import json
import os
import re
import sys

CATCH_PASSED = re.compile(r"All tests passed \(.* in (\d+) test cases?\)")
CATCH_MIXED = re.compile(r"^test cases:\s*\d+(.*)$", re.MULTILINE)
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)

BAD_END = re.compile(r"^exit status \d+$", re.MULTILINE)


def counted(output):
    """The (passed, failed, skipped) that `output` itself states, or None."""
    if lines := PLAIN.findall(output):
        return tuple(int(n or 0) for n in lines[-1])
    if match := CATCH_PASSED.search(output):
        return int(match[1]), 0, 0
    if match := CATCH_MIXED.search(output):
        parts = dict((word, int(n)) for n, word in re.findall(r"(\d+) (passed|failed)", match[1]))
        return parts.get("passed", 0), parts.get("failed", 0), 0
    return None


def of_meson(test):
    result = test["result"]
    if result == "SKIP":
        return 0, 0, 1
    good = result in ("OK", "EXPECTEDFAIL")
    passed, failed, skipped = counted(test.get("stdout") or "") or (int(good), int(not good), 0)
    # A program that ends badly has failed, whatever it managed to say before.
    return passed, failed if good else max(failed, 1), skipped


def read(path):
    """(name, counts) for every program in one log."""
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            text = log.read()
    except OSError:
        return [(name, (0, 1, 0))]
    if not path.endswith(".json"):
        passed, failed, skipped = counted(text) or (0, 1, 0)
        return [(name, (passed, max(failed, 1) if BAD_END.search(text) else failed, skipped))]
    tests = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [(test["name"], of_meson(test)) for test in tests] or [(name, (0, 1, 0))]


def main(paths):
    total = [0, 0, 0]
    for path in paths:
        for name, counts in read(path):
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                print(f"FAILED: {name} ({counts[1]})")
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 0 if total[0] and not total[1] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
