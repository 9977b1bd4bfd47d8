#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes CONFORMANCE.md: requirement -> code -> tests -> met, exception or open.

The requirements are those of requirements.txt. Code names them in comments, test cases in their
tags, scripts in "# covers" lines, lab tests in their docstrings. With --check nothing is written;
the check fails when CONFORMANCE.md is stale, when a test names what is not listed, and when a
requirement marked must has neither test nor exception.
"""

import os
import re
import sys

import source

LIST = "tests/lint/requirements.txt"
OUTPUT = "CONFORMANCE.md"

# RFC4787-REQ5a, and REQ4 alone later in the same line; a section, RFC1812-5.3.7; F20, P04, C02.
NAMED = re.compile(
    r"\bRFC(\d{4})-REQ-?(\d+)([a-z]?)\b|\bREQ-?(\d+)([a-z]?)\b"
    r"|\bRFC(\d{4}-\d+(?:\.\d+)*)([a-z]?)\b|\b([FPC]\d{2})\b"
)
LITERALS = r'((?:"(?:\\.|[^"\\])*"\s*)+)'
TEST_CASE = re.compile(r"\bTEST_CASE\s*\(\s*" + LITERALS + r",\s*" + LITERALS)
COVERS = re.compile(r"^\s*#\s*covers:?\s+(.*)$", re.MULTILINE)
LAB_TEST = re.compile(r'^def test_\w+\([^)]*\):\s*"""(.*?)"""', re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"//[^\n]*")


def identifiers(line):
    """(identifier, the letter of its clause or "") for all that one line names."""
    rfc = None
    for match in NAMED.finditer(line):
        if match[1]:
            rfc = match[1]
            yield f"RFC{rfc}-REQ{match[2]}", match[3]
        elif match[4] and rfc:
            yield f"RFC{rfc}-REQ{match[4]}", match[5]
        elif match[6]:
            yield f"RFC{match[6]}", match[7]
        elif match[8]:
            yield match[8], ""


def listed(name, clause, by_name):
    """The clause, or the whole where the clause has no line; None when neither is listed."""
    return by_name.get(name + clause) or by_name.get(name)


class Requirement:
    def __init__(self, name, level, title):
        self.name, self.level, self.title = name, level, title
        self.exception = ""
        self.code, self.tests = set(), set()

    def state(self):
        if self.tests:
            return "met"
        return f"exception: {self.exception}" if self.exception else "open"


def read_list(text):
    """[(heading, [Requirement])]"""
    sections, by_name = [], {}
    for line in text.splitlines():
        words = line.split(maxsplit=2)
        if not words or line.startswith("#"):
            continue
        if words[0] == "==":
            sections.append((line[2:].strip(), []))
        elif words[0] == "exception":
            by_name[words[1]].exception = words[2]
        else:
            by_name[words[0]] = Requirement(*words)
            sections[-1][1].append(by_name[words[0]])
    return sections, by_name


def in_code(text):
    """(identifier, clause) for all that comments name."""
    for match in COMMENT.finditer(text):
        yield from identifiers(match[0])


def in_tests(path, text):
    """(line, identifier, clause) for all that a test claims to cover."""
    patterns = [TEST_CASE] if path.endswith(".cc") else [COVERS, LAB_TEST]
    for pattern in patterns:
        for match in pattern.finditer(text):
            for name, clause in identifiers(match[pattern.groups]):
                yield source.line_of(text, match.start()), name, clause


def collect(root, by_name):
    """Fills in code and tests; returns findings where a test names what is not listed."""
    findings = []
    for path in source.find(root, ["src"], (".h", ".cc", ".def")):
        for name, clause in in_code(source.read(root, path)):
            requirement = listed(name, clause, by_name)
            if requirement:
                requirement.code.add(path)
    for path in source.find(root, ["tests"], (".cc", ".flow", ".chat", ".sh", ".py", ".yaml")):
        if path.startswith("tests/lint/"):
            continue
        for line, name, clause in in_tests(path, source.read(root, path)):
            requirement = listed(name, clause, by_name)
            if requirement:
                requirement.tests.add(path)
            else:
                findings.append((path, line, f"{name}{clause} is not in {LIST}"))
    return findings


def table(sections):
    lines = [
        "# Conformance",
        "",
        "Made by tests/lint/requirements.py from tests/lint/requirements.txt, the comments of the",
        "code and the tags of the tests; do not edit. *Met* means that a test is there for it.",
        "",
    ]
    everything = [r for _, requirements in sections for r in requirements]
    for word in ("met", "exception", "open"):
        count = sum(r.state().startswith(word) for r in everything)
        lines.append(f"- {word}: {count} of {len(everything)}")
    for heading, requirements in sections:
        lines += ["", f"## {heading}", "", "| | | requirement | code | tests | state |"]
        lines.append("|---|---|---|---|---|---|")
        for r in requirements:
            code, tests = ("<br>".join(f"`{p}`" for p in sorted(ps)) for ps in (r.code, r.tests))
            lines.append(f"| {r.name} | {r.level} | {r.title} | {code} | {tests} | {r.state()} |")
    return "\n".join(lines) + "\n"


def run(root, checking):
    """The exit code; writes the table below `root` unless checking."""
    sections, by_name = read_list(source.read(root, LIST))
    findings = collect(root, by_name)
    text = table(sections)
    output = os.path.join(root, OUTPUT)
    if checking:
        for r in by_name.values():
            if r.level == "must" and r.state() == "open":
                findings.append((LIST, 1, f"{r.name} has neither test nor exception: {r.title}"))
        if not os.path.exists(output) or source.read(root, OUTPUT) != text:
            findings.append((OUTPUT, 1, "stale; run tests/lint/requirements.py"))
    else:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    return source.report(findings)


if __name__ == "__main__":
    sys.exit(run(source.ROOT, "--check" in sys.argv[1:]))
