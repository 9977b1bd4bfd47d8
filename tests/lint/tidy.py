#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs clang-tidy over the sources of src/, with the options they are built with.

Arguments: the build directory, then, if not all are meant, the files. The unit tests are left out:
the test framework's macros cost more time than the rest of the tree, and the tests run anyway.
"""

import os
import sys

import jobs
import source

CLANG = ["clang-tidy", "--quiet", "--warnings-as-errors=*"]


def main(build, wanted):
    with open(os.path.join(source.ROOT, ".clang-tidy"), encoding="utf-8") as file:
        settings = file.read()
    work = {}
    for path, (directory, options) in jobs.compile_commands(build).items():
        if path.startswith("src/") and (not wanted or path in wanted):
            absolute = os.path.join(source.ROOT, path)
            work[path] = (directory, options + ["-E", absolute], CLANG + ["-p", build, absolute])
    return jobs.run_all(build, "tidy", work, settings)


if __name__ == "__main__":
    os.chdir(source.ROOT)
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
