// SPDX-License-Identifier: BSD-3-Clause
// Golden files: tests/golden/config/NAME.yaml is a bad (or doubtful) file, NAME.expect what load()
// says of it. POSTERN_GOLDEN=rewrite writes the expectations anew; the diff is the review.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/load.h"

namespace postern::config {
namespace {

namespace fs = std::filesystem;

bool is_rewriting() {
  const char* mode = std::getenv("POSTERN_GOLDEN");
  return mode && std::string_view(mode) == "rewrite";
}

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the file must hold; writes it when rewriting.
bool matches(const fs::path& path, const std::string& wanted) {
  if (is_rewriting()) std::ofstream(path, std::ios::binary) << wanted;
  return read_all(path) == wanted;
}

std::string findings_text(const Loaded& loaded, const std::string& file) {
  std::string out;
  for (const Finding& finding : loaded.findings)
    out += to_text(finding, file) + "\n";
  return out;
}

}  // namespace

TEST_CASE("config/golden: every bad file gets exactly the findings expected", "[golden]") {
  std::vector<fs::path> inputs;
  for (const auto& entry : fs::directory_iterator(POSTERN_SOURCE_ROOT "/tests/golden/config")) {
    if (entry.path().extension() == ".yaml") inputs.push_back(entry.path());
  }
  std::sort(inputs.begin(), inputs.end());
  CHECK(inputs.size() >= 60);
  for (const fs::path& input : inputs) {
    Loaded loaded = load(read_all(input));
    std::string found = findings_text(loaded, input.filename());
    fs::path expect = fs::path(input).replace_extension(".expect");
    INFO(input << "\nfound:\n" << found << "expected:\n" << read_all(expect));
    CHECK(matches(expect, found));
    CHECK_FALSE(loaded.findings.empty());
  }
}

TEST_CASE("config/golden: the shipped schema is the one of the key tables", "[golden]") {
  CHECK(matches(POSTERN_SOURCE_ROOT "/conf/postern.schema.json", json_schema()));
}

}  // namespace postern::config
