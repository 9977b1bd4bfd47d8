#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Refuses what g++ 12 destroys twice in a statement that contains co_await.

Those are a lambda with captures, a braced initializer and a conditional expression. A text cannot
tell the harmless ones (a scalar ?:, a class with a constructor), so all are refused: give the value
a name in a statement of its own first. What stands in the body of a lambda is not part of the
statement around it.
"""

import re

import source

AWAIT = re.compile(r"\bco_(?:await|yield)\b")
# What stands before the brace of a block, as against the brace of an initializer.
BEFORE_BLOCK = re.compile(
    r"(?:^|[;{}):]|\b(?:else|do|try|noexcept|mutable|const|override|final)|->\s*[\w:<>,\s*&]+)$"
)
LAMBDA = re.compile(r"(?<![\w\])])\[([^\[\]]*)\](?=\s*[({<]|\s*mutable)")


def is_block(code, brace):
    return BEFORE_BLOCK.search(code[max(0, brace - 200):brace].rstrip()) is not None


def begin_of_statement(code, place):
    """Walks back to where the full expression around `place` begins."""
    depth = 0
    while place > 0:
        place -= 1
        char = code[place]
        if char in ")]":
            depth += 1
        elif char in "([":
            depth = max(0, depth - 1)  # out of a call: still the same full expression
        elif char == "}":
            after = code[place + 1:].lstrip()[:1]
            if depth == 0 and after not in (",", ")", ".", "]", "?", ":"):
                return place + 1
            inner = 1  # an initializer or a lambda's body: step over it
            while place > 0 and inner:
                place -= 1
                inner += {"}": 1, "{": -1}.get(code[place], 0)
        elif char == "{" and is_block(code, place):
            return place + 1
        elif char == ";" and depth == 0:
            return place + 1
    return 0


def without_lambda_bodies(code, begin, end):
    """The statement's text with each lambda's body blanked and put in round brackets."""
    text = code[begin:end]
    for match in LAMBDA.finditer(text):
        brace = text.find("{", match.end())
        if brace >= 0:
            close = source.closing(text, brace)
            body = re.sub(r"[^\n]", " ", text[brace + 1:close])
            text = text[:brace] + "(" + body + ")" + text[close + 1:]
    return text


def end_of_statement(code, begin):
    place = begin
    while place < len(code):
        char = code[place]
        if char == ";" or char == "}":
            return place
        if char == "{" and is_block(code, place) and not is_lambda_body(code, begin, place):
            return place  # the block of an if, while, for or switch
        if char in "([{":
            place = source.closing(code, place)
        place += 1
    return place


def is_lambda_body(code, begin, brace):
    last = None
    for last in LAMBDA.finditer(code, begin, brace):
        pass
    return last is not None and not re.search(r"[;}]", code[last.end():brace])


def check(_path, text):
    code = source.only_code(text)
    seen = set()
    for match in AWAIT.finditer(code):
        begin = begin_of_statement(code, match.start())
        if begin in seen:
            continue
        seen.add(begin)
        statement = without_lambda_bodies(code, begin, end_of_statement(code, begin))
        line = source.line_of(code, match.start())
        if any(capture.strip() for capture in LAMBDA.findall(statement)):
            yield line, "a lambda with captures in a statement with co_await: name it first"
        if "{" in statement:
            yield line, "a braced initializer in a statement with co_await: name it first"
        if "?" in statement:
            yield line, "a conditional expression in a statement with co_await: name it first"


if __name__ == "__main__":
    source.run(["src", "tests"], (".h", ".cc"), check)
