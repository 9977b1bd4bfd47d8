// SPDX-License-Identifier: BSD-3-Clause
// Which host is used, and how it proves who it is, and we who we are.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "services/mail/message/base64.h"
#include "services/mail/relay/relay.h"
#include "unit/mail/net/stream_bed.h"
#include "unit/mail/relay/relay_bed.h"

namespace postern::mail {

using test::RelayBed;
using test::TestHost;

namespace {

RelaySettings by_tls(const TestHost& host, TlsMode mode, const std::string& ca_file) {
  RelaySettings settings;
  settings.hosts = {host.as_relay()};
  settings.hosts[0].tls.mode = mode;
  settings.hosts[0].tls.ca_file = ca_file;
  settings.hosts[0].credentials.user = "joe";
  settings.hosts[0].credentials.password = "secret";
  return settings;
}

bool is_untold(const TestHost& host) {
  return !host.has_heard("AUTH") && !host.has_heard("MAIL");
}

}  // namespace

TEST_CASE("mail/relay: where TLS is required and not offered nothing is told", "[RFC8314-5]") {
  RelayBed bed;
  TestHost host(bed.context);
  bed.follow(by_tls(host, TlsMode::required, ""));
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "451 4.7.4 The server offers no STARTTLS, and TLS is required");
  CHECK(host.connections == 1);
  CHECK(is_untold(host));
  // Nor is a password where it is only wished for.
  bed.follow(by_tls(host, TlsMode::opportunistic, ""));
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "451 4.7.11 There is no TLS, and without it no password is sent");
  CHECK(is_untold(host));
}

TEST_CASE("mail/relay: a host with another certificate is told nothing", "[RFC8314-5]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.tls = test::server_tls();
  host.offers.emplace_back("STARTTLS");
  bed.follow(by_tls(host, TlsMode::required, ""));  // the system's authorities do not know it
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "451 4.4.2 The connection was lost in the TLS handshake: TLS: the certificate is refused: "
        "self-signed certificate");
  host.is_implicit = true;
  bed.follow(by_tls(host, TlsMode::implicit, ""));
  CHECK(bed.outcome(bed.send({"ann"})).ends_with("refused: self-signed certificate"));
  CHECK(host.secured == 0);
  CHECK(is_untold(host));
}

TEST_CASE("mail/relay: over TLS to the right host the password goes, and the mail", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.tls = test::server_tls();
  host.offers = {"STARTTLS", "AUTH PLAIN"};
  SECTION("by STARTTLS") {
    bed.follow(by_tls(host, TlsMode::required, test::identity().file));
  }
  SECTION("from the first octet") {
    host.is_implicit = true;
    host.offers = {"AUTH PLAIN"};
    bed.follow(by_tls(host, TlsMode::implicit, test::identity().file));
  }
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  CHECK(host.secured == 1);
  CHECK(host.has_heard("AUTH PLAIN AGpvZQBzZWNyZXQ="));
}

TEST_CASE("mail/relay: TLS that is only wished for and fails is left away", "[RFC7435-3]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.offers = {"STARTTLS"};
  host.answer = [](const std::string& line) {
    return line == "STARTTLS" ? "454-x\r\n220 no TLS at all close" : "";
  };
  RelaySettings settings;
  settings.hosts = {host.as_relay()};
  settings.hosts[0].tls.mode = TlsMode::opportunistic;
  bed.follow(settings);
  // A reply that is none: the host is left.
  CHECK(bed.outcome(bed.send({"ann"})).starts_with("451 4.5.0 What came"));
  host.answer = [](const std::string& line) { return line == "STARTTLS" ? "220 Go on close" : ""; };
  bed.pass(seconds(11));
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  CHECK(host.secured == 0);
  CHECK(host.connections == 3);
}

TEST_CASE("mail/relay: a token comes from a command, and anew where it is refused", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  host.tls = test::server_tls();
  host.is_implicit = true;
  host.offers = {"AUTH XOAUTH2"};
  int logins = 0;
  host.answer = [&logins](const std::string& line) {
    return line.starts_with("AUTH") && ++logins == 1 ? "535 5.7.8 Expired" : "";
  };
  RelaySettings settings = by_tls(host, TlsMode::implicit, test::identity().file);
  settings.hosts[0].credentials.token_command = {"/bin/echo", "abc"};
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  CHECK(logins == 2);
  CHECK(host.has_heard("AUTH XOAUTH2 " + encode_base64("user=joe\1auth=Bearer abc\1\1")));
  settings.hosts[0].credentials.token_command = {"/bin/false"};
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "451 4.7.0 There is no token to log in with: /bin/false: exit code 1");
}

