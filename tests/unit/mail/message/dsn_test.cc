// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/dsn.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/mail/message/data.h"

namespace postern::mail {
namespace {

DsnFacts facts() {
  DsnFacts out;
  out.host = "mx.a.example";
  out.to = {"joe", "a.example"};
  out.message_id = "1.dsn@mx.a.example";
  out.boundary = "b0undary";
  DsnRecipient recipient;
  recipient.recipient.address = {"ann", "b.example"};
  recipient.status = "5.1.1";
  recipient.diagnostic = "550 5.1.1 No such user";
  recipient.remote = "mail.b.example";
  out.recipients.push_back(recipient);
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("mail/message/dsn: a report has words, a status and the header of the message",
          "[RFC3464-2]") {
  const std::string head = dsn_head(facts());
  CHECK(has(head, "To: <joe@a.example>\r\n"));
  CHECK(has(head, "Auto-Submitted: auto-replied\r\n"));
  CHECK(has(head,
            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
            "\tboundary=\"b0undary\"\r\n"));
  CHECK(has(head, "The server mail.b.example said:\r\n\r\n    550 5.1.1 No such user\r\n"));
  CHECK(has(head,
            "\r\n--b0undary\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns;mx.a.example\r\n"
            "Arrival-Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n\r\n"
            "Final-Recipient: rfc822;ann@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            "Remote-MTA: dns;mail.b.example\r\n"
            "Diagnostic-Code: smtp;550 5.1.1 No such user\r\n"));
  CHECK(head.ends_with("\r\n--b0undary\r\nContent-Type: text/rfc822-headers\r\n\r\n"));
  CHECK(dsn_tail(facts()) == "\r\n--b0undary--\r\n");
}

TEST_CASE("mail/message/dsn: what the sender asked for is in it", "[RFC3461-6.3]") {
  DsnFacts asked = facts();
  asked.envelope_id = "q+2B1";
  asked.recipients[0].recipient.original = "rfc822;an+2Bn@c.example";
  asked.returns = kReturnsFull;
  CHECK(has(dsn_head(asked), "Original-Envelope-Id: q+1\r\n"));
  CHECK(has(dsn_head(asked), "Original-Recipient: rfc822;an+n@c.example\r\n"));
  CHECK(dsn_head(asked).ends_with("Content-Type: message/rfc822\r\n\r\n"));
  asked.recipients[0].action = DsnAction::delayed;
  asked.recipients[0].retry_until_s = 86400;
  CHECK(has(dsn_head(asked), "Will-Retry-Until: Fri, 02 Jan 1970 00:00:00 +0000\r\n"));
  CHECK(!returns_full(asked));
}

TEST_CASE("mail/message/dsn: who wants which notification", "[RFC3461-4.1]") {
  DsnRecipient recipient;
  CHECK(is_wanted(recipient));
  recipient.recipient.notify = kNotifyNever;
  CHECK(!is_wanted(recipient));
  recipient.recipient.notify = kNotifySuccess;
  CHECK(!is_wanted(recipient));
  recipient.action = DsnAction::delivered;
  CHECK(is_wanted(recipient));
  recipient.recipient.notify = 0;
  CHECK(!is_wanted(recipient));
  recipient.action = DsnAction::delayed;
  CHECK(is_wanted(recipient));
}

TEST_CASE("mail/message/dsn: text of other servers cannot make lines, and is cut") {
  DsnFacts evil = facts();
  evil.recipients[0].diagnostic = "550 a\r\n\r\n--b0undary--\nb\xff" + std::string(2000, 'x');
  evil.recipients[0].recipient.original = "rfc822;a+0D+0AX:+20y";
  evil.envelope_id = "a+0Ab";
  const std::string head = dsn_head(evil);
  CHECK(!has(head, "\r\n--b0undary--"));
  CHECK(!has(head, "\nX: y"));
  CHECK(!has(head, "a\nb"));
  CHECK(has(head, "rfc822;a??X: y\r\n"));
  DataEncoder encoder;
  std::string wire;
  CHECK(encoder.feed(head + dsn_tail(evil), wire));
  DataDecoder decoder(1000);
  while (!wire.empty() && !decoder.is_done())
    wire.erase(0, decoder.feed(wire).taken);
  CHECK(decoder.fault() == DataFault::none);
}

TEST_CASE("mail/message/dsn: addresses beyond ASCII are told as they are", "[RFC6533-3]") {
  DsnFacts utf8 = facts();
  utf8.is_utf8 = true;
  utf8.recipients[0].recipient.address.local = "\xc3\xb6";
  const std::string head = dsn_head(utf8);
  CHECK(has(head, "report-type=global-delivery-status"));
  CHECK(has(head, "Content-Type: message/global-delivery-status\r\n"));
  CHECK(has(head, "Final-Recipient: utf-8;\xc3\xb6@b.example\r\n"));
  CHECK(head.ends_with(
      "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"));
}

}  // namespace
}  // namespace postern::mail
