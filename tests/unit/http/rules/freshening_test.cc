// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/freshening.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

using Outcome = NotModified::Outcome;

const std::string kDate = date_text(kNow);
const std::string kHourAgo = date_text(kNow - 3600);
const std::string kEarlier = date_text(kNow - 7200);

Validators stored_with(std::initializer_list<Field> fields) {
  return validators_of(fields_of(fields), kNow);
}

NotModified answer(std::initializer_list<Field> not_modified, std::vector<Validators> stored,
                   std::initializer_list<Field> client = {}) {
  const Fields request = fields_of(client);
  return read_not_modified(fields_of(not_modified), stored, condition_for(stored, request),
                           request);
}

std::string text_of(const Fields& fields) {
  std::string text;
  for (const Field& field : fields)
    text.append(field.name).append("=").append(field.value).append(" ");
  return text;
}

}  // namespace

TEST_CASE("http/freshening: a strong tag speaks of all that have it", "[RFC9111-4.3.4]") {
  const std::vector<Validators> stored = {stored_with({{"ETag", "\"a\""}}),
                                          stored_with({{"ETag", "\"b\""}}),
                                          stored_with({{"ETag", "\"b\""}})};
  const NotModified result = answer({{"ETag", "\"b\""}}, stored);
  CHECK(result.outcome == Outcome::freshen);
  CHECK(result.freshened == std::vector<size_t>{1, 2});
  // One that nobody has freshens nothing.
  CHECK(answer({{"ETag", "\"c\""}}, stored).outcome == Outcome::ask_again);
  CHECK(answer({{"ETag", "\"c\""}, {"Last-Modified", kHourAgo}},
               {stored_with({{"ETag", "\"a\""}, {"Last-Modified", kHourAgo}, {"Date", kDate}})})
            .outcome == Outcome::ask_again);
  // A weak one is not the same as a strong one of us.
  CHECK(answer({{"ETag", "\"a\""}}, {stored_with({{"ETag", "W/\"a\""}})}).outcome ==
        Outcome::ask_again);
}

TEST_CASE("http/freshening: a weak validator speaks of the first that has it", "[RFC9111-4.3.4]") {
  const std::vector<Validators> stored = {stored_with({{"ETag", "\"a\""}}),
                                          stored_with({{"ETag", "W/\"b\""}}),
                                          stored_with({{"ETag", "\"b\""}})};
  CHECK(answer({{"ETag", "W/\"b\""}}, stored).freshened == std::vector<size_t>{1});
  const std::vector<Validators> dated = {stored_with({{"Last-Modified", kHourAgo}})};
  CHECK(answer({{"Last-Modified", kHourAgo}, {"Date", kDate}}, dated).outcome == Outcome::freshen);
  CHECK(answer({{"Last-Modified", kEarlier}}, dated).outcome == Outcome::ask_again);
}

TEST_CASE("http/freshening: without a validator it speaks of the one that was asked about",
          "[RFC9111-4.3.4]") {
  const Validators one = stored_with({{"ETag", "\"a\""}});
  CHECK(answer({{"Date", kDate}}, {one}).outcome == Outcome::freshen);
  CHECK(answer({{"Date", kDate}}, {one, one}).outcome == Outcome::ask_again);
  CHECK(answer({{"Date", kDate}}, {one}, {{"If-None-Match", "\"c\""}}).outcome ==
        Outcome::ask_again);
}

TEST_CASE("http/freshening: what only the client has is the client's", "[RFC9111-4.3.2]") {
  const Validators one = stored_with({{"ETag", "\"a\""}});
  CHECK(answer({{"ETag", "\"c\""}}, {one}, {{"If-None-Match", "\"c\""}}).outcome ==
        Outcome::pass_on);
  CHECK(answer({{"ETag", "\"a\""}}, {one}, {{"If-None-Match", "\"c\""}}).outcome ==
        Outcome::freshen);
  CHECK(answer({{"ETag", "\"d\""}}, {one}, {{"If-None-Match", "\"c\""}}).outcome ==
        Outcome::ask_again);
  CHECK(answer({{"ETag", "\"c\""}}, {}, {{"If-None-Match", "\"c\""}}).outcome == Outcome::pass_on);
}

