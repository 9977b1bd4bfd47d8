// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/hop.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::http {
namespace {

Fields fields_of(const std::vector<Field>& all) {
  Fields fields;
  for (const Field& field : all)
    REQUIRE(fields.add(field.name, field.value));
  return fields;
}

TEST_CASE("http/message/hop: what is for the next program alone is not passed on",
          "[RFC9110-7.6.1]") {
  const Fields fields = fields_of({{"connection", "X-One, keep-alive"}, {"Connection", "x-two"}});
  const Connection connection(fields);
  for (const std::string_view name :
       {"Connection", "keep-alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
        "Proxy-Authentication-Info", "TE", "trailer", "Transfer-Encoding", "UPGRADE",
        "HTTP2-Settings", "x-one", "X-Two"}) {
    INFO(name);
    CHECK_FALSE(connection.passes(name));
  }
  for (const std::string_view name : {"Host", "Content-Length", "Cache-Control", "Via",
                                      "Proxy-Status", "X-Three", "X-On", "Te2"}) {
    INFO(name);
    CHECK(connection.passes(name));
  }
  CHECK(connection.has_keep_alive());
  CHECK_FALSE(connection.has_close());
}

TEST_CASE("http/message/hop: nobody takes host and length away by naming them", "[RFC9110-7.6.1]") {
  const Fields fields = fields_of({{"Connection", "Host, Content-Length, close, Cookie"}});
  const Connection connection(fields);
  CHECK(connection.passes("Host"));
  CHECK(connection.passes("content-length"));
  CHECK_FALSE(connection.passes("Cookie"));
  CHECK(connection.has_close());
}

TEST_CASE("http/message/hop: a Connection of too many members or of none is broken",
          "[RFC9110-7.6.1]") {
  std::string many = "a";
  for (size_t i = 1; i < kConnectionMax; ++i)
    many += ",a";
  CHECK_FALSE(Connection(fields_of({{"Connection", many}})).is_broken());
  many += ",a";
  CHECK(Connection(fields_of({{"Connection", many}})).is_broken());
  CHECK(Connection(fields_of({{"Connection", "a b"}})).is_broken());
  CHECK(Connection(fields_of({{"Connection", "a;b"}})).is_broken());
  CHECK_FALSE(Connection(fields_of({{"Connection", " , "}})).is_broken());
}

TEST_CASE("http/message/hop: Via is added, and found when a message comes round",
          "[RFC9110-7.6.3]") {
  std::string out;
  append_via(out, 1, "postern");
  append_via(out, 0, "postern");
  CHECK(out == "Via: 1.1 postern\r\nVia: 1.0 postern\r\n");
  CHECK(has_via(fields_of({{"Via", "1.0 fred, 1.1 postern"}}), "postern"));
  CHECK(has_via(fields_of({{"Via", "1.0 fred"}, {"via", "HTTP/1.1  Postern (a, b)"}}), "postern"));
  CHECK_FALSE(has_via(fields_of({{"Via", "1.1 postern2, 1.1 a (postern)"}}), "postern"));
  CHECK_FALSE(has_via(fields_of({{"Via", "postern"}}), "postern"));
  CHECK_FALSE(has_via(fields_of({}), "postern"));
}

TEST_CASE("http/message/hop: Max-Forwards counts down for TRACE and OPTIONS", "[RFC9110-7.6.2]") {
  using Kind = MaxForwards::Kind;
  const auto of = [](std::string_view method, std::string_view value) {
    return max_forwards(method, fields_of({{"Max-Forwards", value}}));
  };
  CHECK(of("GET", "0").kind == Kind::absent);
  CHECK(max_forwards("TRACE", Fields()).kind == Kind::absent);
  CHECK(of("TRACE", "0").kind == Kind::answer_here);
  CHECK(of("OPTIONS", "000").kind == Kind::answer_here);
  CHECK(of("OPTIONS", "7").kind == Kind::pass_on);
  CHECK(of("OPTIONS", "7").rest == 6);
  CHECK(of("TRACE", "99999999999999999999").rest == 4294967294U);
  for (const std::string_view value : {"", "-1", "+1", "1 2", "1,2", "x", "0x1"}) {
    INFO(value);
    CHECK(of("TRACE", value).kind == Kind::broken);
  }
  CHECK(max_forwards("TRACE", fields_of({{"Max-Forwards", "1"}, {"max-forwards", "1"}})).kind ==
        Kind::broken);
}

TEST_CASE("http/message/hop: only 100-continue can be expected, by HTTP/1.1", "[RFC9110-10.1.1]") {
  CHECK(expectation(1, Fields()) == Expectation::none);
  CHECK(expectation(1, fields_of({{"Expect", "100-Continue"}})) == Expectation::go_on);
  CHECK(expectation(0, fields_of({{"Expect", "100-continue"}})) == Expectation::none);
  CHECK(expectation(1, fields_of({{"Expect", "100-continue, x"}})) == Expectation::unknown);
  CHECK(expectation(1, fields_of({{"Expect", "100-continue"}, {"Expect", "x=y"}})) ==
        Expectation::unknown);
  CHECK(expectation(0, fields_of({{"Expect", "x"}})) == Expectation::unknown);
}

}  // namespace
}  // namespace postern::http
