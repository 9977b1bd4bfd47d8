// SPDX-License-Identifier: BSD-3-Clause
// How a fetcher gets into a mailbox, when, and what it says of it.
#include <sys/stat.h>

#include <fstream>

#include "services/mail/fetch/fetcher.h"
#include "services/mail/message/base64.h"
#include "unit/mail/fetch/fetch_bed.h"
#include "unit/mail/net/stream_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

// Ticks once a second of the bed's clock until that is true.
template <typename Condition>
bool tick_until(FetchBed& bed, int seconds_max, Condition is_true) {
  for (int i = 0; i < seconds_max && !is_true(); ++i) {
    ++bed.mail.now_s;
    bed.fetcher->tick();
    bed.mail.context.restart();
    bed.mail.context.run_for(std::chrono::milliseconds(1));
  }
  return is_true();
}

void write_program(const std::string& path, const std::string& text) {
  std::ofstream(path) << "#!/bin/sh\n" << text;
  REQUIRE(chmod(path.c_str(), S_IRWXU) == 0);
}

std::string response(const std::string& token) {
  return encode_base64(
      "user=joe\x01"
      "auth=Bearer " +
      token + "\x01\x01");
}

}  // namespace

TEST_CASE("mail/fetch: TLS comes before the password, and its certificate counts", "[P26]") {
  FetchBed bed;
  bed.box.tls = server_tls();
  bed.make(0);
  bed.account.tls.mode = TlsMode::required;
  bed.account.tls.pins = {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
  bed.follow();
  CHECK(contains(bed.fetch(), "sha256/"));
  CHECK(bed.box.count("USER") == 0);
  bed.account.tls.pins = {identity().pin};
  bed.follow();
  CHECK(bed.fetch() == "");
  CHECK(bed.box.count("STLS") == 2);
  CHECK(bed.box.messages.empty());
  bed.make(1);
  bed.account.tls = {};
  bed.follow();
  CHECK(bed.fetch() == "");
  // From the first octet.
  bed.make(2);
  bed.box.is_implicit = true;
  bed.account.tls.mode = TlsMode::implicit;
  bed.account.tls.pins = {identity().pin};
  bed.follow();
  CHECK(bed.fetch() == "");
  CHECK(bed.box.count("STLS") == 3);
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  const std::string text = bed.mail.texts("anna").front();
  CHECK(contains(text, "Received: from [127.0.0.1] ([127.0.0.1])\n\t(using TLS1.3"));
  CHECK(contains(text, "\tby gw.office.example with POP3 id "));
}

TEST_CASE("mail/fetch: a server that has lost its TLS gets no password", "[P26]") {
  FetchBed bed;
  bed.make(0);
  for (const TlsMode mode : {TlsMode::required, TlsMode::opportunistic}) {
    bed.account.tls.mode = mode;
    bed.follow();
    CHECK(contains(bed.fetch(), "no TLS"));
  }
  CHECK(bed.box.count("USER") == 0);
  CHECK(bed.box.count("PASS") == 0);
}

TEST_CASE("mail/fetch: a token comes from its command, and anew when it has expired", "[P26]") {
  FetchBed bed;
  const std::string command = bed.mail.root + "/token";
  // Another one each time.
  write_program(command, "echo x >> " + command + ".count\necho ya$(wc -l < " + command +
                             ".count | tr -d ' ')\n");
  bed.account.credentials.token_command = {command};
  bed.account.credentials.password.clear();
  bed.follow();
  bed.make(0);
  bed.box.token = response("ya1");
  CHECK(bed.fetch() == "");
  CHECK(bed.box.count("AUTH") == 1);
  bed.make(1);
  CHECK(bed.fetch() == "");
  CHECK(bed.box.count("AUTH") == 2);
  // The one that is kept has expired.
  bed.make(2);
  bed.box.token = response("ya2");
  CHECK(bed.fetch() == "");
  CHECK(bed.box.count("AUTH") == 4);
  bed.box.token = response("never");
  CHECK(contains(bed.fetch(), "refuses the token"));
  CHECK(bed.box.count("AUTH") == 6);
  write_program(command, "exit 3\n");
  bed.follow();
  CHECK(contains(bed.fetch(), "exit code 3"));
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: it is fetched each so often, and at its times alone", "[F52]") {
  FetchBed bed;
  bed.account.every = seconds(300);
  bed.account.times = {7};
  bed.follow();
  CHECK_FALSE(tick_until(bed, 1000, [&] { return bed.box.connections > 0; }));
  bed.times_now = {7};
  CHECK(tick_until(bed, 2, [&] { return bed.box.connections == 1; }));
  CHECK_FALSE(tick_until(bed, 290, [&] { return bed.box.connections > 1; }));
  CHECK(tick_until(bed, 12, [&] { return bed.box.connections == 2; }));
  bed.times_now = {};
  CHECK_FALSE(tick_until(bed, 1000, [&] { return bed.box.connections > 2; }));
  // Whatever the schedule says.
  CHECK(bed.fetch() == "");
  CHECK(bed.box.connections == 3);
  CHECK(bed.state().last_s > 0);
  CHECK_FALSE(bed.fetcher->fetch_now("other"));
}

TEST_CASE("mail/fetch: what goes wrong is told once, and once more when it works", "[F50]") {
  FetchBed bed;
  bed.box.password = "other";
  const auto told = [&] { return bed.mail.count(MailEventKind::fetched); };
  for (int i = 0; i < 3; ++i)
    CHECK(contains(bed.fetch(), "refuses the user or the password"));
  CHECK(told() == 1);
  CHECK(contains(bed.mail.events.back().result, "0 messages; the server refuses"));
  CHECK(bed.mail.events.back().remote == "isp");
  bed.box.password = "secret";
  CHECK(bed.fetch() == "");
  CHECK(told() == 2);
  CHECK(bed.fetch() == "");
  CHECK(told() == 2);
  bed.make(0);
  CHECK(bed.fetch() == "");
  CHECK(told() == 3);
  CHECK(bed.mail.events.back().result == "1 message");
  CHECK(bed.state().fetched == 1);
}

TEST_CASE("mail/fetch: a server that fails is left alone for longer and longer", "[F50]") {
  FetchBed bed;
  bed.box.password = "other";
  CHECK(tick_until(bed, 3, [&] { return bed.box.connections == 1; }));
  CHECK_FALSE(tick_until(bed, 290, [&] { return bed.box.connections > 1; }));
  CHECK(tick_until(bed, 15, [&] { return bed.box.connections == 2; }));
  CHECK_FALSE(tick_until(bed, 590, [&] { return bed.box.connections > 2; }));
  CHECK(tick_until(bed, 15, [&] { return bed.box.connections == 3; }));
  // The way there was gone, perhaps.
  bed.fetcher->link_is_up();
  CHECK(tick_until(bed, 3, [&] { return bed.box.connections == 4; }));
}

TEST_CASE("mail/fetch: a silent server is left", "[F50]") {
  FetchBed bed;
  bed.box.is_silent = true;
  REQUIRE(bed.fetcher->fetch_now("isp"));
  CHECK(tick_until(bed, 5, [&] { return bed.box.connections == 1; }));
  CHECK_FALSE(tick_until(bed, 170, [&] { return !bed.state().is_running; }));
  CHECK(tick_until(bed, 20, [&] { return !bed.state().is_running; }));
  CHECK(contains(bed.state().outcome, "silent"));
}

TEST_CASE("mail/fetch: a server that is not there is told by its name", "[F50]") {
  FetchBed bed;
  bed.account.host = "pop.isp.example";
  bed.follow();
  CHECK(bed.fetch() == "pop.isp.example: no DNS here");
  bed.account.host = "127.0.0.1";
  bed.account.port = 1;
  bed.follow();
  CHECK(contains(bed.fetch(), "127.0.0.1"));
}

TEST_CASE("mail/fetch: two accounts of one mailbox are not fetched at once", "[C20]") {
  FetchBed bed;
  for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
    bed.make(kind);
  FetchAccount second = bed.account;
  second.name = "second";
  bed.mail.settings.fetch.accounts = {bed.account, second};
  REQUIRE(bed.fetcher->follow(bed.mail.settings.fetch, bed.mail.settings));
  bed.fetcher->tick();
  CHECK(bed.fetcher->fetches()[0].is_running);
  CHECK_FALSE(bed.fetcher->fetches()[1].is_running);
  CHECK(tick_until(bed, 1000, [&] {
    return bed.fetcher->fetches()[1].last_s != 0 && bed.box.messages.empty();
  }));
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: an account that goes while it is fetched leaves nothing twice", "[C20]") {
  FetchBed bed;
  for (size_t kind = 0; kind < FetchBed::kKinds; ++kind)
    bed.make(kind);
  REQUIRE(bed.fetcher->fetch_now("isp"));
  REQUIRE(bed.mail.run_until([&] { return bed.state().fetched == 3; }));
  bed.mail.settings.fetch.accounts.clear();
  REQUIRE(bed.fetcher->follow(bed.mail.settings.fetch, bed.mail.settings));
  CHECK(bed.fetcher->fetches().empty());
  bed.follow();
  CHECK(tick_until(bed, 1000, [&] { return bed.box.messages.empty(); }));
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
}

TEST_CASE("mail/fetch: a scanner that wants it later, or never, leaves it at the server", "[F54]") {
  FetchBed bed;
  bed.make(0);
  bed.mail.settings.scan.command = {"/bin/true"};
  bed.mail.follow();
  const auto scanned = [&](const ScanVerdict& verdict) {
    REQUIRE(bed.fetcher->fetch_now("isp"));
    REQUIRE(bed.mail.run_until([&] { return !bed.mail.scans.empty(); }));
    bed.mail.scans.front()(verdict);
    bed.mail.scans.clear();
    REQUIRE(bed.mail.run_until([&] { return !bed.state().is_running; }));
  };
  ScanVerdict later;
  later.kind = ScanVerdict::Kind::defer;
  later.reply = {451, "4.7.1", "later"};
  scanned(later);
  CHECK(bed.box.messages.size() == 1);
  CHECK(contains(bed.state().outcome, "cannot be taken now"));
  ScanVerdict clean;
  clean.kind = ScanVerdict::Kind::clean;
  scanned(clean);
  CHECK(bed.box.messages.empty());
  CHECK(bed.state().outcome == "");
  bed.deliver();
  CHECK(bed.found() == bed.wanted());
  bed.box.add("X-Envelope-To: bert@office.example\r\nX-Mark: bad\r\n\r\n");
  ScanVerdict infected;
  infected.kind = ScanVerdict::Kind::infected;
  infected.what = "eicar";
  infected.reply = {550, "5.7.1", "infected"};
  scanned(infected);
  CHECK(bed.box.messages.size() == 1);
  const size_t fetched = bed.box.count("RETR");
  CHECK(bed.fetch() == "");
  CHECK(bed.box.count("RETR") == fetched);
}
