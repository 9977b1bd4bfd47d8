// SPDX-License-Identifier: BSD-3-Clause
// Runs every *.chat file of tests/chat/smtp, and those dialogues that are too many to be written.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/smtp_chat.h"

namespace postern::test {
namespace {

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_CHATS "/smtp")) {
    if (entry.path().extension() == ".chat") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

const std::string kToData =
    "S: 220 mx.a.example ESMTP\n"
    "C: HELO pc\nS: 250 mx.a.example\n"
    "C: MAIL FROM:<joe@a.example>\nS: 250 2.1.0 Sender ok\n"
    "C: RCPT TO:<ann@a.example>\nS: 250 2.1.5 Recipient ok\n"
    "C: DATA\nS: 354 Send the message, end it with <CRLF>.<CRLF>\n";

}  // namespace

TEST_CASE("chat: every dialogue with the SMTP server comes true however it is cut", "[smtp]") {
  const auto paths = scripts();
  REQUIRE(!paths.empty());
  for (const auto& path : paths) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    INFO(path.filename());
    CHECK(run_smtp_chat(text) == "");
  }
}

TEST_CASE("chat: no other end of data lets a second message through SMTP",
          "[smtp][RFC5321-4.1.1.4]") {
  struct Variant {
    const char* end;
    const char* fault;
  };
  const Variant variants[] = {{"\\n.\\n", "bare LF"},          {"\\n.\\r\\n", "bare LF"},
                              {"\\n.\\r", "bare LF"},          {"\\r.\\r", "bare CR"},
                              {"\\r.\\n", "bare CR"},          {"\\r.\\r\\n", "bare CR"},
                              {"\\r\\n.\\n", "bare LF"},       {"\\r\\n.\\r", "bare CR"},
                              {"\\r\\n.\\r\\r\\n", "bare CR"}, {"\\n\\r.\\n\\r", "bare LF"},
                              {"\\n\\n.\\n\\n", "bare LF"},    {"\\r\\r.\\r\\r", "bare CR"},
                              {"\\r\\n\\r.\\r\\n", "bare CR"}, {"\\r\\n\\n.\\r\\n", "bare LF"},
                              {"\\r\\n\\0.\\r\\n", "NUL"},     {"\\r\\n.\\0\\r\\n", "NUL"},
                              {"\\r\\0\\n.\\r\\n", "bare CR"}, {"\\r\\r\\n.\\r\\n", "bare CR"},
                              {"\\0\\r\\n.\\r\\n", "NUL"}};
  for (const Variant& variant : variants) {
    INFO(variant.end);
    // Whether the message ends there or further on: it is refused, and nothing behind is a command.
    const std::string script =
        kToData + "C> Subject: a\\r\\n\\r\\nb" + variant.end +
        "MAIL FROM:<evil@a.example>\\r\\nRCPT TO:<ann@a.example>\\r\\nDATA\\r\\nc\\r\\n.\\r\\n\n" +
        "O: drop\nS: 554 5.6.0 " + variant.fault + " in the message\nO: close\n";
    CHECK(run_smtp_chat(script) == "");
  }
}

TEST_CASE("chat: an endless line in commands ends the session, in a message it is refused",
          "[smtp][RFC5321-4.5.3.1]") {
  const std::string line(200000, 'x');
  CHECK(run_smtp_chat("once\nS: 220 mx.a.example ESMTP\nC> " + line +
                      "\nS: 554 5.5.2 Endless line\nO: close\n") == "");
  CHECK(run_smtp_chat("once\n" + kToData + "C> " + line +
                      "\nO: drop\nC: \nC: .\nS: 554 5.6.0 line too long in the message\n"
                      "O: close\n") == "");
}

}  // namespace postern::test
