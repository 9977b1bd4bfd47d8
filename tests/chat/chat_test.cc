// SPDX-License-Identifier: BSD-3-Clause
// Runs every *.chat file below this folder.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/dns_chat.h"

namespace postern::test {
namespace {

std::vector<std::filesystem::path> scripts(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_CHATS "/" + folder)) {
    if (entry.path().extension() == ".chat") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("chat: every dialogue with the DNS service comes true", "[dns]") {
  auto paths = scripts("dns");
  REQUIRE(!paths.empty());
  for (const auto& path : paths) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    INFO(path.filename());
    CHECK(run_dns_chat(text) == "");
  }
}

}  // namespace postern::test
