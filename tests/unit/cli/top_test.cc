// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "cli/top/screen.h"

namespace postern::cli {
namespace {

Json look(int64_t seconds, uint64_t bytes) {
  return {{"time_ns", seconds * 1'000'000'000},
          {"name", "gw"},
          {"uptime_s", seconds},
          {"generation", 3},
          {"sessions", 7},
          {"sessions_max", 65536},
          {"workers", {{{"worker", 0}, {"core", 2}, {"busy_share", 0.25}, {"sessions", 7}}}},
          {"interfaces",
           {{{"name", "lan"}, {"link", "up"}, {"rx_packets", bytes / 100}, {"rx_bytes", bytes}},
            {{"name", "wan"}, {"link", "up"}, {"rx_packets", 0}, {"rx_bytes", 0}}}},
          {"rules", {{{"name", "out"}, {"action", "permit"}, {"line", 9}, {"packets", bytes}}}},
          {"drops", Json::array()}};
}

const Json kTalkers = {{"talkers",
                        {{{"host", "192.168.1.10"},
                          {"sessions", 3},
                          {"sent_bytes", 10},
                          {"received_bytes", 20},
                          {"sent_bytes_per_s", 1000}}}}};

}  // namespace

TEST_CASE("cli/top: rates are of the time between two looks", "[F63]") {
  const Json json = rates_json(look(1, 1000), look(3, 5000), kTalkers);
  CHECK(json["seconds"] == 2);
  CHECK(json["interfaces"][0]["rx_bytes_per_s"] == 2000);
  CHECK(json["interfaces"][0]["rx_packets_per_s"] == 20);
  CHECK(json["rules"][0]["packets_per_s"] == 2000);
  CHECK(json["talkers"][0]["host"] == "192.168.1.10");
  // Counted anew, or never looked at before: no rate.
  CHECK(rates_json(look(1, 9000), look(3, 5000), {})["interfaces"][0]["rx_bytes_per_s"] == 0);
  CHECK(rates_json(Json::object(), look(3, 5000), {})["interfaces"][0]["rx_bytes_per_s"] == 0);
}

TEST_CASE("cli/top: numbers are short", "[F63]") {
  auto [number, text] = GENERATE(table<double, std::string>({{0, "0"},
                                                             {0.25, "0.2"},
                                                             {9, "9"},
                                                             {999, "999"},
                                                             {9999, "9999"},
                                                             {12345, "12.3k"},
                                                             {123456, "123k"},
                                                             {9.99e9, "9990M"},
                                                             {1e10, "10.0G"},
                                                             {1e30, "1000000000000000P"}}));
  CHECK(short_number(number) == text);
}

TEST_CASE("cli/top: a view is sorted and filtered", "[F63]") {
  const auto views = views_of(look(1, 1000), look(3, 5000), kTalkers);
  REQUIRE(views.size() == 5);
  const TopView& interfaces = views[1];
  auto lines = interfaces.lines("", interfaces.sort, false, 10);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].find("*RX-BIT/S") != std::string::npos);
  CHECK(lines[1].find("lan") == 0);
  CHECK(interfaces.lines("", interfaces.sort, true, 10)[1].find("wan") == 0);
  CHECK(interfaces.lines("WAN", 0, false, 10).size() == 2);
  CHECK(interfaces.lines("", 99, false, 2).size() == 2);  // the header and one row
}

TEST_CASE("cli/top: keys choose, and the screen fits its terminal", "[F63]") {
  const auto views = views_of(look(1, 1000), look(3, 5000), kTalkers);
  TopChoice choice;
  for (char key : std::string("3srp+/lx"))
    press(choice, key, views);
  for (int key : {kKeyErase, int{'a'}, kKeyEnter, kKeyTab})
    press(choice, key, views);
  CHECK(choice.view == 3);
  CHECK(choice.sort[2] == 1);
  CHECK(choice.is_reversed);
  CHECK(choice.is_paused);
  CHECK(choice.interval_s == 3);
  CHECK(choice.filter == "la");
  press(choice, kKeyEscape, views);
  CHECK(choice.filter.empty());
  press(choice, '9', views);
  CHECK(choice.view == 3);
  press(choice, 'q', views);
  CHECK(choice.is_over);

  const size_t width = GENERATE(size_t{0}, size_t{1}, size_t{20}, size_t{80}, size_t{300});
  const size_t height = GENERATE(size_t{0}, size_t{1}, size_t{3}, size_t{5}, size_t{24});
  const auto lines =
      screen_lines(choice, views, headline(Json::object(), look(1, 2)), {width, height});
  CHECK(lines.size() <= height);
  for (const std::string& line : lines)
    CHECK(line.size() <= width);
}

TEST_CASE("cli/top: answers with strange parts still show", "[F63]") {
  const Json strange = {{"time_ns", "x"},
                        {"workers", 3},
                        {"interfaces", {1, "a", Json::object()}},
                        {"rules", Json()}};
  CHECK(views_of(strange, strange, strange).size() == 5);
  CHECK_FALSE(headline(strange, strange).empty());
}

}  // namespace postern::cli
