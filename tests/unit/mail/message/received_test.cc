// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/received.h"

#include <catch2/catch.hpp>

namespace postern::mail {
namespace {

ReceivedFacts facts() {
  ReceivedFacts out;
  out.helo = "pc.a.example";
  out.client = Ipv4Address(192, 168, 1, 7);
  out.host = "mx.a.example";
  out.id = "4711";
  out.is_extended = true;
  return out;
}

TEST_CASE("mail/message/received: the field says who, how, for whom and when", "[RFC5321-4.4]") {
  ReceivedFacts all = facts();
  const Address recipient{"ann", "b.example"};
  all.recipient = &recipient;
  all.client_name = "pc7.lan";
  all.tls = "TLSv1.3 with cipher X (256 bits)";
  CHECK(received_field(all) ==
        "Received: from pc.a.example (pc7.lan [192.168.1.7])\r\n"
        "\t(using TLSv1.3 with cipher X ?256 bits?)\r\n"
        "\tby mx.a.example with ESMTPS id 4711\r\n"
        "\tfor <ann@b.example>; Thu, 01 Jan 1970 00:00:00 +0000\r\n");
  CHECK(received_field(facts()) ==
        "Received: from pc.a.example ([192.168.1.7])\r\n"
        "\tby mx.a.example with ESMTP id 4711\r\n"
        "\t; Thu, 01 Jan 1970 00:00:00 +0000\r\n");
}

TEST_CASE("mail/message/received: what the client says of itself cannot make fields of its own") {
  ReceivedFacts evil = facts();
  evil.helo = "a\r\nX: y";
  evil.client_name = "b)\r\nX: (";
  const std::string field = received_field(evil);
  CHECK(field.starts_with("Received: from [192.168.1.7] (b???X: ? [192.168.1.7])\r\n"));
}

TEST_CASE("mail/message/received: the protocol has a word for each way", "[RFC3848-2]") {
  ReceivedFacts way = facts();
  CHECK(transmission_type(way) == "ESMTP");
  way.is_authenticated = true;
  CHECK(transmission_type(way) == "ESMTPA");
  way.tls = "TLSv1.3";
  CHECK(transmission_type(way) == "ESMTPSA");
  way.is_utf8 = true;
  CHECK(transmission_type(way) == "UTF8SMTPSA");
  way = facts();
  way.is_extended = false;
  CHECK(transmission_type(way) == "SMTP");
}

TEST_CASE("mail/message/received: the return path is the sender", "[RFC5321-4.4]") {
  CHECK(return_path_field(Address()) == "Return-Path: <>\r\n");
  CHECK(return_path_field({"a b", "a.x"}) == "Return-Path: <\"a b\"@a.x>\r\n");
}

}  // namespace
}  // namespace postern::mail