TEST_CASE("mail/relay: mail of some senders goes by a host of theirs", "[F49]") {
  RelayBed bed;
  TestHost host(bed.context);
  TestHost theirs(bed.context);
  RelaySettings settings;
  settings.hosts = {host.as_relay()};
  settings.by_sender = {{{"*@c.example", "joe@*"}, {theirs.as_relay()}}};
  bed.follow(settings);
  bed.outcome(bed.send({"ann"}));
  CHECK(theirs.texts.size() == 1);
  RelayJob job = bed.job({"ann"}, "a\r\n");
  auto envelope = std::make_shared<Envelope>(*job.envelope);
  envelope->sender = {};
  job.envelope = envelope;
  bed.outcome(bed.send(std::move(job)));
  CHECK(host.texts.size() == 1);
}

TEST_CASE("mail/relay: mail goes to the hosts of the recipient's domain", "[RFC5321-5.1]") {
  RelayBed bed;
  TestHost host(bed.context);
  bed.relay = std::make_unique<Relay>(bed.context, bed.seams(), host.port());
  RelaySettings settings;
  settings.has_mx = true;
  settings.mx_allowed = {{Ipv4Address(127, 0, 0, 0), Ipv4Address(127, 255, 255, 255)}};
  bed.follow(settings);
  bed.addresses.insert_or_assign("a.mx.example", Seams::Addresses{Ipv4Address(127, 0, 0, 9)});
  bed.addresses.insert_or_assign("b.mx.example", Error{ErrorCode::unavailable, "no answer"});
  const std::vector<MailHost> three = {
      {30, "c.mx.example"}, {10, "a.mx.example"}, {20, "B.mx.example."}};
  bed.mail_hosts.insert_or_assign("b.example", three);
  // 127.0.0.9 refuses, the second is not found: the third it is.
  CHECK(bed.outcome(bed.send({"ann"})) == "250 2.0.0 Taken");
  CHECK(bed.results[1].remote.starts_with("c.mx.example[127.0.0.1]:"));

  const auto to = [&](const std::string& domain) {
    RelayJob job = bed.job({"ann"}, "a\r\n");
    auto envelope = std::make_shared<Envelope>(*job.envelope);
    envelope->recipients[0].address.domain = domain;
    job.envelope = envelope;
    return bed.outcome(bed.send(std::move(job)));
  };
  CHECK(to("c.example") == "250 2.0.0 Taken");  // no MX: its address
  CHECK(to("[127.0.0.1]") == "250 2.0.0 Taken");
  bed.mail_hosts.insert_or_assign("d.example", std::vector<MailHost>{{0, "."}});
  CHECK(to("d.example") == "556 5.1.10 d.example takes no mail");
  bed.mail_hosts.insert_or_assign("e.example", Error{ErrorCode::not_found, "NXDOMAIN"});
  CHECK(to("e.example") == "550 5.1.2 There is no domain e.example");
  bed.mail_hosts.insert_or_assign("f.example", Error{ErrorCode::unavailable, "SERVFAIL"});
  CHECK(to("f.example") == "451 4.4.3 f.example: SERVFAIL");
  bed.addresses.insert_or_assign("g.example", Error{ErrorCode::not_found, "no address"});
  CHECK(to("g.example") == "550 5.1.2 g.example: no address");
}

