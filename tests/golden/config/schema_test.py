#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds conf/postern.schema.json and the loader together. usage: schema_test.py LOADER

1. The schema is a valid draft 7 schema and accepts the shipped files.
2. Each golden file says in its first line what the schema makes of it, "schema: refuses" or
   "schema: cannot say (why)", and that is true; what the schema refuses, the loader refuses.
3. Thousands of changed copies of gateway.yaml: what the schema refuses, the loader refuses too.

LOADER reads one configuration a line and answers 1 (accepted) or 0.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests/golden/config"
ODD_VALUES = [None, True, -1, 4000000000, "", "No Such", [], [[]], {"odd": 1}]


class Loader(yaml.SafeLoader):
    """YAML 1.2 core types, as editors read them; PyYAML itself reads 1.1."""

    yaml_implicit_resolvers = {}


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), None)
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), None)
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), None)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?([0-9]+\.[0-9]*|[0-9]+[eE][-+]?[0-9]+)$"), None
)
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))

failures = []
counts = {"checked": 0}


def expect(claim, text):
    counts["checked"] += 1
    if not claim:
        failures.append(text)


def read(path):
    """The file as editors see it, or None when it is no YAML for them."""
    try:
        return yaml.load(path.read_bytes(), Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError):
        return None


def check_golden(validator, path):
    first_line = path.read_bytes().split(b"\n")[0].decode()
    claim = re.fullmatch(r"# schema: (refuses|cannot say \(.+\))", first_line)
    expect(claim, f"{path.name}: the first line does not say what the schema makes of it")
    if not claim:
        return
    text = path.read_text(encoding="latin-1")
    document = read(path)
    loads = document is not None or text.count("\n") == 1
    refused = loads and not validator.is_valid(document)
    expect(
        refused == (claim[1] == "refuses"),
        f"{path.name}: says '{claim[1]}', but the schema {'refuses' if refused else 'does not'}",
    )
    findings = path.with_suffix(".expect").read_text(encoding="utf-8")
    if refused:
        expect(": error: " in findings, f"{path.name}: refused by the schema, loaded by us")


def places(node, path=()):
    """Every value below the root as a path of keys and indices."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        yield path + (key,)
        if isinstance(child, (dict, list)):
            yield from places(child, path + (key,))


def mutants(document):
    for path in list(places(document)):
        for value in ODD_VALUES:
            changed = copy.deepcopy(document)
            node = changed
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value
            yield f"{path} = {value!r}", changed
        changed = copy.deepcopy(document)
        node = changed
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        yield f"{path} removed", changed


def check_mutants(validator, loader):
    named = list(mutants(read(ROOT / "conf/gateway.yaml")))
    lines = "".join(json.dumps(document) + "\n" for _, document in named)
    answer = subprocess.run([loader], input=lines, capture_output=True, text=True, check=True)
    accepted = answer.stdout.split()
    expect(len(accepted) == len(named), "the loader did not answer every line")
    agreed = 0
    for (name, document), verdict in zip(named, accepted):
        if verdict == "0" and not validator.is_valid(document):
            agreed += 1
        elif verdict == "1":
            expect(validator.is_valid(document), f"{name}: refused by the schema, loaded by us")
    counts["checked"] += agreed
    expect(agreed > len(named) / 2, "hardly a changed file is refused by both")


def main():
    schema = json.loads((ROOT / "conf/postern.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for name in ("gateway.yaml", "minimal.yaml"):
        errors = [error.message for error in validator.iter_errors(read(ROOT / "conf" / name))]
        expect(not errors, f"{name}: {errors}")
    golden = sorted(GOLDEN.glob("*.yaml"))
    expect(len(golden) >= 60, f"{len(golden)} golden files, at least 60 are wanted")
    for path in golden:
        check_golden(validator, path)
    check_mutants(validator, sys.argv[1])
    print("\n".join(failures))
    print(f"{counts['checked'] - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
