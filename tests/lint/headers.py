#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that every header compiles alone, with the options of the nearest source file.

Arguments: the build directory.
"""

import os
import sys

import jobs
import source


def nearest(path, candidates):
    return max(candidates, key=lambda other: len(os.path.commonprefix([path, other])))


def main(build):
    commands = jobs.compile_commands(build)
    work = {}
    for path in source.find(source.ROOT, ["src", "tests"], (".h",)):
        directory, options = commands[nearest(path, sorted(commands))]
        # Included from nothing, so that the header is not the main file: there its pragma is wrong.
        options = options + ["-include", os.path.join(source.ROOT, path), "-x", "c++", "/dev/null"]
        work[path] = (directory, options + ["-E"], options + ["-fsyntax-only"])
    return jobs.run_all(build, "headers", work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
