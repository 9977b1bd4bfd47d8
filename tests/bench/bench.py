#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The front of the benches: bench.py BUILD-DIRECTORY BENCH [OPTION...]

Runs the measuring programs, which print one JSON object a row, and makes the table, the JSON
document and the file under tests/bench/results/. Called by ./dev bench.
"""

import argparse
import signal
import sys

import compare
import dhcp
import dns
import http_bench
import kernel
import mail_bench
import pipeline
import results
import wire

BENCHES = {"pipeline": pipeline, "wire": wire, "kernel": kernel, "dns": dns, "dhcp": dhcp,
           "http": http_bench, "mail": mail_bench, "compare": compare}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("build", help=argparse.SUPPRESS)
    benches = parser.add_subparsers(dest="bench", required=True)
    for name, module in BENCHES.items():
        bench = benches.add_parser(name, help=module.__doc__.split("\n", 1)[0])
        bench.add_argument("--json", action="store_true", help="a JSON document instead of a table")
        if module is not compare:
            bench.add_argument("--save", action="store_true", help="keep it in results/ here")
            bench.add_argument("--realtime", action="store_true",
                               help="before all other programs, where there are some (root)")
        module.add_options(bench)
    options = parser.parse_args()
    rows = BENCHES[options.bench].run(options, results.Table(quiet=options.json))
    results.finish(options, rows)


if __name__ == "__main__":
    # Whoever ends it ends what it has started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))
    try:
        main()
    except results.BenchFailed as failure:
        sys.exit(f"bench: {failure}")
