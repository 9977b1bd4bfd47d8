#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every lint script must catch its bad sample and leave its good one alone."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import coroutines
import headers
import hotpath
import includes
import orphans
import requirements
import sizes
import source
import totals

SPDX = "// SPDX-License-Identifier: BSD-3-Clause\n"


def wrong(module, path, text):
    """The lines that a check complains about."""
    return [line for line, _what in module.check(path, text)]


class Includes(unittest.TestCase):
    def refused(self, path, include):
        return bool(wrong(includes, f"src/{path}", f"#include {include}\n"))

    def test_direction(self):
        self.assertTrue(self.refused("base/a.h", '"dataplane/wire/b.h"'))
        self.assertTrue(self.refused("dataplane/nat/a.cc", '"dataplane/filter/b.h"'))
        self.assertTrue(self.refused("dataplane/policy/a.cc", '"dataplane/pipeline/b.h"'))
        self.assertTrue(self.refused("services/dns/a.cc", '"services/dhcp/b.h"'))
        self.assertTrue(self.refused("cli/a.cc", '"control/apply/b.h"'))
        self.assertFalse(self.refused("dataplane/pipeline/a.cc", '"dataplane/wire/b.h"'))
        self.assertFalse(self.refused("control/compile/a.cc", '"dataplane/policy/b.h"'))
        self.assertFalse(self.refused("services/dns/a.cc", '"services/io/b.h"'))

    def test_form(self):
        self.assertTrue(self.refused("base/a.cc", '"a.h"'))
        self.assertTrue(self.refused("elsewhere/a.cc", '"base/b.h"'))
        self.assertFalse(self.refused("base/a.cc", "<vector> // #include \"x.h\""))

    def test_third_party(self):
        self.assertTrue(self.refused("dataplane/pipeline/a.cc", "<rte_mbuf.h>"))
        self.assertTrue(self.refused("control/apply/a.cc", "<yaml-cpp/yaml.h>"))
        self.assertTrue(self.refused("base/a.h", "<spdlog/spdlog.h>"))
        self.assertFalse(self.refused("dataplane/runtime/a.cc", "<rte_mbuf.h>"))
        self.assertFalse(self.refused("dataplane/filter/a.cc", "<rte_acl.h>"))
        self.assertFalse(self.refused("control/config/a.cc", "<yaml-cpp/yaml.h>"))


class Hotpath(unittest.TestCase):
    def lines(self, body, path="src/dataplane/nat/a.cc"):
        return wrong(hotpath, path, SPDX + body)

    def test_what_is_refused(self):
        for bad in ("auto p = new int;", "free(p);", "std::function<void()> f;", "throw 1;",
                    "counter.fetch_add(1);", "std::lock_guard l(m);", 'printf("x");',
                    "std::string s;", "auto t = std::chrono::steady_clock::now();",
                    "auto h = reinterpret_cast<Header*>(p);", "std::shared_ptr<int> p;"):
            self.assertEqual(self.lines(f"void f() {{\n  {bad}\n}}\n"), [3], bad)

    def test_what_is_allowed(self):
        for good in ("// a new mapping", "Table(const Table&) = delete;", "std::string_view s;",
                     "const char* s = \"new\";", "x.load(std::memory_order_acquire);"):
            self.assertEqual(self.lines(f"void f() {{\n  {good}\n}}\n"), [], good)

    def test_constructors_may_allocate(self):
        body = "Table::Table(int n)\n    : size_{n}, rows_(new int[n]) {\n  new int;\n}\n"
        self.assertEqual(self.lines(body), [])
        self.assertEqual(self.lines(body + "void Table::f() {\n  new int;\n}\n"), [7])

    def test_cold_code(self):
        self.assertEqual(self.lines("// cold: text for people.\nstd::string f();\n"), [])
        cold = "int x;\n// cold: text for people.\nstd::string f() {\n  return std::string();\n}\n"
        self.assertEqual(self.lines(cold), [])
        self.assertEqual(self.lines(cold + "std::string g();\n"), [7])
        self.assertEqual(self.lines("// cold: but throwing is never right.\nthrow 1;\n"), [3])

    def test_where(self):
        cast = "auto h = reinterpret_cast<Header*>(p);\n"
        self.assertEqual(self.lines(cast, "src/dataplane/wire/a.h"), [])
        self.assertEqual(self.lines("new int;\n", "src/dataplane/runtime/a.cc"), [])


