# SPDX-License-Identifier: BSD-3-Clause
"""ratios of two kept results, row by row: compare A.json B.json

A ratio is B's speed over A's: above 1, B is faster. Runs at different times on a shared machine
differ by themselves, by up to 1.3 where a table is larger than the cache.
"""

import json

import results

KEY = ("device", "work", "sessions", "rules", "bytes", "workers")
COLUMNS = [
    ("work", "name", "{}"),
    ("sessions", "sessions", "{:,}"),
    ("rules", "rules", "{:,}"),
    ("bytes", "bytes", "{}"),
    ("A", "a", "{:,.0f}"),
    ("B", "b", "{:,.0f}"),
    ("B to A", "faster", "{:.2f}"),
    ("best", "faster_best", "{:.2f}"),
    ("instr.", "fewer", "{:.2f}"),
]


def add_options(parser):
    parser.add_argument("a", help="a file that --save has written")
    parser.add_argument("b")


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        return {tuple(row.get(key) for key in KEY): row for row in document["rows"]
            if "cycles_per_packet" in row}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise results.BenchFailed(f"{path}: no results: {error}") from error


def cost_ratio(before, after, key):
    if before.get(key) and after.get(key):
        return round(before[key] / after[key], 3)
    return None


def compared(key, before, after):
    row = {name: value for name, value in zip(KEY, key) if value is not None}
    row["a"], row["b"] = before["cycles_per_packet"], after["cycles_per_packet"]
    row["faster"] = cost_ratio(before, after, "cycles_per_packet")
    row["faster_best"] = cost_ratio(before, after, "cycles_per_packet_best")
    row["fewer"] = cost_ratio(before, after, "instructions_per_packet")
    return row


def run(options, table):
    table.columns = COLUMNS
    a, b = load(options.a), load(options.b)
    rows = [compared(key, row, b[key]) for key, row in a.items() if key in b]
    if not rows:
        raise results.BenchFailed("the two have no row in common "
                                  "(compared are pipeline, wire and kernel)")
    for row in rows:
        table.add(dict(row, name=" ".join(filter(None, (row.get("device"), row["work"])))))
    return {"a": options.a, "b": options.b, "rows": rows}
