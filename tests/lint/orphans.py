#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that every source file is built and every header included.

A test that no meson.build names does not fail: it is not there. Arguments: the build directory.
"""

import os
import re
import sys

import jobs
import source

INCLUDED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def include_roots(built):
    """The folders below the root that some source is compiled with by -I, and our two trees."""
    roots = {"src", "tests"}
    for directory, options in built.values():
        for option in options:
            if option.startswith("-I"):
                path = os.path.normpath(os.path.join(directory, option[2:]))
                roots.add(os.path.relpath(path, source.ROOT))
    return {root for root in roots if root.startswith(("src", "tests"))}


def main(build):
    built = jobs.compile_commands(build)
    roots = include_roots(built)
    findings, included = [], set()
    for path in source.find(source.ROOT, ["src", "tests"], (".h", ".cc", ".def")):
        included.update(INCLUDED.findall(source.read(source.ROOT, path)))
        if path.endswith(".cc") and path not in built:
            findings.append((path, 1, "no meson.build names it, so nothing compiles it"))
    for path in source.find(source.ROOT, ["src", "tests"], (".h", ".def")):
        if not any(path.removeprefix(root + os.sep) in included for root in roots):
            findings.append((path, 1, "nothing includes it"))
    return source.report(findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