class Coroutines(unittest.TestCase):
    def lines(self, body):
        return wrong(coroutines, "src/services/dns/a.cc", body)

    def test_what_is_refused(self):
        for bad in ("co_await f([x] { return x; });", "co_await f(Aggregate{1, 2});",
                    "co_await f({1, 2});", "co_await f(c ? a() : b());",
                    "auto r = g(Aggregate{1}, co_await f());", "co_return co_await f({.a = 1});",
                    "if (co_await f(Aggregate{1})) {\n}"):
            self.assertEqual(self.lines(f"awaitable<void> h() {{\n  {bad}\n}}\n"), [2], bad)

    def test_what_is_allowed(self):
        for good in ("auto l = [x] { return x; };\n  co_await f(l);",
                     "Aggregate a{1};\n  co_await f(a);",
                     "co_await f(a[0], b);", "if (co_await f()) {\n  g({1});\n  }",
                     "co_spawn(e, [x]() -> awaitable<void> { co_await f(x); }, detached);"):
            self.assertEqual(self.lines(f"awaitable<void> h() {{\n  {good}\n}}\n"), [], good)


class Sizes(unittest.TestCase):
    def test_sizes(self):
        path = "src/base/a.cc"
        self.assertEqual(wrong(sizes, path, SPDX + "int a;\n"), [])
        self.assertEqual(wrong(sizes, path, "int a;\n"), [1])
        self.assertEqual(wrong(sizes, path, SPDX + "// " + "x" * 98 + "\n"), [2])
        self.assertEqual(wrong(sizes, path, SPDX + "\n" * 400), [401])
        self.assertEqual(wrong(sizes, path, SPDX + "void f() {\n" + "  g();\n" * 69 + "}\n"), [2])
        self.assertEqual(wrong(sizes, path, SPDX + "void f() {\n" + "  g();\n" * 68 + "}\n"), [])
        self.assertEqual(wrong(sizes, path, SPDX + "// TO" "DO: later\n"), [2])


