// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>
#include <string>

#include "services/mail/message/address.h"
#include "services/mail/message/header.h"

namespace postern::mail {
namespace {

// The addresses with blanks between them, "!" behind when something was passed over.
std::string read(std::string_view text) {
  std::vector<Address> list;
  const bool is_sound = parse_address_list(text, list);
  std::string out;
  for (const Address& address : list)
    out += (out.empty() ? "" : " ") + to_text(address);
  return out + (is_sound ? "" : "!");
}

TEST_CASE("mail/message/address_list: mailboxes with and without names", "[RFC5322-3.4]") {
  CHECK(read("joe@a.x") == "joe@a.x");
  CHECK(read("Joe B <joe@a.x>") == "joe@a.x");
  CHECK(read("\"B, Joe\" <joe@a.x>, <ann@B.X>") == "joe@a.x ann@b.x");
  CHECK(read("=?utf-8?q?J=C3=B6?= <joe@a.x>") == "joe@a.x");
  CHECK(read("\"joe@evil.x\" <joe@a.x>") == "joe@a.x");
  CHECK(read("joe@evil.x <joe@a.x>") == "joe@a.x");
  CHECK(read("<@r.x,@s.x:joe@a.x>, b@a.x") == "joe@a.x b@a.x");
  CHECK(read("joe@[192.0.2.1]") == "joe@[192.0.2.1]");
  CHECK(read("\"joe b\"@a.x") == "\"joe b\"@a.x");
  CHECK(read("j\xc3\xb6@\xc3\xb6.x") == "j\xc3\xb6@\xc3\xb6.x");
}

TEST_CASE("mail/message/address_list: groups are opened", "[RFC5322-3.4]") {
  CHECK(read("staff: a@a.x, B <b@a.x>;, c@a.x") == "a@a.x b@a.x c@a.x");
  CHECK(read("undisclosed-recipients:;") == "");
  CHECK(read("\"a: b\": a@a.x;") == "a@a.x");
}

TEST_CASE("mail/message/address_list: comments and blanks are nothing", "[RFC5322-3.2.2]") {
  CHECK(read(" (a (nested) \\) c) joe(x)@(y)a(z).x (end)") == "joe@a.x");
  CHECK(read("joe . b @ a . x") == "joe.b@a.x");
  CHECK(read("(only a comment)") == "");
  CHECK(read("(open joe@a.x") == "");
}

TEST_CASE("mail/message/address_list: what is no address is passed over to the next comma") {
  CHECK(read("joe, ann@a.x") == "ann@a.x!");
  CHECK(read(",,ann@a.x,") == "ann@a.x");
  CHECK(read("<>") == "");
  CHECK(read("<joe@a.x") == "!");
  CHECK(read("joe@a..x, @, @a.x, a@, a b@c.x, ann@a.x") == "ann@a.x!");
  CHECK(read("joe@\"a.x\"") == "!");
  CHECK(read("\"open joe@a.x") == "!");
  CHECK(read("a@b@c.x") == "!");
  CHECK(read(std::string(65, 'j') + "@a.x") == "!");
  CHECK(read("j..e.@a.x") == "\"j..e.\"@a.x");
  CHECK(read("") == "");
}

TEST_CASE("mail/message/address_list: the list and each item of it are bounded") {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "a@b.x,";
  std::vector<Address> list;
  parse_address_list(text, list);
  CHECK(list.size() == kHeaderAddressesMax);
  std::string words;
  for (int i = 0; i < 5000; ++i)
    words += "a ";
  CHECK(read(words + "<a@b.x>, c@b.x") == "c@b.x!");
  CHECK(read(std::string(100000, '(')) == "");
}

}  // namespace
}  // namespace postern::mail
