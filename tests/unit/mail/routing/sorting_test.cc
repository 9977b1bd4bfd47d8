// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/routing/sorting.h"

#include <catch2/catch.hpp>

#include "base/glob.h"
#include "services/mail/message/address.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

struct Bed {
  RecipientBook book;
  std::vector<SortingRule> rules;
  Envelope envelope;
  HeaderFields fields;

  Bed() {
    book.own_domain = "office.example";
    book.domains = {"office.example"};
    book.users = {"anna", "bert", "carla"};
    book.groups = {{"sales", {"anna", "bert"}}};
    envelope.sender = {"dev-bounces", "dpdk.example"};
    envelope.recipients = {{{"anna", "office.example"}, 0, ""}};
    fields.add("List-Id", "<dev.dpdk.example>");
    fields.add("Subject", "[PATCH v2] net/memif: fix");
  }
  SortingRule& rule(const std::string& name) {
    rules.emplace_back().name = name;
    return rules.back();
  }
  // "anna/Lists bert x@far.example"
  std::string sorted() const {
    Expansion expansion(book);
    for (const Recipient& one : envelope.recipients)
      expansion.add(one.address);
    std::string all;
    for (const Target& to :
         sort_message(rules, book, expansion.targets(), {envelope, fields}).targets)
      all += (all.empty() ? "" : " ") + (to.user.empty() ? to_text(to.address) : to.user) +
             (to.folder.empty() ? "" : "/" + to.folder);
    return all;
  }
};

}  // namespace

TEST_CASE("mail/sorting: the first rule that matches decides") {
  Bed bed;
  CHECK(bed.sorted() == "anna");
  SortingRule& other = bed.rule("other");
  other.senders = {"*@far.example"};
  other.folder = "Other";
  SortingRule& lists = bed.rule("lists");
  lists.headers = {{"list-id", "*dpdk*"}, {"Subject", "[[]patch*"}};
  lists.folder = "Lists";
  CHECK(bed.sorted() == "anna");
  lists.headers[1].pattern = "[patch*";
  CHECK(bed.sorted() == "anna/Lists");
  bed.rule("late").folder = "Late";
  CHECK(bed.sorted() == "anna/Lists");
  bed.rules[1].users = {"bert"};
  CHECK(bed.sorted() == "anna/Late");
}

TEST_CASE("mail/sorting: it goes to others instead, or besides") {
  Bed bed;
  SortingRule& rule = bed.rule("give");
  rule.recipients = {"anna@*"};
  rule.targets = {"sales", "x@far.example"};
  rule.users = {"anna"};
  CHECK(bed.sorted() == "x@far.example anna bert");
  bed.rules[0].targets = {"carla"};
  CHECK(bed.sorted() == "carla");
  bed.rules[0].keeps_copy = true;
  bed.rules[0].folder = "Sent on";
  CHECK(bed.sorted() == "carla anna/Sent on");
}

TEST_CASE("mail/sorting: a rule that leads nowhere loses no message") {
  Bed bed;
  bed.rule("nowhere").targets = {"nobody"};
  CHECK(bed.sorted() == "anna");
}

TEST_CASE("mail/sorting: two ways into one mailbox are one copy") {
  Bed bed;
  bed.envelope.recipients.push_back({{"bert", "office.example"}, 0, ""});
  SortingRule& rule = bed.rule("all to carla");
  rule.targets = {"carla"};
  CHECK(bed.sorted() == "carla");
}

TEST_CASE("mail/sorting: patterns have stars and question marks") {
  for (const char* pattern : {"*", "a*c", "A?C", "abc", "*b*", "a**c", "abc*"})
    CHECK(matches_glob(pattern, "abc"));
  for (const char* pattern : {"", "ab", "a?", "b*", "*d", "abcd", "?abc"})
    CHECK_FALSE(matches_glob(pattern, "abc"));
  CHECK(matches_glob("", ""));
  CHECK_FALSE(matches_glob(std::string(2000, '*') + "b", std::string(20'000, 'a')));
}
