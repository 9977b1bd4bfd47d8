# SPDX-License-Identifier: BSD-3-Clause
"""The JSON Schemas of doc/schema, and which commands of `postern` need one."""

import json
import os
import re
import subprocess

import jsonschema

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../doc/schema")

# What these print is no JSON of ours, whatever is asked for.
WITHOUT = {
    "completion bash": "a script",
    "completion zsh": "a script",
    "config schema": "is a JSON Schema",
    "lab demo": "scenes for people",
    "lab down": "prints nothing",
    "lab exec": "prints what another program prints",
    "lab restart": "prints nothing",
    "lab sniff": "prints what another program prints",
    "lab up": "prints how to go on",
    "shell": "prints what its commands print",
}


def commands(postern):
    """Every command without further ones below it, such as "show rules"."""
    script = subprocess.run(
        [postern, "completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^    '([^']*)'\|'\1 '\*\) offered=", script, re.MULTILINE)
    return [words.strip() for words in found]


def load():
    """By the name of the file, without its ending."""
    schemas = {}
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".json"):
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                schemas[name[:-5]] = json.load(file)
    return schemas


def file_of(command):
    return command.replace(" ", "-")


def strict(schema):
    """The same, which admits no key that it does not describe: programs ought to ignore what they
    do not know, but what we print is to be described."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(one) for key, one in schema.items()}
    if "properties" in schema and isinstance(schema.get("type"), str):
        result.setdefault("additionalProperties", False)
    return result


class Validator:
    def __init__(self):
        self.schemas = load()
        base = "file://" + os.path.realpath(FOLDER) + "/"
        self.store = {base + name + ".json": strict(one) for name, one in self.schemas.items()}
        self.base = base

    def wrong(self, command, document):
        """What is wrong with an output of the command, in one line; None when nothing is."""
        name = "error" if "error" in document else file_of(command)
        path = f"doc/schema/{name}.json"
        if name not in self.schemas:
            return f"{path} is missing"
        schema = self.store[self.base + name + ".json"]
        resolver = jsonschema.RefResolver(self.base + name + ".json", schema, store=self.store)
        validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
        errors = list(validator.iter_errors(document))
        if not errors:
            return None
        error = jsonschema.exceptions.best_match(errors)
        place = "".join(f"[{key!r}]" for key in error.absolute_path)
        return f"{path}: {place or 'the whole'}: {error.message[:300]}"
