// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/address.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

namespace postern::mail {
namespace {

using namespace std::string_view_literals;

const PathRules kAll = {true, true, true};

std::string fault_text(AddressFault fault) {
  switch (fault) {
    case AddressFault::none:
      return "ok";
    case AddressFault::syntax:
      return "syntax";
    case AddressFault::too_long:
      return "too long";
    case AddressFault::utf8:
      return "utf8";
  }
  return "";
}

// "local|domain" of a path that is all of `text`, or the fault.
std::string read(std::string_view text, const PathRules& rules = PathRules()) {
  Path path;
  const AddressFault fault = parse_path(text, rules, path);
  if (fault != AddressFault::none) return fault_text(fault);
  if (!text.empty()) return "rest";
  return path.address.local + '|' + path.address.domain;
}

std::string many(size_t count, char octet) {
  return std::string(count, octet);
}

TEST_CASE("mail/message/address: a path is a local part and a domain in lower case",
          "[RFC5321-4.1.2]") {
  CHECK(read("<joe@a.example>") == "joe|a.example");
  CHECK(read("<Joe.B@A.EXAMPLE>") == "Joe.B|a.example");
  CHECK(read("<joe+list=x@a.example>") == "joe+list=x|a.example");
  CHECK(read("<a@localhost>") == "a|localhost");
  CHECK(read("<joe@[192.0.2.1]>") == "joe|[192.0.2.1]");
  CHECK(read("<joe@[IPv6:2001:DB8::1]>") == "joe|[ipv6:2001:db8::1]");
}

TEST_CASE("mail/message/address: quotes are a way to write, not a part of the name",
          "[RFC5321-4.1.2]") {
  CHECK(read("<\"joe\"@a.example>") == "joe|a.example");
  CHECK(read("<\"j\\o\\e\"@a.example>") == "joe|a.example");
  CHECK(read("<\"joe b\"@a.example>") == "joe b|a.example");
  CHECK(read("<\"a@b.example\"@a.example>") == "a@b.example|a.example");
  CHECK(read("<\"a>b\"@a.example>") == "a>b|a.example");
  CHECK(read("<\"a\\\"b\\\\c\"@a.example>") == "a\"b\\c|a.example");
}

TEST_CASE("mail/message/address: old tricks are local parts like any other", "[F53]") {
  CHECK(read("<victim%b.example@a.example>") == "victim%b.example|a.example");
  CHECK(read("<b.example!victim@a.example>") == "b.example!victim|a.example");
  CHECK(read("<\"victim@b.example\"@a.example>") == "victim@b.example|a.example");
  CHECK(read("<victim%b.example>") == "syntax");
  CHECK(read("<b.example!victim>") == "syntax");
  CHECK(read("<victim@b.example@a.example>") == "syntax");
  CHECK(read("<\"victim\"@b.example@a.example>") == "syntax");
}

TEST_CASE("mail/message/address: a source route is told and dropped", "[RFC5321-4.1.2a]") {
  std::string_view text = "<@a.example,@b.example:joe@c.example>";
  Path path;
  REQUIRE(parse_path(text, PathRules(), path) == AddressFault::none);
  CHECK(path.has_route);
  CHECK(path.address == Address{"joe", "c.example"});
  CHECK(read("<@a.example:joe@c.example>") == "joe|c.example");
  for (const auto* bad : {"<@a.example joe@c.example>", "<@:joe@c.example>", "<@a.example,:j@c.x>",
                          "<@a.example,b.example:j@c.x>", "<@a.example:>", "<@a.example:@b.x>"}) {
    CHECK(read(bad) == "syntax");
  }
}

TEST_CASE("mail/message/address: null and bare paths only where the rules say so",
          "[RFC5321-4.1.1.3]") {
  CHECK(read("<>") == "syntax");
  CHECK(read("<>", kAll) == "|");
  CHECK(read("<Postmaster>") == "syntax");
  CHECK(read("<Postmaster>", kAll) == "Postmaster|");
  CHECK(read("<joe>", kAll) == "syntax");
  CHECK(read("<postmaster@a.example>", kAll) == "postmaster|a.example");
}

TEST_CASE("mail/message/address: what is no path is refused", "[RFC5321-4.1.2]") {
  const auto* text =
      GENERATE("", "<", "joe@a.example", "<joe@a.example", "<joe@>", "<@a.example>", "<joe>",
               "<.joe@a.x>", "<joe.@a.x>", "<j..e@a.x>", "<joe @a.x>", "<joe@ a.x>", "< joe@a.x>",
               "<joe@a.x >", "<joe@a.x.>", "<joe@.a.x>", "<joe@a..x>", "<joe@.>", "<joe@-a.x>",
               "<joe@a-.x>", "<joe@a_b.x>", "<joe@192.0.2.1>", "<joe@[192.0.2.1>",
               "<joe@[192.0.2.256]>", "<joe@[192.0.2.01]>", "<joe@[]>", "<joe@[IPv6:]>",
               "<joe@[IPv6:1:2]>", "<joe@[IPv6:::1%lo]>", "<joe@[x:y]>", "<joe@[192.0.2.1].a.x>",
               "<\"joe@a.x>", "<\"joe\"b@a.x>", "<b\"joe\"@a.x>", "<\"\"@a.x>", "<\"a\tb\"@a.x>",
               "<\"a\\\tb\"@a.x>", "<joe(c)@a.x>", "<joe@a.x(c)>", "<joe,b@a.x>", "<joe:b@a.x>",
               "<joe;b@a.x>", "<<joe@a.x>>", "<joe@a.x\r>", "<joe\x7f@a.x>", "<joe@a.x:25>");
  INFO(text);
  const std::string got = read(text, kAll);
  CHECK((got == "syntax" || got == "rest"));
  CHECK(got == (std::string_view(text) == "<<joe@a.x>>" ? "syntax" : got));
}

TEST_CASE("mail/message/address: a NUL is in no address", "[RFC5321-4.1.2]") {
  CHECK(read("<j\0e@a.x>"sv, kAll) == "syntax");
  CHECK(read("<\"j\0e\"@a.x>"sv, kAll) == "syntax");
  CHECK(read("<joe@a\0.x>"sv, kAll) == "syntax");
  CHECK(read("<joe@[IPv6:::1\0x]>"sv, kAll) == "syntax");
  CHECK(read("<joe@[192.0.2.1\0]>"sv, kAll) == "syntax");
}

TEST_CASE("mail/message/address: the bounds are those of the standard", "[RFC5321-4.5.3.1]") {
  CHECK(read("<" + many(64, 'a') + "@a.x>") == many(64, 'a') + "|a.x");
  CHECK(read("<" + many(65, 'a') + "@a.x>") == "too long");
  CHECK(read("<\"" + many(62, 'a') + "\"@a.x>") == many(62, 'a') + "|a.x");
  CHECK(read("<\"" + many(63, 'a') + "\"@a.x>") == "too long");
  CHECK(read("<j@" + many(63, 'a') + ".x>") == "j|" + many(63, 'a') + ".x");
  CHECK(read("<j@" + many(64, 'a') + ".x>") == "too long");
  std::string domain;
  for (int i = 0; i < 126; ++i)
    domain += "a.";
  CHECK(read("<j@" + domain + "b>") == "too long");  // a domain of 253 makes a path of 257
  CHECK(read("<j@" + domain.substr(2) + "b>") == "j|" + domain.substr(2) + "b");
  CHECK(read("<j@" + domain + "a.a.b>") == "too long");
  CHECK(read("<@" + many(60, 'r') + "." + many(60, 'r') + "." + many(60, 'r') + "." +
             many(60, 'r') + ":joe@a.example>") == "too long");
}

TEST_CASE("mail/message/address: letters beyond ASCII need SMTPUTF8 and sound UTF-8",
          "[RFC6531-3.3]") {
  CHECK(read("<j\xc3\xb6@a.x>") == "utf8");
  CHECK(read("<j@\xc3\xb6.x>") == "utf8");
  CHECK(read("<j\xc3\xb6@\xc3\xb6.x>", kAll) == "j\xc3\xb6|\xc3\xb6.x");
  CHECK(read("<\"j \xc3\xb6\"@a.x>", kAll) == "j \xc3\xb6|a.x");
  for (const auto* bad :
       {"<\xff@a.x>", "<\xc3@a.x>", "<\xc0\xaf@a.x>", "<\xed\xa0\x80@a.x>", "<\xe0\x80\x80@a.x>",
        "<\xf4\x90\x80\x80@a.x>", "<\xc2\x85@a.x>", "<\"\\\xc3\xb6\"@a.x>", "<j@\xc3.x>"}) {
    INFO(bad);
    CHECK(read(bad, kAll) == "syntax");
  }
}

TEST_CASE("mail/message/address: what was read is written so that it is read again") {
  for (const auto& [address, text] : {
           std::pair{Address{"joe", "a.x"}, "<joe@a.x>"},
           {Address{"joe b", "a.x"}, "<\"joe b\"@a.x>"},
           {Address{"a\"b\\c", "a.x"}, "<\"a\\\"b\\\\c\"@a.x>"},
           {Address{".j", "a.x"}, "<\".j\"@a.x>"},
           {Address{"", ""}, "<>"},
           {Address{"postmaster", ""}, "<postmaster>"},
       }) {
    CHECK(to_path(address) == text);
    std::string_view written = text;
    Path path;
    CHECK(parse_path(written, kAll, path) == AddressFault::none);
    CHECK(path.address == address);
  }
}

TEST_CASE("mail/message/address: behind a path its parameters are left") {
  std::string_view text = "<joe@a.x> SIZE=1";
  Path path;
  REQUIRE(parse_path(text, PathRules(), path) == AddressFault::none);
  CHECK(text == " SIZE=1");
}

TEST_CASE("mail/message/address: hosts are names, literals and what clients really say",
          "[RFC5321-4.1.4]") {
  for (const auto* host :
       {"a.example", "localhost", "[192.0.2.1]", "[IPv6:::1]", "my_pc", "192.0.2.1"})
    CHECK(is_host(host));
  for (const auto* other : {"", "a b", "a..b", "[192.0.2.1", "a.example.", "<a>", "a;b", "-"})
    CHECK(!is_host(other));
  CHECK(literal_ipv4("[192.0.2.1]") == Ipv4Address(192, 0, 2, 1));
  CHECK(!literal_ipv4("192.0.2.1"));
}

TEST_CASE("mail/message/address: a mailbox is all of its text") {
  Address address;
  CHECK(parse_mailbox("joe@a.x", false, address) == AddressFault::none);
  CHECK(address == Address{"joe", "a.x"});
  CHECK(parse_mailbox("joe@a.x ", false, address) == AddressFault::syntax);
  CHECK(parse_mailbox("<joe@a.x>", false, address) == AddressFault::syntax);
}

}  // namespace
}  // namespace postern::mail
