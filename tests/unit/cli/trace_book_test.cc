// SPDX-License-Identifier: BSD-3-Clause
#include "cli/trace_book.h"

#include <catch2/catch.hpp>

namespace postern::cli {
namespace {

Json row(int number, const char* stage, int worker = 0) {
  return {{"packet", number},
          {"stage", stage},
          {"worker", worker},
          {"interface", "lan"},
          {"generation", 3},
          {"protocol", "udp"},
          {"source", "10.0.0.1:5"},
          {"destination", "10.0.0.2:53"},
          {"length", 60}};
}

std::vector<std::string> stages_of(const Json& packet) {
  std::vector<std::string> names;
  for (const Json& stage : packet["stages"])
    names.push_back(stage["stage"].get<std::string>());
  return names;
}

}  // namespace

TEST_CASE("cli/trace_book: rows of several workers become the way of a packet", "[P13]") {
  TraceBook book;
  // The second worker's rows came first.
  book.add(row(7, "session", 1), Instant{1});
  book.add(row(7, "sent", 1), Instant{1});
  CHECK(book.take(Instant{1}, false).empty());
  Json handed = row(7, "handed-over", 0);
  handed["to_worker"] = 1;
  book.add(row(7, "received", 0), Instant{2});
  book.add(handed, Instant{2});
  CHECK(book.take(Instant{2}, false).empty());  // more of it may come
  auto whole = book.take(Instant{3}, false);
  REQUIRE(whole.size() == 1);
  CHECK(stages_of(whole[0]) ==
        std::vector<std::string>{"received", "handed-over", "session", "sent"});
  CHECK(whole[0]["verdict"] == "forwarded");
  CHECK(book.take(Instant{9}, true).empty());
}

TEST_CASE("cli/trace_book: the verdict names the rule that gave it", "[P13][C07]") {
  TraceBook book;
  book.add(row(1, "received"), Instant{1});
  Json dropped = row(1, "dropped");
  dropped["reason"] = "filter_deny";
  dropped["rule"] = "no-mail";
  dropped["line"] = 12;
  book.add(dropped, Instant{1});
  SECTION("in silence") {
    auto whole = book.take(Instant{2}, false);
    REQUIRE(whole.size() == 1);
    CHECK(whole[0]["verdict"] == "dropped");
    CHECK(whole[0]["rule"] == "no-mail");
    CHECK(whole[0]["line"] == 12);
    CHECK(text_of_trace(whole[0]).find("dropped filter_deny, rule no-mail (line 12), policy 3\n") !=
          std::string::npos);
  }
  SECTION("with an answer") {
    book.add(row(1, "sent"), Instant{1});
    auto whole = book.take(Instant{2}, false);
    REQUIRE(whole.size() == 1);
    CHECK(whole[0]["verdict"] == "answered");
  }
}

TEST_CASE("cli/trace_book: a packet that goes nowhere is told after a while", "[P13]") {
  TraceBook book;
  book.add(row(1, "received"), Instant{1});
  book.add(row(2, "session"), Instant{1});  // its begin was lost
  CHECK(book.take(Instant{2}, false).empty());
  auto whole = book.take(Instant{1} + TraceBook::kPatience, false);
  REQUIRE(whole.size() == 1);
  CHECK(whole[0]["verdict"] == "waiting");
  CHECK(book.take(Instant{9} + TraceBook::kPatience, true).empty());
}

TEST_CASE("cli/trace_book: a number that comes back is another packet", "[P13]") {
  TraceBook book;
  book.add(row(1, "received"), Instant{1});
  book.add(row(1, "received"), Instant{2});
  book.add(row(1, "sent"), Instant{2});
  auto whole = book.take(Instant{3}, true);
  REQUIRE(whole.size() == 2);
  CHECK(whole[0]["verdict"] == "waiting");
  CHECK(whole[1]["verdict"] == "forwarded");
}

TEST_CASE("cli/trace_book: what follows is bounded", "[P13]") {
  TraceBook book;
  for (size_t i = 0; i < TraceBook::kPacketsMax + 3; ++i)
    book.add(row(static_cast<int>(i + 1), "received"), Instant{1});
  CHECK(book.take(Instant{1}, false).size() == 3);
}

}  // namespace postern::cli
