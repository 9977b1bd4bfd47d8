#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every command of `postern` has its JSON Schema in doc/schema, and the schemas are sound. What the
commands print is held against them in tests/lab/schema_test.py. Argument: the program."""

import json
import subprocess
import sys
import unittest

import jsonschema
import schemas

POSTERN = sys.argv.pop(1)
DRAFT = schemas.os.path.join(schemas.os.path.dirname(__file__), "draft.py")


class SchemaTest(unittest.TestCase):
    def test_every_command_has_a_schema(self):
        commands = schemas.commands(POSTERN)
        self.assertGreater(len(commands), 25)
        files = set(schemas.load()) - {"common", "error"}
        wanted = {schemas.file_of(name) for name in commands if name not in schemas.WITHOUT}
        self.assertEqual(wanted - files, set(), "no file of doc/schema; see CONTRIBUTING.md")
        self.assertEqual(files - wanted, set(), "a schema without a command")
        self.assertEqual(set(schemas.WITHOUT) - set(commands), set(), "no such command")

    def test_the_schemas_are_schemas(self):
        for name, schema in schemas.load().items():
            with self.subTest(schema=name):
                jsonschema.Draft202012Validator.check_schema(schema)
                self.assertTrue(schema["title"])

    def test_what_is_not_described_is_found(self):
        validator = schemas.Validator()
        good = {"schema_version": 1, "version": "1.2.3"}
        self.assertIsNone(validator.wrong("version", good))
        self.assertIn("'more'", validator.wrong("version", good | {"more": 1}))
        self.assertIn("'version'", validator.wrong("version", {"schema_version": 1}))
        later = good | {"schema_version": 2}
        self.assertIn("['schema_version']", validator.wrong("version", later))
        self.assertIn("missing", validator.wrong("show nonsense", good))
        bad = {"severity": "mild", "line": 1, "column": 1, "path": "", "text": ""}
        told = {"schema_version": 1, "file": "x", "valid": True, "findings": [bad]}
        self.assertIn("['findings'][0]['severity']", validator.wrong("check", told))
        refused = {"schema_version": 1, "error": {"code": "failed", "text": "no"}}
        self.assertIsNone(validator.wrong("version", refused))
        self.assertIn("'why'", validator.wrong("version", refused | {"why": 1}))

    def test_a_draft_fits_what_it_was_made_of(self):
        rows = [{"name": "a", "at": "2026-01-01T00:00:00Z", "line": 3}, {"name": "b", "line": None}]
        output = {"schema_version": 1, "rows": rows}
        drafted = subprocess.run(
            [DRAFT, "things"], input=json.dumps(output), capture_output=True, text=True, check=True
        ).stdout
        self.assertLess(max(map(len, drafted.splitlines())), 100)
        row = json.loads(drafted)["properties"]["rows"]["items"]
        self.assertEqual(row["required"], ["name", "line"])
        self.assertEqual(set(row["properties"]["line"]["type"]), {"integer", "null"})


if __name__ == "__main__":
    unittest.main()
