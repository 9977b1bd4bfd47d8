// SPDX-License-Identifier: BSD-3-Clause
// Runs every *.chat file of tests/chat/smtp_client, and dialogues that are too long to be written.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/smtp_client_chat.h"

namespace postern::test {
namespace {

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_CHATS "/smtp_client")) {
    if (entry.path().extension() == ".chat") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("chat: every dialogue of the SMTP client comes true however it is cut", "[smtp]") {
  const auto paths = scripts();
  REQUIRE(!paths.empty());
  for (const auto& path : paths) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    INFO(path.filename());
    CHECK(run_smtp_client_chat(text) == "");
  }
}

TEST_CASE("chat: replies to the SMTP client without an end are broken off", "[smtp]") {
  const std::string over =
      "O: session_over 451 4.5.0 What came while waiting for the greeting is no reply\nO: close\n";
  CHECK(run_smtp_client_chat("S> 220 " + std::string(5000, 'x') + "\\r\\n\n" + over) == "");
  std::string lines;
  for (int i = 0; i < 129; ++i)
    lines += "S: 220-x\n";
  CHECK(run_smtp_client_chat(lines + over) == "");
}

}  // namespace postern::test
