#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the form of files: the licence line, 400 lines a file, 100 columns, 70 lines a function.

A function is taken to be what stands between a line that ends in { and begins at the margin (or,
in a class, two columns in), and the brace that closes it. Test cases are tables as often as
functions; only the length of their file bounds them.
"""

import re

import source

LINES_MAX = 400
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
SPDX = "SPDX-License-Identifier: BSD-3-Clause"

FUNCTION = re.compile(r"^(?P<indent>(?:  )?)(?![ #}/])[^\n]*\)[^\n;=]*\{$", re.MULTILINE)
NO_FUNCTION = re.compile(
    r"^\s*(?:if|for|while|switch|namespace|TEST_CASE|SECTION|enum|struct|class)\b"
)


def long_functions(code):
    for match in FUNCTION.finditer(code):
        if NO_FUNCTION.match(match[0]):
            continue
        lines = code.count("\n", match.start(), source.closing(code, match.end() - 1)) + 1
        if lines > FUNCTION_LINES_MAX:
            what = f"a function of {lines} lines ({FUNCTION_LINES_MAX} at most)"
            yield source.line_of(code, match.start()), what


def check(path, text):
    lines = text.split("\n")
    if SPDX not in "\n".join(lines[:2]):
        yield 1, f"the first line is not {SPDX}"
    if len(lines) - 1 > LINES_MAX:
        yield len(lines) - 1, f"{len(lines) - 1} lines ({LINES_MAX} at most)"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns ({COLUMNS_MAX} at most)"
        if re.search(r"\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))", line) and path != "tests/lint/sizes.py":
            yield number, "a TODO needs its issue: TODO(#12)"
    if path.endswith((".h", ".cc")):
        yield from long_functions(source.only_code(text))


if __name__ == "__main__":
    endings = (".h", ".cc", ".py", ".sh", "meson.build")
    source.run(["src", "tests", "deploy", "conf"], endings, check)
