#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks which folder may include which, and which third-party header belongs where.

Ours: the list below names, for each folder of src/, the folders that its files may include beside
their own. A folder that is not listed is refused, so that a new one gets its place here first.
Theirs: the first matching line of THEIRS decides; a header that matches none is free.
"""

import re

import source

WIRE = ["base"]
PACKET = WIRE + ["dataplane/wire"]
TABLE = PACKET + ["dataplane/packet"]
STATE = TABLE + ["dataplane/table"]
POLICY = STATE + ["dataplane/nat", "dataplane/filter"]
CAPTURE = STATE
PIPELINE = POLICY + ["dataplane/policy", "dataplane/capture"]
RUNTIME = PIPELINE + ["dataplane/pipeline"]

OURS = {
    "base": [],
    "dataplane/wire": WIRE,
    "dataplane/packet": PACKET,
    "dataplane/table": TABLE,
    "dataplane/nat": STATE,
    "dataplane/nat/alg": STATE + ["dataplane/nat"],
    "dataplane/filter": STATE,
    "dataplane/policy": POLICY,
    "dataplane/capture": CAPTURE,
    "dataplane/pipeline": PIPELINE,
    "dataplane/runtime": RUNTIME,
    "control": ["base", "dataplane", "services", "control"],
    # The offline commands (check, explain, show ports) do themselves what the daemon would do; the
    # others speak to the daemon.
    "cli": ["base", "control/accounts", "control/config", "control/compile", "control/explain",
            "control/check.h", "control/text_file.h", "control/admin/protocol.h",
            "control/remote/channel", "dataplane/policy", "dataplane/runtime/nics.h", "cli"],
}

# A service knows itself, the seams to the loop and to a file of state, and no other service.
SERVICE = ["base", "services/io", "services/sqlite"]

THEIRS = [
    # Pure look-up structures live behind one file of ours each.
    (r"rte_(hash|jhash|acl|fib|rcu_qsbr|thash)", r"dataplane/(table|filter|policy|runtime)/"),
    (r"rte_", r"dataplane/runtime/"),
    (r"yaml-cpp/", r"control/config/"),
    (r"spdlog/", r"(control|services)/"),
    (r"fmt/", r"(control|services|cli)/"),
    (r"sodium|boost/|openssl/|sqlite3", r"(control|services|cli)/"),
    (r"CLI/|systemd/|netlink/|nlohmann/|libnl", r"(control|services|cli)/|dataplane/runtime/"),
    (r"histedit", r"cli/"),
    (r"re2/", r"services/http/access/"),
    (r"spf2/", r"services/mail/spf/"),
    (r"catch2/", r"nowhere in src"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_of(path):
    """The listed folder that holds `path` (below src/), the deepest one that fits, or None."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        folder = "/".join(parts[:length])
        if folder in OURS or (parts[0] == "services" and length <= 2):
            return folder
    return None


def allowed(folder):
    if folder.startswith("services"):
        return SERVICE + [folder]
    return OURS[folder] + [folder]


def check_ours(path, target):
    folder = folder_of(path)
    if folder is None:
        return f"the folder of {path} has no place in tests/lint/includes.py"
    if any(target == a or target.startswith(a + "/") for a in allowed(folder)):
        return None
    return f"{folder} must not include {target}"


def check_theirs(path, target):
    for header, place in THEIRS:
        if re.match(header, target):
            return None if re.match(place, path) else f"{target} does not belong in {path}"
    return None


def check(path, text):
    """Yields (line, what is wrong) for one file below src/."""
    if not path.startswith("src/"):
        return
    inside = path.removeprefix("src/")
    code = source.only_code(text)
    for match in INCLUDE.finditer(code):
        quoted, target = match[1] == '"', match[2]
        wrong = check_ours(inside, target) if quoted else check_theirs(inside, target)
        if quoted and "/" not in target:
            wrong = f'"{target}": include paths start at src/'
        if wrong:
            yield source.line_of(text, match.start()), wrong


if __name__ == "__main__":
    source.run(["src"], (".h", ".cc", ".def"), check)
