# SPDX-License-Identifier: BSD-3-Clause
"""What the lint scripts share: finding sources, and text without comments and literals."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A comment, a raw string, a string or a character literal (but not the ' of 1'000).
NOT_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|R"([^()\s\\]{0,16})\(.*?\)\1"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def only_code(text):
    """`text` with every comment and literal blanked; places and line numbers stay the same."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    def keep_includes(match):
        start = text.rfind("\n", 0, match.start()) + 1
        if match[0][0] == '"' and text[start:].lstrip().startswith("#include"):
            return match[0]
        return blank(match)

    return NOT_CODE.sub(keep_includes, text)


def closing(text, at):
    """The place of the bracket that closes the one at `at`; the end of the text if none does."""
    depth = 0
    for place in range(at, len(text)):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
            if depth == 0:
                return place
    return len(text)


def line_of(text, place):
    return text.count("\n", 0, place) + 1


def find(root, folders, endings):
    """Paths below `root`/`folders` with one of the endings, sorted, relative to `root`."""
    found = []
    for folder in folders:
        for directory, inner, names in os.walk(os.path.join(root, folder)):
            inner[:] = [name for name in inner if not name.startswith((".", "__"))]
            for name in names:
                if name.endswith(endings):
                    found.append(os.path.relpath(os.path.join(directory, name), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def report(findings):
    """Prints "path:line: text" for each finding; the exit code of the check."""
    for path, line, text in findings:
        print(f"{path}:{line}: {text}", file=sys.stderr)
    return 1 if findings else 0


def run(folders, endings, check):
    """The main function of a check that looks at one file at a time: check(path, text) yields
    (line, text). Arguments, if any, are the files to look at instead of all."""
    wanted = {os.path.relpath(os.path.abspath(argument), ROOT) for argument in sys.argv[1:]}
    paths = [p for p in find(ROOT, folders, endings) if not wanted or p in wanted]
    sys.exit(report([(p, line, what) for p in paths for line, what in check(p, read(ROOT, p))]))
