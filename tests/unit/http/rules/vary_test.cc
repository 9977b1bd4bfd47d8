// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/vary.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

// Whether a response kept for `first` may answer `second`.
bool same(std::string_view vary, const Fields& first, const Fields& second) {
  const auto names = vary_names(fields_of({{"Vary", vary}}));
  REQUIRE(names);
  return vary_key(*names, first) == vary_key(*names, second);
}

bool same_value(std::string_view name, std::string_view first, std::string_view second) {
  return same(name, fields_of({{name, first}}), fields_of({{name, second}}));
}

}  // namespace

TEST_CASE("http/vary: the names are kept in lower case, in order and once", "[RFC9111-4.1]") {
  CHECK(vary_names(fields_of({})) == "");
  CHECK(vary_names(fields_of({{"Vary", ""}})) == "");
  CHECK(vary_names(fields_of({{"Vary", "Foo, ,bar"}, {"vary", "FOO,Accept"}})) == "accept,bar,foo");
  CHECK_FALSE(vary_names(fields_of({{"Vary", "a"}, {"Vary", " * "}})));
}

TEST_CASE("http/vary: a request matches by the named fields and by no other", "[RFC9111-4.1]") {
  const Fields stored = fields_of({{"Foo", "1"}, {"Bar", "abc"}, {"Other", "2"}});
  CHECK(same("Foo", stored, fields_of({{"foo", "1"}, {"Other", "3"}})));
  CHECK_FALSE(same("Foo", stored, fields_of({{"Foo", "2"}})));
  CHECK_FALSE(same("Foo", stored, fields_of({})));
  CHECK_FALSE(same("Foo", fields_of({}), stored));
  CHECK(same("Foo, Bar", stored, fields_of({{"Bar", "abc"}, {"Foo", "1"}})));
  CHECK_FALSE(same("Foo, Bar", stored, fields_of({{"Foo", "1"}, {"Bar", "abcde"}})));
  CHECK_FALSE(same("Foo, Bar", stored, fields_of({{"Foo", "1"}})));
  // A field that neither has is the same in both; an empty one is not the same as none.
  CHECK(same("Foo, Baz", stored, fields_of({{"Foo", "1"}})));
  CHECK_FALSE(same("Baz", fields_of({{"Baz", ""}}), fields_of({})));
  // Values do not run into the names behind them.
  CHECK_FALSE(same("a, b", fields_of({{"a", "1"}, {"b", "2"}}), fields_of({{"a", "1b:2"}})));
}

TEST_CASE("http/vary: several fields are one list, and white space between members does not count",
          "[RFC9111-4.1]") {
  CHECK(same("Foo", fields_of({{"Foo", "1, 2"}}), fields_of({{"Foo", "1"}, {"Foo", "2"}})));
  CHECK(same_value("Foo", "1,2", " 1, 2 "));
  CHECK_FALSE(same_value("Foo", "1,2", "2,1"));
  CHECK_FALSE(same_value("Foo", "a", "A"));
  CHECK_FALSE(same_value("Foo", "a b", "ab"));
  CHECK_FALSE(same_value("Foo", "\"1, 2\"", "\"1,2\""));
}

TEST_CASE("http/vary: of preferences order, case and white space do not count", "[RFC9111-4.1]") {
  CHECK(same_value("Accept-Language", "en, de", "de, en"));
  CHECK(same_value("Accept-Language", "en, de", "eN, De"));
  CHECK(same_value("Accept-Language", "en;q=0.5, de", " de ,  en ; q=0.5"));
  CHECK_FALSE(same_value("Accept-Language", "en, de", "en"));
  CHECK_FALSE(same_value("Accept-Language", "en, de;q=0.5", "en;q=0.5, de"));
  CHECK(same_value("Accept-Encoding", "gzip, BR", "br,gzip"));
  CHECK(same_value("Accept", "text/html;q=0.5, */*", "*/*,text/html; q=0.5"));
  CHECK_FALSE(same_value("Accept", "text/plain;a=\"X y\"", "text/plain;a=\"Xy\""));
  CHECK_FALSE(same_value("Accept", "text/plain;a=X", "text/plain;a=x"));
}

TEST_CASE("http/vary: a key has a bound", "[RFC9111-4.1]") {
  const std::string much(kVaryKeyMax, 'x');
  CHECK_FALSE(vary_key("cookie", fields_of({{"Cookie", much}})));
  CHECK(vary_key("foo", fields_of({{"Cookie", much}})) == "foo\n");
  const std::string names(kVaryKeyMax + 1, 'n');
  CHECK_FALSE(vary_names(fields_of({{"Vary", names}})));
}

TEST_CASE("http/vary: the newest of the variants that match is taken", "[RFC9111-4]") {
  const std::vector<Variant> variants = {
      {"foo", "foo:1\n", 10}, {"foo", "foo:2\n", 30}, {"foo", "foo:1\n", 20}, {"bar", "bar\n", 5}};
  CHECK(pick_variant(variants, fields_of({{"Foo", "1"}, {"Bar", "x"}})) == 2u);
  CHECK(pick_variant(variants, fields_of({{"Foo", "2"}})) == 1u);
  CHECK(pick_variant(variants, fields_of({{"Foo", "3"}})) == 3u);
  CHECK_FALSE(pick_variant(variants, fields_of({{"Foo", "3"}, {"Bar", "x"}})));
  CHECK_FALSE(pick_variant({}, fields_of({})));
}

TEST_CASE("http/vary: one without Vary is for everybody only when no newer one has it",
          "[RFC9111-4.1]") {
  const Fields other = fields_of({{"Foo", "9"}});
  const std::vector<Variant> older = {{"", "", 10}, {"foo", "foo:1\n", 20}};
  CHECK_FALSE(pick_variant(older, other));
  CHECK(pick_variant(older, fields_of({{"Foo", "1"}})) == 1u);
  const std::vector<Variant> newer = {{"", "", 30}, {"foo", "foo:1\n", 20}};
  CHECK(pick_variant(newer, other) == 0u);
  CHECK(pick_variant(newer, fields_of({{"Foo", "1"}})) == 0u);
}

}  // namespace postern::http
