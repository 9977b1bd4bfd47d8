// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/routing/final_recipients.h"

#include <catch2/catch.hpp>

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

struct Bed {
  RecipientBook book;
  std::vector<SortingRule> rules;
  HeaderFields fields;
  Envelope envelope;

  Bed() {
    book.own_domain = "office.example";
    book.domains = {"office.example", "old.example"};
    book.users = {"anna", "bert"};
    book.aliases["sales"] = {"anna", "bert", "out@far.example"};
    book.aliases["info"] = {"anna"};
    book.aliases["away"] = {"out@far.example"};
    book.postmaster = "anna";
  }
  Recipient& to(const std::string& local, const std::string& domain, uint8_t notify = 0) {
    Recipient& one = envelope.recipients.emplace_back();
    one.address = {local, domain};
    one.notify = notify;
    return one;
  }
  FinalRecipients found() const { return final_recipients(book, rules, {envelope, fields}); }
};

}  // namespace

TEST_CASE("mail/routing: recipients elsewhere keep what was said of them", "[RFC3461]") {
  Bed bed;
  bed.to("sales", "office.example", kNotifyFailure);
  bed.to("out", "far.example", kNotifySuccess | kNotifyDelay).original = "rfc822;o@x.example";
  const FinalRecipients found = bed.found();
  REQUIRE(found.recipients.size() == 3);
  // Though an alias leads there, too.
  CHECK(found.recipients[0] == bed.envelope.recipients[1]);
  CHECK(found.recipients[1].user == "anna");
  CHECK(found.recipients[2].user == "bert");
  CHECK(found.expanded.empty());
}

TEST_CASE("mail/routing: NOTIFY goes along, SUCCESS to a single target alone", "[RFC3461]") {
  Bed bed;
  bed.to("info", "office.example", kNotifySuccess | kNotifyFailure);
  FinalRecipients found = bed.found();
  REQUIRE(found.recipients.size() == 1);
  CHECK(found.recipients[0].notify == (kNotifySuccess | kNotifyFailure));
  CHECK(found.recipients[0].original == "rfc822;info@office.example");
  CHECK(found.recipients[0].address == Address{"anna", "office.example"});
  CHECK(found.expanded.empty());

  bed.envelope.recipients.clear();
  bed.to("sales", "office.example", kNotifySuccess | kNotifyFailure);
  found = bed.found();
  REQUIRE(found.recipients.size() == 3);
  for (const Recipient& one : found.recipients)
    CHECK(one.notify == kNotifyFailure);
  REQUIRE(found.expanded.size() == 1);
  CHECK(found.expanded[0] == bed.envelope.recipients[0]);

  bed.envelope.recipients[0].notify = kNotifySuccess;
  CHECK(bed.found().recipients[0].notify == kNotifyNever);
}

TEST_CASE("mail/routing: who is meant is known by the address that was said") {
  Bed bed;
  bed.to("Anna+Lists", "old.example");
  bed.to("away", "office.example").original = "rfc822;q@q.example";
  bed.to("postmaster", "");
  const FinalRecipients found = bed.found();
  REQUIRE(found.recipients.size() == 2);
  CHECK(found.recipients[0].user == "anna");
  CHECK(found.recipients[0].address == Address{"Anna+Lists", "old.example"});
  CHECK(found.recipients[0].original.empty());
  CHECK(found.recipients[1].user.empty());
  CHECK(found.recipients[1].address == Address{"out", "far.example"});
  CHECK(found.recipients[1].original == "rfc822;q@q.example");
}

TEST_CASE("mail/routing: who is nobody here stays, so that the sender hears of it") {
  Bed bed;
  bed.to("gone", "office.example", kNotifyFailure);
  const FinalRecipients found = bed.found();
  CHECK(found.recipients == bed.envelope.recipients);
  CHECK(found.recipients[0].user.empty());
}

TEST_CASE("mail/routing: a folder that one way chose is the mailbox's", "[C20]") {
  Bed bed;
  SortingRule rule;
  rule.users = {"bert"};
  rule.targets = {"anna"};
  bed.rules = {rule};
  rule = {};
  rule.users = {"anna"};
  rule.folder = "Work";
  bed.rules.push_back(rule);
  bed.to("bert", "office.example");
  bed.to("anna", "office.example");
  const FinalRecipients found = bed.found();
  REQUIRE(found.recipients.size() == 1);
  CHECK(found.recipients[0].user == "anna");
  CHECK(found.recipients[0].folder == "Work");
}
