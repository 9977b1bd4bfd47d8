#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A first JSON Schema of a command's output:

  postern --json show things | tests/schema/draft.py TITLE

What one output cannot tell is left to the author: which keys may be missing or null, which words
there are, and which objects have keys of their own (counters).
"""

import json
import re
import sys

WIDTH = 98
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def merged(schemas):
    """One schema for all elements of a list."""
    found = {}
    for schema in schemas:
        if not found:
            found = schema
        elif found.get("properties") and schema.get("properties"):
            properties = dict(found["properties"])
            for key, value in schema["properties"].items():
                properties[key] = merged([properties[key], value]) if key in properties else value
            required = [key for key in found["required"] if key in schema["required"]]
            found = {"type": "object", "required": required, "properties": properties}
        elif found != schema and "type" in schema and "type" in found:
            types = {*listed(found["type"]), *listed(schema["type"])}
            kept = {**schema, **found}
            found = {**kept, "type": sorted(types, key="null".__eq__)}
            if len(types) == 1:
                found["type"] = types.pop()
    return found


def listed(types):
    return types if isinstance(types, list) else [types]


def draft(value):
    if value is None:
        return {"type": "null"}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "minimum": 0} if value >= 0 else {"type": "integer"}
    if isinstance(value, float):
        return {"type": "number"}
    if isinstance(value, str):
        is_time = TIME.match(value)
        return {"$ref": "common.json#/$defs/time"} if is_time else {"type": "string"}
    if isinstance(value, list):
        return {"type": "array", "items": merged([draft(one) for one in value])}
    properties = {key: draft(one) for key, one in value.items()}
    return {"type": "object", "required": list(properties), "properties": properties}


def text_of(value, indent="", used=0):
    """JSON that is on one line where it has room."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + used + len(line) <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, list):
        rows = [text_of(one, inner) for one in value]
        return "[\n" + ",\n".join(inner + row for row in rows) + f"\n{indent}]"
    rows = []
    for key, one in value.items():
        head = json.dumps(key) + ": "
        rows.append(inner + head + text_of(one, inner, len(head)))
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"


def main(title):
    schema = draft(json.load(sys.stdin))
    if "schema_version" in schema["properties"]:
        schema["properties"]["schema_version"] = {"const": 1}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    print(text_of(head | schema))


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
