// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/parameters.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/mail/message/envelope.h"

namespace postern::mail {
namespace {

TEST_CASE("mail/message/parameters: those of MAIL are read", "[RFC5321-4.1.1.2]") {
  MailParameters out;
  REQUIRE(parse_mail_parameters(" size=4711 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=q+2B1 AUTH=<>",
                                true, out) == ParameterFault::none);
  CHECK(out.size == 4711);
  CHECK(out.is_8bit);
  CHECK(out.is_utf8);
  CHECK(out.returns == kReturnsHeaders);
  CHECK(out.id == "q+2B1");
  CHECK(out.auth == "<>");
  MailParameters none;
  CHECK(parse_mail_parameters("", true, none) == ParameterFault::none);
  CHECK(!none.size);
  CHECK(parse_mail_parameters(" SIZE=99999999999999999999", true, none) == ParameterFault::none);
  CHECK(none.size == UINT64_MAX);
}

TEST_CASE("mail/message/parameters: bad ones of MAIL are refused", "[RFC5321-4.1.1.2]") {
  const auto fault = [](const std::string& text) {
    MailParameters out;
    return parse_mail_parameters(' ' + text, false, out);
  };
  for (const auto* text :
       {"SIZE", "SIZE=", "SIZE=-1", "SIZE=1k", "SIZE=111111111111111111111", "BODY=BINARYMIME",
        "BODY", "SMTPUTF8=1", "RET=ALL", "RET=", "ENVID=", "ENVID=a+b", "ENVID=a+2", "ENVID=a=b"}) {
    INFO(text);
    CHECK(fault(text) == ParameterFault::value);
  }
  CHECK(fault("ENVID=" + std::string(100, 'x')) == ParameterFault::none);
  CHECK(fault("ENVID=" + std::string(101, 'x')) == ParameterFault::value);
  CHECK(fault("SIZE=1 size=1") == ParameterFault::twice);
  CHECK(fault("FOO=1") == ParameterFault::unknown);
  CHECK(fault("HOLDFOR=60") == ParameterFault::unknown);
  CHECK(fault("AUTH=<>") == ParameterFault::unknown);
  CHECK(fault("=") == ParameterFault::unknown);
}

TEST_CASE("mail/message/parameters: those of RCPT are read, bad ones refused", "[RFC3461-4.1]") {
  const auto fault = [](const std::string& text) {
    RcptParameters out;
    return parse_rcpt_parameters(' ' + text, out);
  };
  RcptParameters out;
  REQUIRE(parse_rcpt_parameters(" NOTIFY=success,DELAY ORCPT=rfc822;joe+40x@a.x", out) ==
          ParameterFault::none);
  CHECK(out.notify == (kNotifySuccess | kNotifyDelay));
  CHECK(out.original == "rfc822;joe+40x@a.x");
  CHECK(fault("ORCPT=utf-8;j\xc3\xb6@a.x") == ParameterFault::none);
  CHECK(fault("ORCPT=utf-8;j\xc3@a.x") == ParameterFault::value);
  for (const auto* text : {"NOTIFY=", "NOTIFY", "NOTIFY=ALL", "NOTIFY=NEVER,DELAY", "NOTIFY=DELAY,",
                           "NOTIFY=DELAY,DELAY", "ORCPT=joe", "ORCPT=;joe", "ORCPT=rfc822;",
                           "ORCPT=rfc822;a=b", "ORCPT=a b;c", "ORCPT=rfc822;a+zz"}) {
    INFO(text);
    CHECK(fault(text) == ParameterFault::value);
  }
  CHECK(fault("ORCPT=rfc822;" + std::string(494, 'x')) == ParameterFault::value);
  CHECK(fault("NOTIFY=DELAY NOTIFY=DELAY") == ParameterFault::twice);
  CHECK(fault("SIZE=1") == ParameterFault::unknown);
}

TEST_CASE("mail/message/parameters: xtext says all octets in visible ASCII", "[RFC3461-4]") {
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  CHECK(decode_xtext(encode_xtext(all)) == all);
  CHECK(encode_xtext("a+b=c d") == "a+2Bb+3Dc+20d");
}

}  // namespace
}  // namespace postern::mail
