// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/relay.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/mail/relay/relay_bed.h"

namespace postern::mail {

using test::RelayBed;
using test::TestHost;

TEST_CASE("mail/relay: messages go one after another over one connection", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.offers.emplace_back("DSN");
  bed.follow(host);
  RelayJob first = bed.job({"ann", "bob"}, "Subject: a\r\n\r\n.\r\n");
  first.front = "X-Scanned: yes\r\n";
  CHECK(bed.outcome(bed.send(std::move(first))) == "250 2.0.0 Taken|250 2.0.0 Taken");
  const RelayResult& result = bed.results[1];
  CHECK(result.remote == "127.0.0.1[127.0.0.1]:" + std::to_string(host.port()));
  CHECK(result.was_tried);
  CHECK(result.has_dsn);
  CHECK(result.replies[0].first == 0);
  CHECK(result.replies[1].first == 1);
  CHECK(bed.outcome(bed.send({"eve"})) == "250 2.0.0 Taken");
  CHECK(host.connections == 1);
  CHECK(host.texts ==
        std::vector<std::string>{"X-Scanned: yes\r\nSubject: a\r\n\r\n.\r\n", "Subject: a\r\n"});
  CHECK(host.said[0] == "EHLO gate.a.example");
}

TEST_CASE("mail/relay: a recipient who is refused keeps the others from nothing", "[RFC5321-3.3]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.answer = [](const std::string& line) {
    return line == "RCPT TO:<bob@b.example>" ? "550 5.1.1 Nobody" : "";
  };
  bed.follow(host);
  CHECK(bed.outcome(bed.send({"ann", "bob", "eve"})) ==
        "250 2.0.0 Taken|550 5.1.1 Nobody|250 2.0.0 Taken");
}

TEST_CASE("mail/relay: who says nothing to the end of the text has not taken it",
          "[RFC5321-4.2.5]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.answer = [](const std::string& line) { return line == "end" ? "close" : ""; };
  bed.follow(host);
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "451 4.4.2 The connection was lost while waiting for the answer to the end of the text: "
        "the server closed it");
  CHECK(bed.results[1].was_tried);
  CHECK(host.texts.size() == 1);
}

TEST_CASE("mail/relay: a host that goes in the middle of the text puts the message off",
          "[RFC5321-4.2.5]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.in_text = [&host](size_t octets) {
    if (octets > 100'000) host.close_all();
  };
  bed.follow(host);
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "0123456789\r\n";
  const std::string outcome = bed.outcome(bed.send({"ann"}, text));
  CHECK(outcome.starts_with("451 4.4.2 The connection was lost in the middle of the text"));
  CHECK(host.texts.empty());
}

TEST_CASE("mail/relay: a no before the end of the text is heard", "[RFC5321-4.2.5]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.answer = [](const std::string& line) {
    return line == "DATA" ? "354 Go on\r\n552 5.3.4 Too large close" : "";
  };
  bed.follow(host);
  std::string text;
  for (int i = 0; i < 300'000; ++i)
    text += "0123456789\r\n";
  CHECK(bed.outcome(bed.send({"ann"}, text)) == "552 5.3.4 Too large");
}

TEST_CASE("mail/relay: a host that greets with no is passed over", "[RFC5321-5.1]") {
  RelayBed bed;
  TestHost busy(bed.context);
  TestHost host(bed.context);
  busy.greeting = "421 4.3.2 Busy";
  RelaySettings settings;
  settings.hosts = {busy.as_relay(), host.as_relay()};
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  CHECK(busy.connections == 1);
  CHECK(host.connections == 1);
}

TEST_CASE("mail/relay: without a host that can be used mail is put off at once for a while",
          "[F49]") {
  RelayBed bed;
  uint16_t nobody = 0;
  TestHost busy(bed.context);
  {
    const TestHost gone(bed.context);
    nobody = gone.port();
  }
  busy.greeting = "554 5.7.1 No service";
  RelaySettings settings;
  settings.hosts = {busy.as_relay(), busy.as_relay()};
  settings.hosts[1].port = nobody;
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann", "bob"})) ==
        "451 4.4.1 127.0.0.1: 127.0.0.1: Connection refused|"
        "451 4.4.1 127.0.0.1: 127.0.0.1: Connection refused");
  CHECK_FALSE(bed.results[1].was_tried);
  CHECK(busy.connections == 1);
  bed.outcome(bed.send({"ann"}));
  CHECK(busy.connections == 1);
  bed.relay->try_again();
  bed.outcome(bed.send({"ann"}));
  CHECK(busy.connections == 2);
  bed.pass(seconds(11));
  busy.greeting = "220 mx.b.example";
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
}

TEST_CASE("mail/relay: a kept connection that has gone costs no message a try", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  bed.follow(host);
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  int mails = 0;
  host.answer = [&mails](const std::string& line) {
    return line.starts_with("MAIL") && ++mails == 1 ? "421 4.4.2 You were idle close" : "";
  };
  CHECK(bed.outcome(bed.send({"bob"})) == "250 2.0.0 Taken");
  CHECK(host.connections == 2);
  // Closed while nobody asked for it: the next one is simply another.
  host.close_all();
  CHECK(bed.wait([&] { return bed.relay->connections() == 0; }));
  CHECK(bed.outcome(bed.send({"eve"})) == "250 2.0.0 Taken");
  CHECK(host.texts.size() == 3);
}

