// SPDX-License-Identifier: BSD-3-Clause
// FetchBed: a fetcher with intake, dispatcher and mailboxes behind it, and a POP3 server to fetch
// from; and messages of all kinds, each with a mark that the mailboxes are searched for.
#pragma once

#include <algorithm>
#include <ctime>
#include <map>

#include "services/mail/fetch/fetcher.h"
#include "unit/mail/delivery/delivery_bed.h"
#include "unit/mail/fetch/pop3_server.h"

namespace postern::mail::test {

// User -> marks of the messages that are theirs, in order.
using Marks = std::map<std::string, std::vector<std::string>>;

struct FetchBed {
  DeliveryBed mail;
  Pop3Box box{mail.context};
  std::unique_ptr<Fetcher> fetcher;
  FetchAccount account;
  Marks expected;
  size_t made = 0;
  std::set<uint32_t> times_now;
  std::vector<std::string> warnings;

  FetchBed() {
    // Files in mailboxes are as old as the machine's clock says.
    mail.now_s = std::time(nullptr);
    mail.settings.book.groups["sales"] = {"anna", "bert"};
    mail.follow();
    account.name = "isp";
    account.host = "127.0.0.1";
    account.port = box.port();
    account.tls.mode = TlsMode::none;
    account.credentials.user = "joe";
    account.credentials.password = "secret";
    account.envelope_fields = {"X-Envelope-To"};
    open();
  }
  ~FetchBed() { close(); }
  FetchBed(const FetchBed&) = delete;
  FetchBed& operator=(const FetchBed&) = delete;

  void open() {
    Seams seams = mail.seams();
    seams.time_holds = [this](uint32_t time) { return times_now.count(time) != 0; };
    seams.resolve = [](const std::string&, const Seams::Resolved& then) {
      then(Error{ErrorCode::unavailable, "no DNS here"});
    };
    seams.warn = [this](const std::string& line) { warnings.push_back(line); };
    fetcher = std::make_unique<Fetcher>(mail.context, seams, *mail.queue, *mail.intake, mail.root);
    follow();
  }
  void follow() {
    mail.settings.fetch.accounts = {account};
    REQUIRE(fetcher->follow(mail.settings.fetch, mail.settings));
  }
  void close() {
    box.close_all();
    fetcher.reset();
  }
  // All that is not on the disk is forgotten, and connections are cut.
  void crash() {
    close();
    mail.reopen();
    open();
  }
  Fetcher::FetchState state() const { return fetcher->fetches().front(); }
  // Goes through the mailbox once; what came of it.
  std::string fetch() {
    REQUIRE(fetcher->fetch_now("isp"));
    REQUIRE(mail.run_until([this] { return !state().is_running; }, 60));
    return state().outcome;
  }
  void deliver() {
    for (int i = 0; i < 100 && mail.queued() != 0; ++i) {
      mail.pass(1);
      mail.settle();
    }
    REQUIRE(mail.queued() == 0);
  }

  Marks found() const {
    Marks all;
    for (const std::string& user : mail.settings.book.users) {
      for (const std::string& text : mail.texts(user)) {
        const size_t at = text.find("X-Mark: ");
        REQUIRE(at != std::string::npos);
        all[user].push_back(text.substr(at + 8, text.find_first_of("\r\n", at) - at - 8));
      }
      std::sort(all[user].begin(), all[user].end());
    }
    return all;
  }
  Marks wanted() const {
    Marks all = expected;
    for (const std::string& user : mail.settings.book.users)
      std::sort(all[user].begin(), all[user].end());
    return all;
  }

  // Puts messages of one kind into the box, and notes who is to get them.
  void make(size_t kind) {
    const std::string mark = std::to_string(kind) + "-" + std::to_string(++made);
    const std::string id = "Message-ID: <" + mark + "@far.example>\r\n";
    const std::string rest =
        "X-Mark: " + mark + "\r\nReturn-Path: <joe@far.example>\r\n\r\n.text\r\n";
    const auto to = [](const std::string& who) { return "X-Envelope-To: " + who + "\r\n"; };
    const auto theirs = [&](const std::vector<std::string>& users) {
      for (const std::string& user : users)
        expected[user].push_back(mark);
    };
    switch (kind) {
      case 0:  // plain
        box.add(to("anna@office.example") + id + "To: anna@office.example\r\n" + rest);
        return theirs({"anna"});
      case 1:  // Bcc: in the envelope alone
        box.add(to("bert@office.example") + id + "To: undisclosed-recipients:;\r\n" + rest);
        return theirs({"bert"});
      case 2:  // of a list
        box.add(to("carl@office.example") + id + "To: dev@lists.example\r\nList-Id: <dev>\r\n" +
                rest);
        return theirs({"carl"});
      case 3:  // two envelopes of one message
        box.add(to("anna@office.example") + id + "To: anna@office.example\r\n" + rest);
        box.add(to("bert@office.example") + id + "To: anna@office.example\r\n" + rest);
        return theirs({"anna", "bert"});
      case 4:  // without Message-ID
        box.add(to("carl@office.example") + "To: carl@office.example\r\n" + rest);
        return theirs({"carl"});
      case 5:  // a copy for each of its recipients, each with the whole envelope
        for (int copy = 0; copy < 3; ++copy)
          box.add("Received: copy " + std::to_string(copy) + "\r\n" +
                  to("anna@office.example, bert@office.example, carl@office.example") + id + rest);
        return theirs({"anna", "bert", "carl"});
      case 6:  // no envelope: To and Cc
        box.add(id + "To: carl@office.example, x@far.example\r\nCc: Anna@Office.example\r\n" +
                rest);
        return theirs({"anna", "carl"});
      case 7:  // nobody here: the postmaster, who is anna
        box.add(id + "To: x@far.example\r\n" + rest);
        return theirs({"anna"});
      case 8:  // one of a group, then the group
        box.add(to("bert@office.example") + id + rest);
        box.add(to("sales@office.example") + id + rest);
        return theirs({"anna", "bert"});
      default:  // twice the same without Message-ID
        box.add(to("bert@office.example") + rest);
        box.add(to("bert@office.example") + rest);
        return theirs({"bert"});
    }
  }
  static constexpr size_t kKinds = 10;
};

}  // namespace postern::mail::test
