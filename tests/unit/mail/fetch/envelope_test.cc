// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/envelope.h"

#include <catch2/catch.hpp>

#include "services/mail/message/address.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

RecipientBook office() {
  RecipientBook book;
  book.own_domain = "office.example";
  book.domains = {"office.example", "old.example"};
  book.users = {"anna", "bert", "carla", "root", "rest"};
  book.groups = {{"sales", {"anna", "bert"}}};
  book.aliases = {{"a.smith", {"anna"}}, {"info", {"carla", "far@far.example"}}};
  book.postmaster = "root";
  return book;
}

HeaderScanner scan(const std::string& text) {
  HeaderScanner scanner;
  scanner.feed(text);
  scanner.finish();
  return scanner;
}

FetchAccount account(std::vector<std::string> fields = {"X-Envelope-To", "Delivered-To"}) {
  FetchAccount made;
  made.name = "isp";
  made.envelope_fields = std::move(fields);
  return made;
}

// "X-Envelope-To: anna@office.example bert@office.example"
std::string who(const RecipientBook& book, const FetchAccount& from, const std::string& header) {
  const Multidrop::Found found = Multidrop(book).find(from, scan(header).fields());
  std::string out = found.by + ':';
  for (const Address& address : found.recipients)
    out += ' ' + to_text(address);
  return out;
}

}  // namespace

TEST_CASE("mail/fetch/envelope: the first configured field that names us decides", "[F51][C20]") {
  struct Row {
    const char* header;
    const char* expected;
  };
  const Row rows[] = {
      // Bcc: in the envelope alone.
      {"X-Envelope-To: <bert@office.example>\r\nTo: anna@office.example\r\n",
       "X-Envelope-To: bert@office.example"},
      {"Delivered-To: anna@office.example\r\nX-Envelope-To: bert@office.example\r\n",
       "X-Envelope-To: bert@office.example"},
      // A field of the provider about its own mailbox says nothing.
      {"X-Envelope-To: box4711@isp.example\r\nDelivered-To: anna@office.example\r\n",
       "Delivered-To: anna@office.example"},
      // Several of one server; those of servers before it are older.
      {"X-Envelope-To: anna@office.example\r\nX-Envelope-To: bert@office.example\r\n"
       "Received: from a by b\r\nX-Envelope-To: carla@office.example\r\n",
       "X-Envelope-To: anna@office.example bert@office.example"},
      {"Received: from a by b\r\nX-Envelope-To: anna@office.example, <bert@old.example>\r\n",
       "X-Envelope-To: anna@office.example bert@old.example"},
      {"Delivered-To: anna@office.example\r\nReceived: from a by b\r\n"
       "Delivered-To: bert@office.example\r\n",
       "Delivered-To: anna@office.example"},
      // Each once, whatever the case.
      {"x-envelope-to: Anna@OFFICE.example, anna@office.example\r\n",
       "X-Envelope-To: Anna@office.example"},
      {"X-Envelope-To: sales@office.example, info@office.example\r\n",
       "X-Envelope-To: sales@office.example info@office.example"},
      // Who is told of in Received is not trusted.
      {"Received: from a by b for <bert@office.example>; date\r\nTo: anna@office.example\r\n",
       "To: anna@office.example"},
      // A list: the envelope knows who is meant.
      {"X-Envelope-To: carla@office.example\r\nTo: dev@lists.example\r\nList-Id: <dev>\r\n",
       "X-Envelope-To: carla@office.example"},
  };
  for (const Row& row : rows) {
    INFO(row.header);
    CHECK(who(office(), account(), row.header) == row.expected);
  }
}

TEST_CASE("mail/fetch/envelope: To and Cc are the last resort, resent ones before them",
          "[F51][C20]") {
  struct Row {
    const char* header;
    const char* expected;
  };
  const Row rows[] = {
      {"To: Anna <anna@office.example>, x@far.example\r\nCc: bert@office.example\r\n"
       "Bcc: carla@office.example\r\n",
       "To: anna@office.example bert@office.example carla@office.example"},
      {"Resent-To: bert@office.example\r\nResent-From: x@far.example\r\n"
       "To: anna@office.example\r\n",
       "Resent-To: bert@office.example"},
      // Two resendings: the last one is meant.
      {"Resent-From: x@far.example\r\nResent-To: bert@office.example\r\n"
       "Resent-From: y@far.example\r\nResent-Cc: carla@office.example\r\n"
       "To: anna@office.example\r\n",
       "Resent-To: bert@office.example"},
      {"Resent-To: x@far.example\r\nTo: anna@office.example\r\n", "To: anna@office.example"},
      // Nobody here: not lost.
      {"To: dev@lists.example\r\n", ": postmaster@office.example"},
      {"To: nobody@office.example\r\n", "To: postmaster@office.example"},
      {"To: undisclosed-recipients:;\r\n", ": postmaster@office.example"},
      {"Subject: nothing\r\n", ": postmaster@office.example"},
      {"", ": postmaster@office.example"},
      {"To: nobody@office.example, anna@office.example\r\n", "To: anna@office.example"},
      // No address inside of another one.
      {"To: anna%office.example@far.example\r\n", ": postmaster@office.example"},
      {"To: \"anna@office.example\" <x@far.example>\r\n", ": postmaster@office.example"},
  };
  for (const Row& row : rows) {
    INFO(row.header);
    CHECK(who(office(), account(), row.header) == row.expected);
  }
}