TEST_CASE("http/freshening: the update replaces all fields but those of the octets",
          "[RFC9111-3.2]") {
  const Fields stored = fields_of({{"Date", "then"},
                                   {"Age", "9"},
                                   {"Content-Length", "36"},
                                   {"Content-Type", "text/plain"},
                                   {"Test", "1"},
                                   {"Test", "2"},
                                   {"Kept", "3"},
                                   {"Cache-Control", "max-age=1"}});
  const Fields update = fields_of({{"date", "now"},
                                   {"Content-Length", "10"},
                                   {"Content-Type", "text/html"},
                                   {"Content-Encoding", "gzip"},
                                   {"Content-Range", "x"},
                                   {"Connection", "hop"},
                                   {"hop", "1"},
                                   {"Keep-Alive", "5"},
                                   {"test", "4"},
                                   {"Content-Foo", "5"},
                                   {"secret", "6"},
                                   {"Cache-Control", "max-age=2, private=\"secret\""}});
  const std::optional<Fields> merged = updated_fields(stored, update);
  REQUIRE(merged);
  CHECK(text_of(*merged) ==
        "Content-Length=36 Content-Type=text/plain Kept=3 date=now test=4 Content-Foo=5 "
        "Cache-Control=max-age=2, private=\"secret\" ");
  CHECK(replaces_stored(update, "TEST"));
  for (const char* name : {"hop", "secret", "content-length", "Content-Range", "Upgrade"})
    CHECK_FALSE(replaces_stored(update, name));
}

TEST_CASE("http/freshening: the age of the old answer is not that of the new one",
          "[RFC9111-4.3.4]") {
  const Fields stored = fields_of({{"Date", kEarlier}, {"Age", "50"}, {"ETag", "\"a\""}});
  const std::optional<Fields> merged =
      updated_fields(stored, fields_of({{"ETag", "\"a\""}, {"Cache-Control", "max-age=9"}}));
  REQUIRE(merged);
  CHECK(freshness_left(stored_at_now(*merged), kNow) == 9);
}

TEST_CASE("http/freshening: fields have a bound", "[RFC9111-3.2]") {
  Fields stored;
  Fields update;
  std::vector<std::string> names;
  for (size_t number = 0; number < 2 * kFieldsMax; ++number)
    names.push_back("n" + std::to_string(number));
  for (size_t number = 0; number < kFieldsMax; ++number)
    REQUIRE(stored.add(names[number], ""));
  REQUIRE(update.add(names[0], "1"));
  CHECK(updated_fields(stored, update));
  REQUIRE(update.add(names[kFieldsMax], "1"));
  CHECK_FALSE(updated_fields(stored, update));
}

TEST_CASE("http/freshening: a HEAD tells whether what is stored still holds", "[RFC9111-4.3.5]") {
  const Fields stored =
      fields_of({{"ETag", "\"a\""}, {"Last-Modified", kHourAgo}, {"Content-Length", "10"}});
  const auto head = [&](unsigned status, std::initializer_list<Field> fields) {
    return read_head_answer(status, fields_of(fields), 200, stored);
  };
  CHECK(head(200, {{"ETag", "\"a\""}, {"Content-Length", "10"}}) == HeadOutcome::update);
  CHECK(head(200, {{"Cache-Control", "max-age=9"}}) == HeadOutcome::update);
  CHECK(head(200, {{"ETag", "\"b\""}}) == HeadOutcome::invalidate);
  CHECK(head(200, {{"Last-Modified", kEarlier}}) == HeadOutcome::invalidate);
  CHECK(head(200, {{"ETag", "\"a\""}, {"Content-Length", "11"}}) == HeadOutcome::invalidate);
  CHECK(head(410, {}) == HeadOutcome::invalidate);
  CHECK(head(301, {}) == HeadOutcome::invalidate);
  for (const unsigned status : {304u, 401u, 403u, 429u, 500u, 503u})
    CHECK(head(status, {}) == HeadOutcome::nothing);
  const Fields part = fields_of({{"Content-Range", "bytes 0-4/10"}, {"Content-Length", "5"}});
  CHECK(read_head_answer(200, fields_of({{"Content-Length", "10"}}), 206, part) ==
        HeadOutcome::update);
  CHECK(read_head_answer(200, fields_of({{"Content-Length", "5"}}), 206, part) ==
        HeadOutcome::invalidate);
  CHECK(read_head_answer(404, {}, 404, {}) == HeadOutcome::nothing);
}

}  // namespace postern::http
