// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/mail_line.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

#include "control/log/log_line.h"

namespace postern {
namespace {

constexpr int64_t kWall = 1'772'352'000'123'000'000;  // 2026-03-01T08:00:00.123Z

}  // namespace

TEST_CASE("control/mail_line: a line has what the event has, and the null sender", "[F65][P26]") {
  setenv("TZ", "UTC", 1);
  tzset();
  const mail::Address nobody;
  const mail::Recipient joe{{"joe b", "b.example"}, 0, ""};
  mail::MailEvent event;
  event.kind = mail::MailEventKind::relayed;
  event.id = "4K7QX2";
  event.from = &nobody;
  event.to = &joe;
  event.remote = "mail.isp.example[192.0.2.25]:587";
  event.delay = milliseconds(812);
  event.result = "250 2.0.0 \"Ok\"";
  CHECK(mail_line(event, kWall, "gw1") ==
        "time=2026-03-01T08:00:00.123+0000 host=gw1 module=mail event=relayed id=4K7QX2 from=<> "
        "to=\"<\\\"joe b\\\"@b.example>\" remote=mail.isp.example[192.0.2.25]:587 delay_ms=812 "
        "result=\"250 2.0.0 \\\"Ok\\\"\"");
}

TEST_CASE("control/mail_line: what others say does not make lines or fields", "[F65][F69]") {
  mail::MailEvent event;
  event.kind = mail::MailEventKind::refused;
  event.client = Ipv4Address(0xC6336419);
  event.by = "smtp";
  event.user = "anna id=FAKE";
  event.octets = 5120;
  event.recipients = 3;
  event.result = "550 no\r\ntime=2026 event=received";
  const std::string line = mail_line(event, kWall, "gw1");
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\r') == std::string::npos);
  CHECK(find_log_field(line, "event") == "refused");
  CHECK(find_log_field(line, "client") == "198.51.100.25");
  CHECK(find_log_field(line, "user") == "anna id=FAKE");
  CHECK(find_log_field(line, "bytes") == "5120");
  CHECK(find_log_field(line, "recipients") == "3");
  CHECK_FALSE(find_log_field(line, "id"));
}

}  // namespace postern
