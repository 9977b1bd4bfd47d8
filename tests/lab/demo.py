#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo: brings up a lab, plays the scenes of scenes.py and tells what was seen.

Run it as `postern lab demo` or `./dev demo`. The exit status is 0 only if all of it was seen.
"""

import argparse
import sys
import time

import lab as lab_module
import scenes


class Stage:
    """Where a scene plays: it tells every step and keeps what was to be seen and whether it was."""

    def __init__(self, lab):
        self.lab = lab
        self.scene = ""
        self.rows = []  # (scene, what, evidence, seen)
        self.kept = {}  # output for the end

    def tell(self, text):
        print("  " + text, flush=True)

    def run(self, host, command, timeout=20):
        """Runs a command of a host and shows it with what it says."""
        self.tell(f"{host.name}$ {lab_module.shown(command)}")
        outcome = host.run(command, timeout)
        for line in outcome.out.strip().splitlines()[-6:]:
            self.tell("    " + line)
        return outcome

    def see(self, what, seen, evidence):
        """One thing that was to be seen."""
        self.rows.append((self.scene, what, str(evidence), bool(seen)))
        self.tell(f"{'seen:' if seen else 'NOT SEEN:'} {what} ({evidence})")

    def keep(self, title, text):
        self.kept[title] = text


def play(stage, names):
    for name in names:
        scene = scenes.SCENES[name]
        stage.scene = name
        print(f"\n{name}: {scene.__doc__}", flush=True)
        try:
            scene(stage, stage.lab)
        except lab_module.Failure as failure:
            stage.see("the scene plays to its end", False, failure)


def table(rows):
    lines = [("SCENE", "WHAT", "EVIDENCE", "SEEN")]
    lines += [
        (scene, what, evidence, "yes" if seen else "NO") for scene, what, evidence, seen in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        print("  ".join(cells + [line[3]]))


def print_end(stage):
    for title, text in stage.kept.items():
        print(f"\n{title}")
        print(text.rstrip() or "(nothing)")
    log = stage.lab.security_log()
    print(f"\nsecurity log, last of {len(log)} lines")
    print("\n".join(log[-12:]) or "(nothing)")
    print()
    table(stage.rows)


def parse(words):
    parser = argparse.ArgumentParser(prog="postern lab demo")
    parser.add_argument("--name", default="lab")
    parser.add_argument("--driver", default="auto")
    parser.add_argument("--only", choices=list(scenes.SCENES))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args(words)


def main(options):
    if options.list:
        for name, scene in scenes.SCENES.items():
            print(f"{name:12} {scene.__doc__}")
        return 0
    start = time.monotonic()
    lab = lab_module.Lab(options.name, options.driver)
    welcome = ""
    try:
        welcome = lab.up()
        print("the lab is up: client and client2 - gateway - isp - internet, and a dmz", flush=True)
        stage = Stage(lab)
        play(stage, [options.only] if options.only else scenes.SCENES)
        print_end(stage)
    except lab_module.Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print("\n" + welcome.rstrip())
        else:
            lab.down()
    unseen = sum(not row[3] for row in stage.rows)
    print(
        f"\n{len(stage.rows) - unseen} of {len(stage.rows)} seen, {time.monotonic() - start:.0f} s"
    )
    return 1 if unseen else 0


if __name__ == "__main__":
    try:
        sys.exit(main(parse(sys.argv[1:])))
    except KeyboardInterrupt:
        sys.exit(130)
