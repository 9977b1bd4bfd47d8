#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks what must not stand on the packet path: src/dataplane without runtime.

Not looked at: constructors and destructors, which run at start and stop, and what says that it is
cold. `// cold: REASON` in the head comment of a file exempts the file; the same line in the comment
above a function exempts that function. Bytes are reinterpreted in wire/ only, nothing is thrown and
nothing is shared by count, cold or not.
"""

import re

import source

HOT = [
    (r"(?<!operator )\b(?:new|delete)\b(?!\s*[;\"])", "allocates"),
    (r"\b(?:malloc|calloc|realloc|aligned_alloc|free)\s*\(", "allocates"),
    (r"\bmake_unique\b", "allocates"),
    (r"\bstd::function\b", "std::function allocates and hides its callee"),
    (r"\bvirtual\b", "virtual hides its callee"),
    (r"\b(?:lock_guard|unique_lock|scoped_lock|condition_variable)\b", "locks"),
    (r"\b(?:std::|pthread_)(?:shared_|recursive_)?mutex", "locks"),
    (r"\bfetch_(?:add|sub|and|or|xor)\b|\bcompare_exchange_\w+", "atomic read-modify-write"),
    (r"\.exchange\s*\(|\b__(?:sync|atomic)_(?!load|store)\w+", "atomic read-modify-write"),
    (r"\b(?:f|s|sn|v|vsn|d)?printf\s*\(", "writes a log"),
    (r"\bstd::(?:cout|cerr|clog)\b|\bspdlog\b", "writes a log"),
    (r"\bstd::chrono\b|\bclock_gettime\b|\bgettimeofday\b|\brdtsc\w*", "time is an argument here"),
]
HOT_BODIES = [  # where a declaration in a header says nothing yet
    (r"\bstd::(?:string|to_string|[io]?stringstream)\b(?!_)", "std::string allocates"),
]
ALWAYS = [
    (r"\bthrow\b(?!\s*\()|\btry\s*\{|\bcatch\s*\(", "no exceptions here"),
    (r"\bdynamic_cast\b|\btypeid\b", "no run-time types here"),
    (r"\bshared_ptr\b|\bmake_shared\b", "one owner each"),
]
REINTERPRET = (r"\breinterpret_cast\b", "bytes are reinterpreted in wire/ only")

COLD = re.compile(r"^[ \t]*//.*\bcold:[ \t]*\S", re.MULTILINE)
# `Name(` after Name:: or, in a class, at the start of a declaration; ~ for destructors.
STRUCTOR_OUTSIDE = re.compile(r"\b(\w+)(?:<[^;{}()]*>)?::~?\1\s*(\()")
STRUCTOR_INSIDE = re.compile(
    r"^[ \t]+(?:constexpr[ \t]+|explicit[ \t]+|inline[ \t]+)*~?([A-Z]\w*)(\()", re.MULTILINE
)


def body_after(code, opening):
    """(begin, end) of the body of the constructor whose parameters open at `opening`, or None."""
    place = source.closing(code, opening) + 1
    while place < len(code):
        if code[place] == ";" or code[place] == "=":
            return None  # declared only, defaulted or deleted
        if code[place] == "{":
            before = code[:place].rstrip()
            end = source.closing(code, place)
            # In the initializer list a name or > stands before the brace: member_{1}.
            initializer = ":" in code[opening:place] and re.search(r"[\w>]$", before)
            if not initializer or before.endswith(("noexcept", "override")):
                return place, end
            place = end
        elif code[place] == "(":
            place = source.closing(code, place)
        place += 1
    return None


def blank(code, begin, end):
    return code[:begin] + re.sub(r"[^\n]", " ", code[begin:end]) + code[end:]


def without_structors(code):
    for pattern in (STRUCTOR_OUTSIDE, STRUCTOR_INSIDE):
        for match in pattern.finditer(code):
            if body := body_after(code, match.start(2)):
                # The initializer list goes with the body.
                code = blank(code, source.closing(code, match.start(2)), body[1])
    return code


def without_cold_functions(code, text):
    """Blanks from each cold line to the end of the function below it (by its indentation)."""
    for match in COLD.finditer(text):
        indent = re.match(r"[ \t]*", match[0])[0]
        last_line = re.compile(rf"^{indent}\}}|^{indent}[^ \n}}].*[;}}]$", re.MULTILINE)
        end = last_line.search(code, match.end())
        code = blank(code, match.end(), end.end() if end else len(code))
    return code


def head(text):
    """The comment lines that a file begins with."""
    return re.match(r"(?:[ \t]*(?://[^\n]*)?\n)*", text)[0]


def check(path, text):
    if path.startswith("src/dataplane/runtime/"):
        return
    code = source.only_code(text)
    rules = list(ALWAYS)
    if not path.startswith("src/dataplane/wire/"):
        rules.append(REINTERPRET)
    for pattern, why in rules:
        for match in re.finditer(pattern, code):
            yield source.line_of(code, match.start()), f"{match[0].strip()}: {why}"
    if COLD.search(head(text)):
        return
    code = without_cold_functions(without_structors(code), text)
    code = re.sub(r"=\s*delete\b", "", code)
    for pattern, why in HOT + (HOT_BODIES if path.endswith(".cc") else []):
        for match in re.finditer(pattern, code):
            yield source.line_of(code, match.start()), f"{match[0].strip()}: {why}"


if __name__ == "__main__":
    source.run(["src/dataplane"], (".h", ".cc"), check)
