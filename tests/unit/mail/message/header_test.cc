// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/header.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

HeaderScanner scan(std::string_view text, const HeaderLimits& limits = HeaderLimits()) {
  HeaderScanner whole(limits);
  whole.feed(text);
  whole.finish();
  for (size_t cut = 0; cut < std::min<size_t>(text.size(), 200); ++cut) {
    HeaderScanner parts(limits);
    parts.feed(text.substr(0, cut));
    parts.feed(text.substr(cut));
    parts.finish();
    CHECK(parts.fields() == whole.fields());
    CHECK(parts.length() == whole.length());
    CHECK(parts.is_cut() == whole.is_cut());
  }
  return whole;
}

TEST_CASE("mail/message/header: fields are found by name and unfolded", "[RFC5322-2.2.3]") {
  const HeaderScanner scanner = scan(
      "Message-ID: <1@a.x>\r\nsubject: one\r\n two\r\n\tthree\r\nTo: a@a.x\r\nX:\r\nTO: b@a.x,\r\n"
      " c@a.x\r\n\r\nFrom: body\r\n");
  const HeaderFields& fields = scanner.fields();
  CHECK(fields.size() == 5);
  CHECK(fields.find("message-id") == "<1@a.x>");
  CHECK(fields.find("Subject") == "one two\tthree");
  CHECK(fields.has("x"));
  CHECK(fields.find("X") == "");
  CHECK(!fields.has("From"));
  CHECK(fields.count("to") == 2);
  REQUIRE(fields.addresses("To").size() == 3);
  CHECK(to_text(fields.addresses("To")[2]) == "c@a.x");
  CHECK(!scanner.is_cut());
  CHECK(scanner.length() == 84);
}

TEST_CASE("mail/message/header: hops are the Received fields before the body", "[RFC5321-6.3]") {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "Received: from a\r\n by b; x\r\n";
  CHECK(scan(text + "\r\nReceived: no\r\n").hops() == 100);
  CHECK(scan(text).hops() == 100);
}

TEST_CASE("mail/message/header: the header ends before the first line that is no field") {
  CHECK(scan("A: 1\r\nno field\r\nB: 2\r\n").fields().size() == 1);
  CHECK(scan("A: 1\r\nno field\r\nB: 2\r\n").length() == 6);
  CHECK(scan(" folded first\r\nA: 1\r\n").fields().size() == 0);
  CHECK(scan("\r\nA: 1\r\n").fields().size() == 0);
  CHECK(scan("").fields().size() == 0);
  CHECK(scan(": 1\r\n").fields().size() == 0);
  CHECK(scan("a b: 1\r\n").fields().size() == 0);
  CHECK(scan("A : 1\r\n").fields().find("A") == "1");
  CHECK(scan("A: 1").fields().find("A") == "1");
  CHECK(scan("A: 1\r\n \r\nB: 2\r\n\r\n").fields().find("B") == "2");
}

TEST_CASE("mail/message/header: what is beyond the limits is not kept") {
  const HeaderScanner few = scan("A: 1\r\nB: 2\r\nC: 3\r\n\r\n", {1000, 2});
  CHECK(few.fields().size() == 2);
  CHECK(few.is_cut());
  const HeaderScanner small = scan("A: 1\r\nB: " + std::string(500, 'x') + "\r\n\r\n", {100, 10});
  CHECK(small.fields().size() == 1);
  CHECK(small.is_cut());
  const HeaderScanner endless = scan(std::string(1000, 'x'), {100, 10});
  CHECK(endless.is_cut());
  CHECK(endless.fields().size() == 0);
}

}  // namespace
}  // namespace postern::mail