class InATree(unittest.TestCase):
    """Checks that need files around them."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(setattr, source, "ROOT", source.ROOT)
        self.addCleanup(setattr, sys, "stderr", sys.stderr)
        source.ROOT = self.root
        sys.stderr = open(os.devnull, "w", encoding="utf-8")
        self.addCleanup(sys.stderr.close)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def build_of_one_file(self, option="-Wall"):
        """A build directory in which src/a.cc alone is built."""
        entry = {"directory": self.root + "/build", "file": "../src/a.cc",
                 "command": f"g++ -std=c++20 {option} -Werror -o a.o -c ../src/a.cc"}
        self.write("build/compile_commands.json", json.dumps([entry]))
        return os.path.join(self.root, "build")

    def test_orphans(self):
        build = self.build_of_one_file()
        self.write("src/a.h", "#pragma once\n")
        self.write("src/a.cc", '#include "a.h"\n')
        self.assertEqual(orphans.main(build), 0)
        self.write("src/b.h", "#pragma once\n")
        self.assertEqual(orphans.main(build), 1)
        self.write("src/a.cc", '#include "a.h"\n#include "b.h"\n')
        self.assertEqual(orphans.main(build), 0)
        self.write("tests/bench/wire/c.h", "#pragma once\n")
        self.write("src/a.cc", '#include "a.h"\n#include "b.h"\n#include "wire/c.h"\n')
        self.assertEqual(orphans.main(build), 1)  # compiled without -I for tests/bench
        bench = self.build_of_one_file("-I../tests/bench")
        self.assertEqual(orphans.main(bench), 0)
        self.write("tests/a_test.cc", "int a;\n")
        self.assertEqual(orphans.main(build), 1)

    def test_headers(self):
        build = self.build_of_one_file()
        self.write("src/a.h", "#pragma once\n#include <vector>\ninline std::vector<int> a;\n")
        self.assertEqual(headers.main(build), 0)
        self.write("src/b.h", "#pragma once\ninline std::vector<int> b;\n")
        self.assertEqual(headers.main(build), 1)

    def test_requirements(self):
        self.write(requirements.LIST, "== A\nF01 must One\nRFC4787-REQ1 must Two\nP01 may Three\n")
        self.write("src/base/a.h", "// RFC4787-REQ1a and more\n")
        self.write("tests/unit/a_test.cc", 'TEST_CASE("a: b, "\n  "c", "[a][F01]") {}\n')
        self.assertEqual(requirements.run(self.root, False), 0)
        self.assertEqual(requirements.run(self.root, True), 1)  # RFC4787-REQ1 is open
        self.write("tests/flow/a.flow", "# covers RFC4787-REQ1\n")
        self.assertEqual(requirements.run(self.root, True), 1)  # CONFORMANCE.md is stale
        self.assertEqual(requirements.run(self.root, False), 0)
        self.assertEqual(requirements.run(self.root, True), 0)
        row = "| RFC4787-REQ1 | must | Two | `src/base/a.h` | `tests/flow/a.flow` | met |"
        self.assertIn(row, source.read(self.root, "CONFORMANCE.md"))
        lab_test = 'def test_it(lab):\n    """That\n    it works (P01)."""\n'
        self.write("tests/lab/a_test.py", lab_test)
        self.assertEqual(requirements.run(self.root, False), 0)
        self.assertIn("| `tests/lab/a_test.py` | met |", source.read(self.root, "CONFORMANCE.md"))
        self.write("tests/lab/a_test.sh", "# covers F99\n")
        self.assertEqual(requirements.run(self.root, True), 1)  # no such requirement

    def test_clauses_and_sections(self):
        clauses = "RFC4787-REQ9 must Whole\nRFC4787-REQ9a must Clause\n"
        sections = "RFC1812-5.3 must Section\nRFC1812-5.3b must Second of it\n"
        self.write(requirements.LIST, "== A\n" + clauses + sections)
        self.write("tests/flow/a.flow", "# covers RFC4787-REQ9b REQ9a RFC1812-5.3a\n")
        self.assertEqual(requirements.run(self.root, False), 0)
        self.assertEqual(requirements.run(self.root, True), 1)  # RFC1812-5.3b is open
        self.write("tests/flow/b.flow", "# covers RFC1812-5.3b\n")
        self.assertEqual(requirements.run(self.root, False), 0)
        self.assertEqual(requirements.run(self.root, True), 0)
        row = "| RFC1812-5.3 | must | Section |  | `tests/flow/a.flow` | met |"
        self.assertIn(row, source.read(self.root, "CONFORMANCE.md"))
        self.write("tests/flow/c.flow", "# covers RFC1812-5\n")
        self.assertEqual(requirements.run(self.root, True), 1)  # no such requirement

    def test_totals(self):
        catch = "All tests passed (57 assertions in 4 test cases)"
        self.assertEqual(totals.counted(catch), (4, 0, 0))
        self.assertEqual(totals.counted("test cases: 5 | 3 passed | 2 failed\n"), (3, 2, 0))
        self.assertEqual(totals.counted("noise\nlab: 7 passed, 1 failed, 2 skipped\n"), (7, 1, 2))
        self.assertIsNone(totals.counted("noise"))
        bad = self.write("a.log", "3 passed, 0 failed\nexit status 1\n")
        self.assertEqual(totals.read(bad), [("a.log", (3, 1, 0))])
        meson = self.write("a.json", '{"name": "x", "result": "TIMEOUT", "stdout": ""}\n'
                           '{"name": "y", "result": "OK", "stdout": ""}\n')
        self.assertEqual(totals.read(meson), [("x", (0, 1, 0)), ("y", (1, 0, 0))])


if __name__ == "__main__":
    unittest.main()
