// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/smtp_rules.h"

#include <catch2/catch.hpp>

#include "services/mail/message/address.h"
#include "unit/mail/net/stream_bed.h"

namespace postern::mail {
namespace {

SmtpRules rules() {
  SmtpRules made;
  made.host = "mx.a.example";
  made.book.own_domain = "a.example";
  made.book.domains = {"a.example"};
  made.book.own_addresses = {Ipv4Address(192, 0, 2, 1)};
  made.book.users = {"anna", "ben"};
  made.book.aliases = {{"sales", {"anna"}}};
  made.book.groups = {{"team", {"anna", "ben"}}};
  made.server.relay_networks = {{Ipv4Address(10, 0, 0, 0), Ipv4Address(10, 0, 0, 255)}};
  made.server.pop3_networks = {{Ipv4Address(10, 0, 1, 0), Ipv4Address(10, 0, 1, 255)}};
  made.size_max = 1000;
  return made;
}

Address address(const std::string& text) {
  Address made;
  CHECK(parse_mailbox(text, true, made) == AddressFault::none);
  return made;
}

Envelope from(Ipv4Address client, const std::string& user = "") {
  Envelope made;
  made.client = client;
  made.user = user;
  return made;
}

constexpr Ipv4Address kOutside{198, 51, 100, 7};
constexpr Ipv4Address kInside{10, 0, 0, 7};
constexpr Ipv4Address kReader{10, 0, 1, 7};

std::string judged(const std::string& recipient, const Envelope& envelope) {
  const Reply reply = judge_recipient(rules(), envelope, address(recipient));
  return reply ? to_text(reply).substr(0, 9) : "yes";
}

}  // namespace

TEST_CASE("mail/smtp_rules: the outside sends to addresses of ours alone", "[F53]") {
  CHECK(judged("anna@a.example", from(kOutside)) == "yes");
  CHECK(judged("Sales@a.example", from(kOutside)) == "yes");
  CHECK(judged("anna@[192.0.2.1]", from(kOutside)) == "yes");
  CHECK(judged("nobody@a.example", from(kOutside)) == "550 5.1.1");
  CHECK(judged("joe@b.example", from(kOutside)) == "550 5.7.1");
  CHECK(judged("joe@[192.0.2.9]", from(kOutside)) == "550 5.7.1");
  CHECK(judged("joe%b.example@a.example", from(kOutside)) == "550 5.7.1");
  CHECK(judged("b.example!joe@a.example", from(kOutside)) == "550 5.7.1");
  CHECK(judged("\"joe@b.example\"@a.example", from(kOutside)) == "550 5.7.1");
  CHECK(judged("joe@sub.a.example", from(kOutside)) == "550 5.7.1");
  // Who may read mail may not send it without a password.
  CHECK(judged("joe@b.example", from(kReader)) == "550 5.7.1");
}

TEST_CASE("mail/smtp_rules: relay networks and who has logged in send to anywhere", "[F53]") {
  CHECK(judged("joe@b.example", from(kInside)) == "yes");
  CHECK(judged("joe@b.example", from(kOutside, "anna")) == "yes");
  CHECK(judged("nobody@a.example", from(kInside)) == "550 5.1.1");
}

TEST_CASE("mail/smtp_rules: who logs in sends as himself where that is wanted", "[F53]") {
  SmtpRules strict = rules();
  const auto judge = [&](const std::string& sender, const std::string& user) {
    Envelope envelope = from(kOutside, user);
    if (!sender.empty()) envelope.sender = address(sender);
    const Reply reply = judge_sender(strict, envelope);
    return reply ? to_text(reply).substr(0, 9) : "yes";
  };
  CHECK(judge("joe@b.example", "anna") == "yes");
  strict.server.is_sender_checked = true;
  CHECK(judge("anna@a.example", "anna") == "yes");
  CHECK(judge("anna+x@a.example", "Anna") == "yes");
  CHECK(judge("sales@a.example", "anna") == "yes");
  CHECK(judge("team@a.example", "ben") == "yes");
  CHECK(judge("", "anna") == "yes");
  CHECK(judge("sales@a.example", "ben") == "553 5.7.1");
  CHECK(judge("anna@a.example", "ben") == "553 5.7.1");
  CHECK(judge("anna@b.example", "anna") == "553 5.7.1");
  CHECK(judge("anna@b.example", "") == "yes");  // the outside: that is for SPF
}

TEST_CASE("mail/smtp_rules: passwords go in clear from networks of ours at most", "[F53]") {
  SmtpRules plain = rules();
  CHECK_FALSE(settings_for(plain, SmtpPort::mail, kInside).offers_auth);
  plain.server.has_clear_passwords = true;
  CHECK(settings_for(plain, SmtpPort::mail, kInside).allows_auth_in_clear);
  CHECK(settings_for(plain, SmtpPort::submission, kReader).allows_auth_in_clear);
  CHECK_FALSE(settings_for(plain, SmtpPort::submission, kOutside).offers_auth);
  CHECK(settings_for(plain, SmtpPort::submission, kOutside).requires_tls);
  CHECK_FALSE(settings_for(plain, SmtpPort::submission, kInside).requires_tls);
  CHECK(settings_for(plain, SmtpPort::submission, kInside).requires_auth);
  CHECK_FALSE(settings_for(plain, SmtpPort::mail, kInside).requires_auth);
}

TEST_CASE("mail/smtp_rules: the outside cannot log in where mail for us comes in", "[F53]") {
  SmtpRules secure = rules();
  secure.tls = test::server_tls();
  CHECK_FALSE(settings_for(secure, SmtpPort::mail, kOutside).offers_auth);
  CHECK(settings_for(secure, SmtpPort::mail, kOutside).offers_tls);
  CHECK(settings_for(secure, SmtpPort::mail, kInside).offers_auth);
  CHECK(settings_for(secure, SmtpPort::mail, kReader).offers_auth);
  CHECK(settings_for(secure, SmtpPort::submission, kOutside).offers_auth);
  CHECK(settings_for(secure, SmtpPort::submissions, kOutside).offers_auth);
  secure.server.has_clear_passwords = true;
  CHECK_FALSE(settings_for(secure, SmtpPort::mail, kOutside).offers_auth);
}

TEST_CASE("mail/smtp_rules: strangers alone wait for the greeting", "[F53]") {
  SmtpRules slow = rules();
  slow.server.greet_delay = seconds(3);
  CHECK(settings_for(slow, SmtpPort::mail, kOutside).greet_delay == seconds(3));
  CHECK(settings_for(slow, SmtpPort::mail, kInside).greet_delay == seconds(0));
  CHECK(settings_for(slow, SmtpPort::submission, kOutside).greet_delay == seconds(0));
}

}  // namespace postern::mail
