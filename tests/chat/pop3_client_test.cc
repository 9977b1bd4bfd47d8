// SPDX-License-Identifier: BSD-3-Clause
// Runs every *.chat file of tests/chat/pop3_client, and those dialogues that are too long to be
// written.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "services/mail/pop3/client_listing.h"
#include "support/pop3_client_chat.h"

namespace postern::test {
namespace {

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_CHATS "/pop3_client")) {
    if (entry.path().extension() == ".chat") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

const std::string kToList =
    "S: +OK\nC: CAPA\nS: -ERR\nC: USER joe\nS: +OK\nC: PASS secret\nS: +OK\n"
    "C: STAT\nS: +OK 2 190\nC: LIST\n";

}  // namespace

TEST_CASE("chat: every dialogue with a POP3 server comes true however it is cut", "[pop3][F50]") {
  const auto paths = scripts();
  REQUIRE(!paths.empty());
  for (const auto& path : paths) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    INFO(path.filename());
    CHECK(run_pop3_client_chat(text) == "");
  }
}

TEST_CASE("chat: a list of POP3 that makes no sense ends the session", "[pop3][RFC1939-5]") {
  const std::string lists[] = {"one 120", "1", "1 ", "0 120", "-1 120",  "1 -120",
                               "1 x",     " ", "",   ".1 20", "1\\t120", "4294967296 1"};
  for (const std::string& list : lists) {
    INFO(list);
    const std::string script = kToList + "S: +OK\nS: " + list + "\n" +
                               "O: over fails: the list makes no sense, or is too long: " + list;
    std::string expected = script;
    // Blanks at the ends are not told, controls as question marks.
    while (expected.back() == ' ')
      expected.pop_back();
    if (list == " " || list.empty()) expected += ' ';
    const size_t tab = expected.rfind("\\t");
    if (list.find("\\t") != std::string::npos) expected.replace(tab, 2, "?");
    CHECK(run_pop3_client_chat(expected + "\n") == "");
  }
  CHECK(run_pop3_client_chat(kToList + "S: +OK\nS: 1 120\nS: 1 70\nS: .\n" +
                             "O: over fails: the list has a message twice\n") == "");
}

TEST_CASE("chat: a POP3 server that sends an endless line is left", "[pop3][RFC2449-4]") {
  const std::string fault = "O: over fails: the server sends a line that is too long, or is none\n";
  CHECK(run_pop3_client_chat("S: +OK " + std::string(2100, 'x') + "\n" + fault) == "");
  CHECK(run_pop3_client_chat("S> +OK a\\nb\n" + fault) == "");
  CHECK(run_pop3_client_chat("S> +OK a\\rb\n" + fault) == "");
  CHECK(run_pop3_client_chat("S> +OK a\\0b\n" + fault) == "");
  CHECK(run_pop3_client_chat(kToList + "S: +OK\nS: 1 120" + std::string(2100, ' ') + "\n" +
                             fault) == "");
}

TEST_CASE("chat: a million messages are listed, the oldest of more", "[pop3][F50]") {
  mail::Pop3Listing listing;
  const size_t all = mail::Pop3Listing::kMessagesMax + 5;
  bool is_sound = true;
  for (size_t i = 1; i <= all; ++i)
    is_sound = listing.add(std::to_string(i) + " 1000") && is_sound;
  is_sound = listing.finish() && is_sound;
  for (size_t i = 1; i <= all; ++i)
    is_sound = listing.add_uid(std::to_string(i) + " UID" + std::to_string(i)) && is_sound;
  CHECK(is_sound);
  CHECK(listing.is_cut());
  REQUIRE(listing.messages().size() == mail::Pop3Listing::kMessagesMax);
  const auto& last = listing.messages().back();
  CHECK(last.number == 1'000'000);
  CHECK(listing.uid(last) == "UID1000000");
}

TEST_CASE("chat: the list of POP3 has an end", "[pop3]") {
  mail::Pop3Listing listing;
  size_t taken = 0;
  while (taken < 20'000'000 && listing.add("7 1"))
    ++taken;
  CHECK(taken == mail::Pop3Listing::kLinesMax);
}

}  // namespace postern::test
