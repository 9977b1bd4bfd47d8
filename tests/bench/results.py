# SPDX-License-Identifier: BSD-3-Clause
"""What the benches have in common: the table, the JSON document, the kept results."""

import json
import os
import platform
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Column heads, the keys behind them, and how they are printed.
COLUMNS = [
    ("work", "work", "{}"),
    ("sessions", "sessions", "{:,}"),
    ("rules", "rules", "{:,}"),
    ("bytes", "bytes", "{}"),
    ("cycles", "cycles_per_packet", "{:,.0f}"),
    ("best", "cycles_per_packet_best", "{:,.0f}"),
    ("instr.", "instructions_per_packet", "{:,.0f}"),
    ("M/s", "mega_per_second", "{:.3f}"),
    ("x control", "times_control", "{:.3f}"),
]


class BenchFailed(Exception):
    pass


class Table:
    """Prints rows as they come."""

    def __init__(self, quiet, columns=None):
        self.quiet = quiet
        self.columns = columns or COLUMNS
        self.begun = False

    def add(self, row):
        if self.quiet:
            return
        if not self.begun:
            self.line([head for head, _, _ in self.columns])
            self.begun = True
        shown = dict(row)
        if row.get("per_second"):
            shown["mega_per_second"] = row["per_second"] / 1e6
        self.line(
            [form.format(shown[key]) if shown.get(key) is not None else "-"
             for _, key, form in self.columns]
        )

    def line(self, cells):
        first, *others = cells
        print(f"{first:<22}" + "".join(f"{cell:>11}" for cell in others), flush=True)


def machine():
    """What a reader must know of the place where it was measured."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    return {
        "processor": fields.get("model name", "unknown"),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def commit():
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", ROOT]
    try:
        name = subprocess.run(git + ["rev-parse", "--short=10", "HEAD"], check=True,
                              capture_output=True, text=True).stdout.strip()
        changed = subprocess.run(git + ["status", "--porcelain", "--untracked-files=no"],
                                 check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("-changed" if changed else "")


def rows_of(command, note=None):
    """The JSON objects that a program prints, one a line; fails with what it complains of."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as program:
        for line in program.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        complaint = program.stderr.read().strip()
        if program.wait() != 0:
            raise BenchFailed(complaint or f"{command[0]} ended with {program.returncode}")
        if complaint and note is not None:
            print(complaint, file=sys.stderr)


def must(*command, text=None):
    """What a short command prints; the bench fails when it does."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(f"{' '.join(command[:6])}: {done.stderr[-500:].strip()}")
    return done.stdout


def finish(options, document):
    """Prints and keeps the document {"machine": ..., "rows": [...]}."""
    text = json.dumps(document, indent=1)
    if options.json:
        print(text)
    if getattr(options, "save", False):
        os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
        path = os.path.join(HERE, "results", f"{document['commit']}-{options.bench}.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        print(f"kept as {os.path.relpath(path, ROOT)}", file=sys.stderr)
