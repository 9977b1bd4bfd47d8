// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/report.h"

#include <array>
#include <catch2/catch.hpp>

namespace postern::config {

TEST_CASE("config/report: the nearest word forgives one slip in short words, more in long ones") {
  constexpr std::array<std::string_view, 4> kWords = {"zone", "mtu", "mss_clamp", "address"};
  CHECK(nearest_word("zoen", kWords) == "zone");
  CHECK(nearest_word("mut", kWords) == "mtu");
  CHECK(nearest_word("mssclmp", kWords) == "mss_clamp");
  CHECK(nearest_word("adress", kWords) == "address");
  CHECK(nearest_word("xyz", kWords).empty());
  CHECK(nearest_word("", kWords).empty());
  CHECK(nearest_word(std::string(5000, 'a'), kWords).empty());
  CHECK(hint("zne", kWords) == "; did you mean 'zone'?");
  CHECK(hint("xyz", kWords) == "; expected one of zone, mtu, mss_clamp, address");
  CHECK(hint("xyz", {}).empty());
}

TEST_CASE("config/report: what a file holds cannot write to the terminal") {
  CHECK(quote("a\x1b[2J\n") == "'a\\x1b[2J\\x0a'");
  CHECK(quote("\xC2\x9B"
              "31m") == "'\\x9b31m'");
  CHECK(quote("gr\xC3\xBC\xC3\x9F") == "'gr\xC3\xBC\xC3\x9F'");
  CHECK(join("objects.addresses", "a\nb") == "objects.addresses.a\\x0ab");
  std::string cut = quote(std::string(59, 'x') + "\xC3\xBC");
  CHECK(cut == "'" + std::string(59, 'x') + "...'");
}

TEST_CASE("config/report: a path leads to the deepest place that the file has") {
  Report report;
  auto root = read_yaml("a:\n  b.c: [x, { d: y }]\n  b: z\nlone: 1\n", report);
  REQUIRE(root);
  report.set_tree(&*root);
  report.error_at("a.b.c[1].d", "");
  report.error_at("a.b.c[1].nothing.at.all", "");
  report.error_at("a.b", "");
  report.error_at("lone[0]", "");
  report.error_at("nowhere", "");
  auto found = report.take();
  REQUIRE(found.size() == 5);
  CHECK(to_text(found[0], "x") == "x:1:1: error: nowhere: ");
  CHECK(found[1].mark.column == 12);
  CHECK(found[2].mark.column == 17);
  CHECK(found[3].mark.line == 3);
  CHECK(found[4].mark.line == 4);
}

}  // namespace postern::config
