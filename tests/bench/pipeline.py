# SPDX-License-Identifier: BSD-3-Clause
"""the packet path over frames in memory, by ticks and instructions a packet"""

import os
import re
import tempfile

import results

# Sessions and packets of a run that counts instructions: exact, but some fifty times slower.
COUNTED_SESSIONS = 4096
COUNTED_PACKETS = 4096
TIMED = "*Gateway::*_timed*"

# With several workers: cycles a packet of each, alone and together; how many times one's rate.
COLUMNS = results.COLUMNS[:4] + [
    ("workers", "workers", "{}"),
    ("alone", "cycles_per_packet_alone", "{:,.1f}"),
    ("together", "cycles_per_packet", "{:,.1f}"),
    ("x of one", "times_one", "{:.2f}"),
    ("M/s", "mega_per_second", "{:.3f}"),
]


def add_options(parser):
    parser.add_argument("--work", help="outbound, inbound, mixed, new_session, denied, "
                                       "denied_logged, reload, flooded")
    parser.add_argument("--sessions", help="numbers, separated by commas")
    parser.add_argument("--rules")
    parser.add_argument("--bytes", help="of a frame on the wire")
    parser.add_argument("--all", action="store_true", help="the whole matrix; takes an hour")
    parser.add_argument("--seconds", help="measured time of a row")
    parser.add_argument("--workers", type=int, default=1,
                        help="of one gateway, at work at once, compared with one alone")
    parser.add_argument("--instructions", action="store_true",
                        help="count instructions as well, by valgrind")


def program_of(options):
    return os.path.join(options.build, "tests/bench/postern_bench_pipeline")


def run(options, table):
    arguments = [word for key in ("work", "sessions", "rules", "bytes", "seconds")
                 if (value := getattr(options, key)) for word in (f"--{key}", value)]
    if options.workers > 1:
        if options.instructions:
            raise results.BenchFailed("instructions are counted with one worker only")
        arguments += ["--workers", str(options.workers)]
        table.columns = COLUMNS
    if options.all:
        arguments.append("--all")
    document = {"commit": results.commit(), "machine": results.machine(), "rows": []}
    counted = {}
    before = ["chrt", "--rr", "1"] if options.realtime else []
    for row in results.rows_of(before + [program_of(options)] + arguments):
        if "tsc_hz" in row:
            document["machine"].update(row)
            continue
        if options.instructions:
            row.update(instructions_of(options, row, counted))
        document["rows"].append(row)
        table.add(row)
    return document


def instructions_of(options, row, counted):
    """The row's instructions, by stage as well; the number of sessions hardly matters to them."""
    sessions = min(row["sessions"], COUNTED_SESSIONS)
    if row["work"] == "reload":
        sessions = min(sessions, COUNTED_PACKETS // 8)  # two policies in a round
    key = (row["work"], sessions, row["rules"], row["bytes"])
    if key not in counted:
        counted[key] = count(options, key)
    return counted[key]


def count(options, key):
    work, sessions, rules, size = (str(word) for word in key)
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                   f"--toggle-collect={TIMED}", program_of(options), "--work", work,
                   "--sessions", sessions, "--rules", rules, "--bytes", size,
                   "--rounds", "1", "--packets", str(COUNTED_PACKETS)]
        rows = [row for row in results.rows_of(command) if "work" in row]
        packets = rows[0]["packets"] + rows[0]["interrupted"]
        with open(out, encoding="utf-8") as file:
            stages, total = by_file(file)
    return {
        "instructions_per_packet": round(total / packets, 2),
        "instructions_by_file": {
            name: round(cost / packets, 2)
            for name, cost in sorted(stages.items(), key=lambda item: -item[1])
            if cost / packets >= 0.5
        },
    }


def by_file(lines):
    """Sums the costs of a callgrind file by source file; no call is counted twice."""
    names, stages = {}, {}
    current, total, is_call = "", 0, False
    for line in lines:
        if match := re.match(r"(fl|fi|fe)=\((\d+)\)(?: (.*))?", line):
            if match[3]:
                names[match[2]] = match[3]
            current = names.get(match[2], "")
        elif match := re.match(r"(?:cfi|cfl)=\((\d+)\) (.*)", line):
            names[match[1]] = match[2]
        elif line.startswith("calls="):
            is_call = True
        elif match := re.match(r"[+\-*\d]\S* (\d+)$", line):
            if not is_call:
                stage = stage_of(current)
                stages[stage] = stages.get(stage, 0) + int(match[1])
                total += int(match[1])
            is_call = False
    return stages, total


def stage_of(path):
    """src/dataplane/nat/rewrite.cc and .h -> nat/rewrite."""
    match = re.search(r"src/(?:dataplane/)?(.*)\.(?:cc|h)$", path)
    return match[1] if match else "library"
