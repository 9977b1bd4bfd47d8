// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/conditional.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

const std::string kDate = date_text(kNow);
const std::string kHourAgo = date_text(kNow - 3600);
const std::string kEarlier = date_text(kNow - 7200);

Validators with_tag(std::string_view tag) {
  return validators_of(fields_of({{"ETag", tag}}), kNow);
}

bool not_modified(std::string_view tag, std::string_view asked) {
  return is_not_modified(fields_of({{"If-None-Match", asked}}), with_tag(tag), kNow);
}

}  // namespace

TEST_CASE("http/conditional: an entity tag is quoted, and weak by W/ alone", "[RFC9110-8.8.3]") {
  CHECK(parse_entity_tag("\"a\"")->opaque == "\"a\"");
  CHECK_FALSE(parse_entity_tag("\"a\"")->is_weak);
  CHECK(parse_entity_tag("W/\"a\"")->opaque == "\"a\"");
  CHECK(parse_entity_tag("W/\"a\"")->is_weak);
  CHECK(parse_entity_tag("\"\""));
  CHECK(parse_entity_tag("\"\xfc\""));
  for (const char* text : {"", "a", "\"", "\"a", "a\"", "w/\"a\"", "W\"a\"", "W\\\"a\"", "W/a",
                           "\"a b\"", "\"a\"b\"", "\"a\x7f\"", "'a'", "*", "W/"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_entity_tag(text));
  }
}

TEST_CASE("http/conditional: strong and weak comparison", "[RFC9110-8.8.3.2]") {
  struct Case {
    const char* one;
    const char* other;
    bool strongly;
    bool weakly;
  };
  for (const Case& row :
       {Case{"W/\"1\"", "W/\"1\"", false, true}, Case{"W/\"1\"", "W/\"2\"", false, false},
        Case{"W/\"1\"", "\"1\"", false, true}, Case{"\"1\"", "\"1\"", true, true}}) {
    CHECK(match_strongly(*parse_entity_tag(row.one), *parse_entity_tag(row.other)) == row.strongly);
    CHECK(match_weakly(*parse_entity_tag(row.one), *parse_entity_tag(row.other)) == row.weakly);
  }
}

TEST_CASE("http/conditional: Last-Modified is strong a minute before Date", "[RFC9110-8.8.2.2]") {
  const std::string just = date_text(kNow - 59);
  const std::string minute = date_text(kNow - 60);
  const auto modified = [](std::string_view date, std::string_view when) {
    return validators_of(fields_of({{"Date", date}, {"Last-Modified", when}}), kNow);
  };
  CHECK_FALSE(modified(kDate, just).has_strong());
  CHECK(modified(kDate, minute).has_strong());
  CHECK_FALSE(modified("foo", minute).has_strong());
  CHECK(modified("foo", minute).has_any());
  CHECK_FALSE(modified(kDate, "yesterday").has_any());
  CHECK_FALSE(validators_of(fields_of({{"ETag", "\"a\""}, {"ETag", "\"b\""}}), kNow).has_any());
}

TEST_CASE("http/conditional: parts are of one object by a strong validator", "[RFC9111-3.4]") {
  CHECK(same_strongly(with_tag("\"a\""), with_tag("\"a\"")));
  CHECK_FALSE(same_strongly(with_tag("\"a\""), with_tag("\"b\"")));
  CHECK_FALSE(same_strongly(with_tag("W/\"a\""), with_tag("W/\"a\"")));
  const Validators old =
      validators_of(fields_of({{"Date", kDate}, {"Last-Modified", kHourAgo}}), kNow);
  CHECK(same_strongly(old, old));
  Validators tagged = old;
  tagged.tag = parse_entity_tag("\"a\"");
  Validators otherwise = old;
  otherwise.tag = parse_entity_tag("\"b\"");
  CHECK(same_strongly(tagged, old));
  CHECK_FALSE(same_strongly(tagged, otherwise));
  CHECK_FALSE(same_strongly({}, {}));
}

TEST_CASE("http/conditional: the origin is asked by what is stored", "[RFC9111-4.3.1]") {
  const Fields both = fields_of({{"ETag", "W/\"a\""}, {"Last-Modified", kHourAgo}});
  const std::vector<Validators> stored = {validators_of(both, kNow), with_tag("\"b\""),
                                          with_tag("W/\"a\"")};
  const Condition condition = condition_for(stored, {});
  CHECK(condition.if_none_match == "W/\"a\", \"b\"");
  CHECK(condition.if_modified_since == kHourAgo);
  CHECK_FALSE(condition.has_tags_of_client);
  CHECK(condition_for({}, {}).empty());
  const std::vector<Validators> none = {with_tag("unquoted")};
  CHECK(condition_for(none, {}).empty());
  CHECK(is_replaced_by_condition("if-none-match"));
  CHECK(is_replaced_by_condition("If-Modified-Since"));
  CHECK_FALSE(is_replaced_by_condition("If-Match"));
}