TEST_CASE("mail/relay: a host that closes each session at once is no reason to go on", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  bed.follow(host);
  host.answer = [](const std::string& line) {
    return line.starts_with("EHLO") ? "250 mx.b.example close" : "";
  };
  CHECK(bed.outcome(bed.send({"ann"})).starts_with("451 4.4.2 The connection was lost"));
  host.answer = [](const std::string& line) { return line.starts_with("MAIL") ? "close" : ""; };
  bed.pass(seconds(11));
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "451 4.4.2 The connection was lost while waiting for the answer to MAIL: "
        "the server closed it");
  CHECK(host.connections <= 4);
}

TEST_CASE("mail/relay: connections are bounded, and end when they are not needed", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  RelaySettings settings;
  settings.hosts = {host.as_relay()};
  settings.connections = 2;
  settings.messages = 5;
  bed.follow(settings);
  const std::string hop = bed.relay->hop_of({}, {"ann", "b.example"});
  CHECK(bed.relay->has_room(hop));
  for (int i = 0; i < 18; ++i)
    bed.send({"ann"});
  CHECK_FALSE(bed.relay->has_room(hop));
  CHECK(bed.wait([&] { return bed.results.size() == 18; }));
  CHECK(host.open_most <= 3);  // one that has said QUIT may still be open
  CHECK(host.texts.size() == 18);
  CHECK(host.connections >= 4);
  CHECK(bed.relay->has_room(hop));
  bed.relay->tick();
  CHECK(bed.relay->connections() != 0);
  bed.pass(seconds(11));
  bed.relay->tick();
  CHECK(bed.relay->connections() == 0);
  CHECK(bed.wait([&] { return host.said.back() == "QUIT"; }));
}

TEST_CASE("mail/relay: a message with many recipients goes in several", "[RFC5321-4.5.3.1.8]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.answer = [](const std::string& line) {
    return line == "RCPT TO:<u150@b.example>" ? "550 5.1.1 Nobody" : "";
  };
  bed.follow(host);
  std::vector<std::string> to;
  for (int i = 0; i < 250; ++i)
    to.push_back("u" + std::to_string(i));
  const uint64_t number = bed.send(to);
  bed.outcome(number);
  const RelayResult& result = bed.results[number];
  REQUIRE(result.replies.size() == 250);
  for (size_t i = 0; i < result.replies.size(); ++i) {
    CHECK(result.replies[i].first == i);
    CHECK(result.replies[i].second.is_ok() == (i != 150));
  }
  CHECK(host.texts.size() == 3);
}

TEST_CASE("mail/relay: a silent host is left when its time is over", "[RFC5321-4.5.3.2]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.answer = [](const std::string& line) { return line == "end" ? "silence" : ""; };
  bed.follow(host);
  bed.send({"ann"});
  CHECK(bed.wait([&] { return !host.texts.empty(); }));
  bed.pass(seconds(599));
  bed.relay->tick();
  CHECK(bed.results.empty());
  bed.pass(seconds(2));
  bed.relay->tick();
  CHECK(bed.outcome(1) ==
        "451 4.4.2 The server was silent for too long while waiting for the answer to the end of "
        "the text");
}

TEST_CASE("mail/relay: the end of Relay ends what is under way without a word", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.answer = [](const std::string& line) { return line == "end" ? "silence" : ""; };
  bed.follow(host);
  bed.send({"ann"});
  bed.send({"bob"});
  CHECK(bed.wait([&] { return !host.texts.empty(); }));
  bed.relay.reset();
  CHECK(bed.wait([&] { return host.open == 0; }));
  CHECK(bed.results.empty());
}

TEST_CASE("mail/relay: new settings hold for the next message", "[F49]") {
  RelayBed bed;
  TestHost before(bed.context);
  TestHost host(bed.context);
  bed.follow(before);
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  bed.follow(host);
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  CHECK(before.texts.size() == 1);
  CHECK(host.texts.size() == 1);
  bed.follow(RelaySettings());
  CHECK(bed.relay->hop_of({}, {"ann", "b.example"}).empty());
  CHECK(bed.outcome(bed.send({"ann"})).starts_with("451 4.3.5"));
}

TEST_CASE("mail/relay: what waits when the settings change goes back untried", "[F49]") {
  RelayBed bed;
  TestHost before(bed.context);
  TestHost host(bed.context);
  RelaySettings settings;
  settings.hosts = {before.as_relay()};
  settings.connections = 1;
  before.answer = [](const std::string& line) { return line == "end" ? "silence" : ""; };
  bed.follow(settings);
  bed.send({"ann"});
  CHECK(bed.wait([&] { return before.texts.size() == 1; }));
  const uint64_t second = bed.send({"bob"});
  settings.hosts = {host.as_relay()};
  bed.follow(settings);
  CHECK(bed.wait([&] { return bed.results.count(second) == 1; }));
  CHECK(bed.results[second].replies.empty());
  CHECK_FALSE(bed.results[second].was_tried);
  CHECK(bed.results.size() == 1);
  before.close_all();
  CHECK(bed.wait([&] { return bed.results.size() == 2; }));
  CHECK(before.texts.size() == 1);
}

TEST_CASE("mail/relay: mail goes out when its times say so", "[F52]") {
  RelayBed bed;
  RelaySettings settings;
  CHECK(bed.relay->may_go_now());
  settings.times = {3};
  bed.follow(settings);
  CHECK_FALSE(bed.relay->may_go_now());
  settings.times = {3, 7};
  bed.follow(settings);
  CHECK(bed.relay->may_go_now());
}

}  // namespace postern::mail
