# SPDX-License-Identifier: BSD-3-Clause
"""Writes the template files into a C++ source, so that no path is needed at run time.

usage: embed_templates.py OUTPUT.cc TEMPLATE.yaml...
"""

import pathlib
import sys

HEAD = """// Generated from conf/templates by embed_templates.py.
#include "control/config/templates.h"

namespace postern::config {
namespace {

constexpr std::string_view kTexts[] = {
"""
TAIL = """};

}  // namespace

std::span<const std::string_view> template_texts() { return kTexts; }

}  // namespace postern::config
"""


def main():
    output, *files = sys.argv[1:]
    parts = [HEAD]
    for file in files:
        text = pathlib.Path(file).read_text(encoding="ascii")
        assert ')YAML"' not in text, file
        parts.append(f'    R"YAML({text})YAML",\n')
    parts.append(TAIL)
    pathlib.Path(output).write_text("".join(parts), encoding="ascii")


if __name__ == "__main__":
    main()
