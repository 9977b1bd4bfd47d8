// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/security_line.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <random>

using namespace postern;

namespace {

// 2026-03-01 08:00:00.123 UTC.
constexpr int64_t kWall = 1772352000'123'456'789;

LoggedNames names() {
  Policy policy;
  policy.generation = 3;
  policy.interfaces.resize(3);
  policy.interfaces[0].name = "wan";
  policy.interfaces[0].zone = Zone::external;
  policy.interfaces[1].name = "lan";
  policy.interfaces[2].name = "wan2";
  policy.interfaces[2].zone = Zone::external;
  Rule web;
  web.name = "web";
  web.description = "the \"web\" \\ server";
  web.line = 41;
  policy.rules = Ruleset({web}, Posture::normal, true);
  ConfiguredMapping map;
  map.name = "mail";
  policy.nat.mappings = {map};
  return LoggedNames(policy);
}

LogRecord tcp_record() {
  LogRecord record;
  record.generation = 3;
  record.action = LogAction::permit;
  record.in = 0;
  record.out = 1;
  record.protocol = protocol::tcp;
  record.tcp_flags = tcp_flag::syn;
  record.length = 60;
  record.source = Ipv4Address(198, 51, 100, 7);
  record.destination = record.original_destination = Ipv4Address(192, 168, 1, 5);
  record.source_port = 40000;
  record.destination_port = record.original_destination_port = 80;
  record.tcp_sequence = 1;
  record.tcp_window = 64240;
  return record;
}

// The line without time and host, which are the same for all.
std::string line_of(const LogRecord& record, const LoggedNames* known) {
  SecurityLine line("gw1");
  std::string text(line.format(record, known, kWall));
  size_t at = text.find(" module=");
  REQUIRE(at != std::string::npos);
  return text.substr(at + 1);
}

struct CentralEurope {
  CentralEurope() {
    setenv("TZ", "CET-1", 1);
    tzset();
  }
  ~CentralEurope() {
    unsetenv("TZ");
    tzset();
  }
};

}  // namespace

TEST_CASE("control/log: a line has the local time with its offset, and the host", "[F66]") {
  CentralEurope zone;
  LoggedNames known = names();
  SecurityLine line("gw1");
  std::string text(line.format(tcp_record(), &known, kWall));
  CHECK(text.starts_with("time=2026-03-01T09:00:00.123+0100 host=gw1 module=filter "));
  CHECK(line.format_lost(17, 1, kWall) ==
        "time=2026-03-01T09:00:00.123+0100 host=gw1 module=log action=lost records=17 worker=1 "
        "text=\"17 records lost\"");
}

TEST_CASE("control/log: a rule is named with description and line", "[F66][C07]") {
  LoggedNames known = names();
  CHECK(line_of(tcp_record(), &known) ==
        "module=filter rule=\"web\" description=\"the \\\"web\\\" \\\\ server\" line=41 "
        "action=permit in=wan out=lan direction=inbound protocol=tcp source=198.51.100.7:40000 "
        "destination=192.168.1.5:80 length=60 flags=SYN seq=1 ack=0 window=64240 generation=3 "
        "worker=0");
}

TEST_CASE("control/log: a rule of a forgotten generation is shown by its number") {
  LogRecord record = tcp_record();
  record.rule = 7;
  CHECK(line_of(record, nullptr).starts_with("module=filter rule=\"#7\" action=permit in=- out=-"));
}

TEST_CASE("control/log: the original destination is shown where it was another") {
  LoggedNames known = names();
  LogRecord record = tcp_record();
  record.kind = LogKind::fallthrough;
  record.action = LogAction::drop;
  record.reason = DropReason::filter_default;
  record.original_destination = Ipv4Address(203, 0, 113, 2);
  record.original_destination_port = 8080;
  CHECK(line_of(record, &known) ==
        "module=filter rule=\"default\" action=drop in=wan out=lan direction=inbound protocol=tcp "
        "source=198.51.100.7:40000 destination=192.168.1.5:80 "
        "original_destination=203.0.113.2:8080 length=60 flags=SYN seq=1 ack=0 window=64240 "
        "reason=filter_default generation=3 worker=0");
}

TEST_CASE("control/log: ICMP has type, code and identifier, and no ports") {
  LoggedNames known = names();
  LogRecord record;
  record.generation = 3;
  record.kind = LogKind::drop;
  record.reason = DropReason::spoofed_source;
  record.in = 1;
  record.protocol = protocol::icmp;
  record.icmp_type = 8;
  record.source_port = 77;
  CHECK(line_of(record, &known) ==
        "module=spoof action=drop in=lan out=- direction=- protocol=icmp source=0.0.0.0 "
        "destination=0.0.0.0 type=8 code=0 id=77 reason=spoofed_source generation=3 worker=0");
}

TEST_CASE("control/log: a translation names the mapping and the new source") {
  LoggedNames known = names();
  LogRecord record = tcp_record();
  record.kind = LogKind::translation;
  record.action = LogAction::translate;
  record.translated_source = Ipv4Address(203, 0, 113, 2);
  record.translated_source_port = 50000;
  std::string text = line_of(record, &known);
  CHECK(text.starts_with("module=nat rule=\"mail\" action=translate "));
  CHECK(text.find(" translated_source=203.0.113.2:50000 ") != std::string::npos);
}

TEST_CASE("control/log: the direction follows from the zones") {
  LoggedNames known = names();
  auto [in, out, word] = GENERATE(table<InterfaceId, InterfaceId, std::string>({
      {0, 1, "inbound"},
      {1, 0, "outbound"},
      {1, 1, "internal"},
      {0, 2, "transit"},
      {0, kNoInterface, "inbound"},
      {1, kNoInterface, "-"},
      {0, kGateway, "to-gateway"},
      {kGateway, 1, "from-gateway"},
      {9, 1, "-"},
  }));
  LogRecord record;
  record.in = in;
  record.out = out;
  CHECK(direction_word(record, &known) == word);
}

TEST_CASE("control/log: TCP flags are words") {
  CHECK(tcp_flags_text(0) == "-");
  CHECK(tcp_flags_text(tcp_flag::syn | tcp_flag::ack) == "SYN,ACK");
  CHECK(tcp_flags_text(0xFF) == "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR");
}

TEST_CASE("control/log: no record makes the formatter fail or break the line") {
  LoggedNames known = names();
  SecurityLine line("gw1");
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    LogRecord record;
    auto* bytes = reinterpret_cast<unsigned char*>(&record);
    for (size_t k = 0; k < sizeof record; ++k)
      bytes[k] = static_cast<unsigned char>(random());
    record.at.ns &= 0x0FFF'FFFF'FFFF'FFFF;
    record.reason = static_cast<DropReason>(random() % kDropReasons);
    std::string_view text = line.format(record, i % 2 == 0 ? &known : nullptr, kWall);
    REQUIRE(text.find('\n') == std::string_view::npos);
    REQUIRE(text.size() < 1000);
  }
}