TEST_CASE("mail/relay: a domain's hosts are no way to us, nor to hosts inside", "[RFC5321-5.1]") {
  RelayBed bed;
  TestHost host(bed.context);
  bed.relay = std::make_unique<Relay>(bed.context, bed.seams(), host.port());
  RelaySettings settings;
  settings.has_mx = true;
  bed.follow(settings);
  // Whatever is said of the name, the address is 127.0.0.1.
  CHECK(bed.outcome(bed.send({"ann"})) ==
        "554 5.4.4 b.example has no address of the public internet");
  CHECK_FALSE(bed.results[1].was_tried);
  settings.own = {{Ipv4Address(127, 0, 0, 1), Ipv4Address(127, 0, 0, 1)}};
  settings.mx_allowed = {{Ipv4Address(127, 0, 0, 0), Ipv4Address(127, 255, 255, 255)}};
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann"})) == "554 5.4.6 Mail for b.example would come back to us");
  // One of its hosts may be reached later.
  bed.addresses.insert_or_assign("a.mx.example", Error{ErrorCode::unavailable, "no answer"});
  bed.mail_hosts.insert_or_assign(
      "b.example", std::vector<MailHost>{{10, "a.mx.example"}, {20, "b.mx.example"}});
  bed.pass(seconds(11));
  CHECK(bed.outcome(bed.send({"ann"})) == "451 4.4.3 a.mx.example: no answer");
  CHECK(host.connections == 0);
}

TEST_CASE("mail/relay: a token that comes late is not given to the next host", "[F49]") {
  RelayBed bed;
  TestHost slow(bed.context);
  TestHost host(bed.context);
  slow.tls = host.tls = test::server_tls();
  slow.is_implicit = host.is_implicit = true;
  slow.offers = host.offers = {"AUTH XOAUTH2"};
  RelaySettings settings = by_tls(slow, TlsMode::implicit, test::identity().file);
  const std::string begun =
      std::filesystem::temp_directory_path() / ("postern-token-" + std::to_string(getpid()));
  const std::string gate = begun + "-gate";
  settings.hosts[0].credentials.token_command = {
      "/bin/sh", "-c",
      "touch " + begun + "; while ! test -e " + gate + "; do sleep 0.05; done; echo first"};
  settings.hosts.push_back(by_tls(host, TlsMode::implicit, test::identity().file).hosts[0]);
  settings.hosts[1].credentials.token_command = {"/bin/sh", "-c", "echo second"};
  bed.follow(settings);
  const uint64_t number = bed.send({"ann"});
  CHECK(bed.wait([&] { return std::filesystem::exists(begun); }));
  slow.close_all();
  CHECK(bed.wait([&] { return host.has_heard("EHLO"); }));
  std::ofstream(gate).put('!');
  CHECK(bed.outcome(number) == "250 2.0.0 Taken");
  CHECK(host.has_heard("AUTH XOAUTH2 " + encode_base64("user=joe\1auth=Bearer second\1\1")));
  std::filesystem::remove(begun);
  std::filesystem::remove(gate);
}

TEST_CASE("mail/relay: a message of 50 MiB goes in bounded memory", "[F49]") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("postern-relay-" + std::to_string(getpid()));
  constexpr uint64_t kOctets = uint64_t{50} << 20;
  {
    std::ofstream file(path);
    const std::string line = "." + std::string(61, 'x') + "\r\n";
    for (uint64_t at = 0; at < kOctets; at += line.size())
      file << line;
  }
  const auto peak_kib = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  RelayBed bed;
  TestHost host(bed.context);
  bed.follow(host);
  RelayJob job = bed.job({"ann"}, "");
  auto body = Body::open(path);
  REQUIRE(body);
  job.body = *body;
  job.octets = (*body)->octets();
  REQUIRE(job.octets == kOctets);
  [[maybe_unused]] const long before = peak_kib();
  CHECK(bed.outcome(bed.send(std::move(job))) == "250 2.0.0 Taken");
  CHECK(host.sizes == std::vector<size_t>{kOctets});
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed for a while
  CHECK(peak_kib() - before < 16 * 1024);
#endif
  std::filesystem::remove(path);
}

TEST_CASE("mail/relay: a host whose password cannot be read is not used", "[F49]") {
  RelayBed bed;
  TestHost first(bed.context);
  TestHost second(bed.context);
  RelaySettings settings;
  settings.hosts = {first.as_relay(), second.as_relay()};
  settings.hosts[0].lacks_secret = true;
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann"})).starts_with("250 "));
  CHECK(first.connections == 0);
  settings.hosts.pop_back();
  bed.follow(settings);
  CHECK(bed.outcome(bed.send({"ann"})) == "451 4.3.5 The password for the relay cannot be read");
  CHECK(first.connections == 0);
}

}  // namespace postern::mail