TEST_CASE("http/conditional: what the client has is asked about beside ours", "[RFC9111-4.3.2]") {
  const Fields client =
      fields_of({{"If-None-Match", "\"c\", \"a\", *, broken"}, {"If-Modified-Since", kDate}});
  const std::vector<Validators> tagged = {with_tag("\"a\"")};
  const Condition condition = condition_for(tagged, client);
  CHECK(condition.if_none_match == "\"a\", \"c\"");
  CHECK(condition.if_modified_since.empty());
  CHECK(condition.has_tags_of_client);
  // Without a tag of ours we ask by our date, and the client's condition waits.
  const Fields dated = fields_of({{"Last-Modified", kHourAgo}});
  const std::vector<Validators> by_date = {validators_of(dated, kNow)};
  CHECK(condition_for(by_date, client).if_none_match.empty());
  CHECK(condition_for(by_date, client).if_modified_since == kHourAgo);
}

TEST_CASE("http/conditional: a list of tags has a bound", "[RFC9111-4.3.2]") {
  std::string many;
  for (int number = 0; number < 500; ++number)
    many += "\"" + std::to_string(number) + "\",";
  const std::vector<Validators> stored = {with_tag("\"a\"")};
  const Condition condition = condition_for(stored, fields_of({{"If-None-Match", many}}));
  CHECK(std::count(condition.if_none_match.begin(), condition.if_none_match.end(), ',') ==
        static_cast<long>(kTagsMax) - 1);
  CHECK_FALSE(not_modified("\"499\"", many));
  CHECK(not_modified("\"63\"", many));
}

TEST_CASE("http/conditional: If-None-Match compares weakly", "[RFC9110-13.1.2]") {
  CHECK(not_modified("\"a\"", "\"a\""));
  CHECK(not_modified("W/\"a\"", "\"a\""));
  CHECK(not_modified("\"a\"", "W/\"a\""));
  CHECK(not_modified("\"a\"", "\"a\", \"1\", \"2\""));
  CHECK(not_modified("\"a\"", "\"1\", \"a\", \"2\""));
  CHECK(not_modified("\"a\"", "\"1\", \"2\", \"a\""));
  CHECK(not_modified("\"a,b\"", "\"a,b\""));
  CHECK(not_modified("\"a\"", "*"));
  CHECK_FALSE(not_modified("\"a\"", "\"b\""));
  CHECK_FALSE(not_modified("\"a\"", "a"));
  CHECK_FALSE(not_modified("a", "\"a\""));
  CHECK_FALSE(not_modified("a", "a"));
  CHECK_FALSE(not_modified("\"a\"", ""));
}

TEST_CASE("http/conditional: If-None-Match is heard before If-Modified-Since", "[RFC9110-13.2.2]") {
  const Validators stored =
      validators_of(fields_of({{"ETag", "\"a\""}, {"Last-Modified", kHourAgo}}), kNow);
  CHECK(is_not_modified(fields_of({{"If-None-Match", "\"a\""}, {"If-Modified-Since", kEarlier}}),
                        stored, kNow));
  CHECK_FALSE(is_not_modified(fields_of({{"If-None-Match", "\"b\""}, {"If-Modified-Since", kDate}}),
                              stored, kNow));
}

TEST_CASE("http/conditional: If-Modified-Since compares dates", "[RFC9110-13.1.3]") {
  const Validators stored = validators_of(fields_of({{"Last-Modified", kHourAgo}}), kNow);
  const auto since = [&](std::string_view text, const Validators& validators) {
    return is_not_modified(fields_of({{"If-Modified-Since", text}}), validators, kNow);
  };
  CHECK(since(kHourAgo, stored));
  CHECK(since(kDate, stored));
  CHECK(since("Wednesday, 31-Dec-25 23:00:00 GMT", stored));
  CHECK_FALSE(since(kEarlier, stored));
  CHECK_FALSE(since("lately", stored));
  // Without Last-Modified the date of the response stands in (RFC 9111 section 4.3.2).
  CHECK(since(kDate, {}));
  CHECK_FALSE(since(kHourAgo, {}));
  CHECK_FALSE(is_not_modified(
      fields_of({{"If-Modified-Since", kDate}, {"If-Modified-Since", kDate}}), stored, kNow));
  CHECK_FALSE(is_not_modified({}, stored, kNow));
}

TEST_CASE("http/conditional: If-Match and If-Unmodified-Since are left to the origin",
          "[RFC9111-4.3.2]") {
  CHECK_FALSE(is_not_modified(fields_of({{"If-Match", "\"b\""}, {"If-Unmodified-Since", kEarlier}}),
                              with_tag("\"a\""), kNow));
}

TEST_CASE("http/conditional: a 304 has what tells about the object, not about its content",
          "[RFC9110-15.4.5]") {
  for (const char* name : {"Content-Location", "Date", "ETag", "Vary", "Cache-Control", "Expires",
                           "Last-Modified", "Age", "Set-Cookie"})
    CHECK(is_sent_in_304(name));
  for (const char* name : {"content-length", "Content-Type", "Content-Encoding", "Content-Range"})
    CHECK_FALSE(is_sent_in_304(name));
}

}  // namespace postern::http