TEST_CASE("mail/fetch/envelope: what names nobody here goes to who is to sort it", "[F51]") {
  FetchAccount from = account();
  from.unsorted = "rest";
  CHECK(who(office(), from, "Subject: a\r\n") == ": rest@office.example");
  // One of two is not known: both are heard of.
  CHECK(who(office(), from, "X-Envelope-To: anna@office.example, old@office.example\r\n") ==
        "X-Envelope-To: anna@office.example rest@office.example");
  from.unsorted = "rest@far.example";
  CHECK(who(office(), from, "Subject: a\r\n") == ": rest@far.example");
  // Nobody at all: it has to stay where it is.
  from.unsorted = "nobody";
  CHECK(who(office(), from, "Subject: a\r\n") == ":");
  from.unsorted = "";
  RecipientBook book = office();
  book.postmaster.clear();
  CHECK(who(book, from, "Subject: a\r\n") == ":");
}

TEST_CASE("mail/fetch/envelope: a user who exists beats the catch-all", "[C20]") {
  RecipientBook book = office();
  book.catch_all = "rest";
  const std::string both = "To: sale@office.example, anna@office.example\r\n";
  CHECK(who(book, account(), both) == "To: anna@office.example");
  CHECK(who(book, account(), "To: one@office.example, two@office.example\r\n") ==
        "To: one@office.example");
  CHECK(who(book, account(), "To: x@far.example\r\n") == ": postmaster@office.example");
  // In the envelope both were really meant.
  CHECK(who(book, account(), "X-Envelope-To: sale@office.example, anna@office.example\r\n") ==
        "X-Envelope-To: sale@office.example anna@office.example");
}

TEST_CASE("mail/fetch/envelope: what the provider puts before names is taken away", "[F51]") {
  FetchAccount from = account({"Delivered-To"});
  from.envelope_prefix = "acme-";
  CHECK(who(office(), from, "Delivered-To: Acme-anna@office.example\r\n") ==
        "Delivered-To: anna@office.example");
  CHECK(who(office(), from, "Delivered-To: anna@office.example\r\n") ==
        "Delivered-To: anna@office.example");
  CHECK(who(office(), from, "Delivered-To: acme-@office.example\r\n") ==
        "Delivered-To: postmaster@office.example");
  CHECK(who(office(), from, "To: acme-anna@office.example\r\n") == "To: postmaster@office.example");
}

TEST_CASE("mail/fetch/envelope: the sender is that of Return-Path, or who wrote it", "[F51]") {
  const auto sender = [](const std::string& header) {
    return to_path(fetched_sender(scan(header).fields()));
  };
  CHECK(sender("Return-Path: <joe@far.example>\r\nFrom: ann@far.example\r\n") ==
        "<joe@far.example>");
  CHECK(sender("Return-Path: <>\r\nX-Envelope-From: joe@far.example\r\n") == "<>");
  CHECK(sender("Return-Path: joe@far.example\r\n") == "<joe@far.example>");
  CHECK(sender("X-Envelope-From: <joe@far.example>\r\n") == "<joe@far.example>");
  CHECK(sender("From: Ann <ann@far.example>, b@far.example\r\n") == "<ann@far.example>");
  CHECK(sender("From: ann@far.example\r\nSender: secretary@far.example\r\n") ==
        "<secretary@far.example>");
  CHECK(sender("Auto-Submitted: no\r\nFrom: ann@far.example\r\n") == "<ann@far.example>");
  CHECK(sender("Auto-Submitted: auto-replied\r\nFrom: ann@far.example\r\n") == "<>");
  CHECK(sender("Return-Path: <>\r\nFrom: ann@far.example\r\n") == "<>");
  CHECK(sender("Return-Path: nonsense\r\n") == "<>");
}

TEST_CASE("mail/fetch/envelope: a message is told by its ids and those of its resendings",
          "[C20]") {
  CHECK(message_ids(scan("Message-ID: <1@a>\r\n").fields()) ==
        message_ids(scan("To: x@y.example\r\nmessage-id:  <1@a>\r\n").fields()));
  CHECK(message_ids(scan("Message-ID: <1@a>\r\n").fields()) !=
        message_ids(scan("Resent-Message-ID: <2@a>\r\nMessage-ID: <1@a>\r\n").fields()));
  CHECK(message_ids(scan("Message-ID:\r\n").fields()).empty());
  CHECK(message_ids(scan("Subject: a\r\n").fields()).empty());
}

TEST_CASE("mail/fetch/envelope: what was delivered here again and again goes round", "[F51]") {
  const std::string turn = "Delivered-To: anna@office.example\r\n";
  std::string header;
  for (size_t i = 0; i < kTurnsMax; ++i)
    header += turn;
  CHECK_FALSE(goes_round(scan(header + "Delivered-To: bert@office.example\r\n"), office()));
  CHECK(goes_round(scan(header + turn), office()));
  const std::string other = "Delivered-To: box@isp.example\r\n";
  CHECK_FALSE(goes_round(scan(other + other + other + other + other + other), office()));
  std::string hops;
  for (size_t i = 0; i < kHopsMax; ++i)
    hops += "Received: from a by b\r\n";
  CHECK_FALSE(goes_round(scan(hops), office()));
  CHECK(goes_round(scan(hops + "Received: from a by b\r\n"), office()));
}

TEST_CASE("mail/fetch/envelope: one of a group can be reached alone", "[C20]") {
  const Multidrop multidrop(office());
  const auto targets = multidrop.targets_of({"sales", "office.example"});
  REQUIRE(targets.size() == 2);
  CHECK(to_text(*multidrop.direct_address(*targets.begin())) == "anna@office.example");
  CHECK(to_text(*multidrop.direct_address({"", {"far", "far.example"}, ""})) == "far@far.example");
  // Mail for "bert" goes elsewhere here, so his mailbox is reached by the group alone.
  RecipientBook book = office();
  book.aliases["bert"] = {"anna"};
  CHECK_FALSE(Multidrop(book).direct_address({"bert", {}, ""}).has_value());
}
