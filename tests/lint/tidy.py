#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs clang-tidy over the sources of src/, with the options they are built with.

Arguments: the build directory, and --deep for the static analyzer as well. The unit tests are left
out: the test framework's macros cost more time than the rest of the tree, and the tests run anyway.
"""

import os
import sys

import jobs
import source

CLANG = ["clang-tidy", "--quiet", "--warnings-as-errors=*"]
DEEP = ["--checks=-*,clang-analyzer-*,-clang-analyzer-optin.performance.Padding"]


def main(build, deep):
    with open(os.path.join(source.ROOT, ".clang-tidy"), encoding="utf-8") as file:
        settings = file.read()
    work = {}
    for path, (directory, options) in jobs.compile_commands(build).items():
        if path.startswith("src/"):
            absolute = os.path.join(source.ROOT, path)
            command = CLANG + (DEEP if deep else []) + ["-p", build, absolute]
            work[path] = (directory, options + ["-E", absolute], command)
    return jobs.run_all(build, "tidy-deep" if deep else "tidy", work, settings)


if __name__ == "__main__":
    os.chdir(source.ROOT)
    sys.exit(main(os.path.abspath(sys.argv[1]), "--deep" in sys.argv))
