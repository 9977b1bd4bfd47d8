// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/routing/recipients.h"

#include <catch2/catch.hpp>

#include "services/mail/message/address.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

RecipientBook office() {
  RecipientBook book;
  book.own_domain = "office.example";
  book.domains = {"office.example", "old.example"};
  book.own_addresses = {Ipv4Address(203, 0, 113, 2)};
  book.users = {"anna", "bert", "carla", "root"};
  book.groups = {{"sales", {"anna", "bert"}}};
  book.postmaster = "root";
  book.aliases = {
      {"info", {"sales", "archive@far.example"}},
      {"a.smith", {"anna"}},
      {"bert", {"bert", "bert@home.example"}},
      {"carla", {"anna"}},
      {"info@old.example", {"carla"}},
      {"round", {"trip"}},
      {"trip", {"round"}},
      {"nested", {"a.smith", "info", "round"}},
  };
  return book;
}

Address address(const std::string& text) {
  const size_t at = text.rfind('@');
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

// Who gets it: "anna bert archive@far.example"; "-": nobody has the address.
std::string who(const RecipientBook& book, const std::vector<std::string>& recipients) {
  Expansion expansion(book);
  bool is_known = true;
  for (const std::string& one : recipients)
    is_known = expansion.add(address(one)) && is_known;
  std::string all;
  for (const Target& target : expansion.targets())
    all += (all.empty() ? "" : " ") + (target.user.empty() ? to_text(target.address) : target.user);
  return is_known ? all : "-" + all;
}

std::string who(const std::string& recipient) {
  return who(office(), {recipient});
}

}  // namespace

TEST_CASE("mail/recipients: users, aliases and groups are found by their addresses") {
  CHECK(who("anna@office.example") == "anna");
  CHECK(who("ANNA@old.example") == "anna");
  CHECK(who("anna@[203.0.113.2]") == "anna");
  CHECK(who("sales@office.example") == "bert@home.example anna bert");
  CHECK(who("info@office.example") == "archive@far.example bert@home.example anna bert");
  CHECK(who("info@old.example") == "anna");
  CHECK(who("a.smith@office.example") == "anna");
  CHECK(who("nobody@office.example") == "-");
  CHECK(who("anna@[203.0.113.3]") == "-");
}

TEST_CASE("mail/recipients: each gets a message once, whatever ways lead there") {
  const RecipientBook book = office();
  CHECK(who(book, {"anna@office.example", "a.smith@old.example", "carla@office.example",
                   "anna+x@office.example", "sales@office.example"}) ==
        "bert@home.example anna bert");
  // A redirected user does not come in by the second of two ways.
  CHECK(who(book, {"carla@office.example", "carla+x@office.example"}) == "anna");
}

TEST_CASE("mail/recipients: whether there is anybody is known with the first") {
  RecipientBook book = office();
  for (const char* one :
       {"info", "sales", "bert", "nested", "carla", "round", "nobody", "anna+x"}) {
    CAPTURE(one);
    Expansion all(book);
    Expansion first = Expansion::of_one(book);
    CHECK(first.add(address(one)) == all.add(address(one)));
    CHECK(first.targets().size() <= 1);
  }
}

TEST_CASE("mail/recipients: aliases in circles end") {
  CHECK(who("round@office.example") == "-");
  CHECK(who("nested@office.example") == "archive@far.example bert@home.example anna bert");
  CHECK(who("bert@office.example") == "bert@home.example bert");
}

TEST_CASE("mail/recipients: what stands behind a plus does not count") {
  CHECK(who("anna+dpdk@office.example") == "anna");
  CHECK(who("+anna@office.example") == "-");
  RecipientBook book = office();
  book.has_plus = false;
  CHECK(who(book, {"anna+x@office.example"}) == "-");
}

TEST_CASE("mail/recipients: users come before the catch-all, and routes get nowhere") {
  RecipientBook book = office();
  book.catch_all = "carla";
  CHECK(who(book, {"bert@office.example"}) == "bert@home.example bert");
  CHECK(who(book, {"whoever@old.example"}) == "anna");
  for (const char* route :
       {"victim%far.example@office.example", "far.example!victim@office.example",
        "victim@far.example@office.example"})
    CHECK(who(book, {route}) == "-");
}

TEST_CASE("mail/recipients: postmaster is always somebody", "[RFC5321-4.5.1]") {
  CHECK(who("postmaster") == "root");
  CHECK(who("PostMaster@office.example") == "root");
  CHECK(who("postmaster@old.example") == "root");
  CHECK(who("postmaster@far.example") == "-");
}

TEST_CASE("mail/recipients: nobody outside relays") {
  const RecipientBook book = office();
  for (const char* elsewhere :
       {"x@far.example", "x@office.example.far.example", "x@[203.0.113.9]", "x@[203.0.113.02]"}) {
    CHECK(acceptance_of(book, address(elsewhere), false) == Acceptance::relay_denied);
    CHECK(acceptance_of(book, address(elsewhere), true) == Acceptance::relay);
  }
  for (const char* route : {"x%far.example@office.example", "far.example!x@office.example",
                            "\"x@far.example\"@office.example", "x@far.example@office.example"}) {
    CHECK(acceptance_of(book, address(route), false) == Acceptance::relay_denied);
    CHECK(acceptance_of(book, address(route), true) == Acceptance::relay_denied);
  }
  CHECK(acceptance_of(book, address("anna@office.example"), false) == Acceptance::local);
  CHECK(acceptance_of(book, address("nobody@office.example"), true) == Acceptance::unknown);
}
