// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>

#include "control/ipfix/message.h"
#include "unit/control/ipfix_decoder.h"

using namespace postern;
using namespace postern::ipfix;

namespace {

constexpr int64_t kOffset = 1'700'000'000'000'000'000;  // of the wall clock, ns
const Limits kLimits{65536, 32768, 1024, 512};

FlowKey key(Ipv4Address source, uint16_t source_port, Ipv4Address destination,
            uint16_t destination_port, uint8_t protocol) {
  return {source.wire(), destination.wire(), be16(source_port), be16(destination_port), protocol};
}

// A host behind the gateway asks a server outside; the gateway stands for it.
FlowRecord session(FlowEvent event, uint8_t proto = protocol::udp) {
  FlowRecord record;
  record.at = Instant{5'000'000'000};
  const uint16_t port = proto == protocol::icmp ? 0 : 53;
  record.original = key({192, 168, 1, 10}, 5000, {198, 51, 100, 7}, port, proto);
  record.reply = key({198, 51, 100, 7}, port, {203, 0, 113, 1}, 61000, proto);
  record.event = event;
  record.in = 1;
  record.out = 0;
  if (event != FlowEvent::session_end) return record;
  record.end = FlowEnd::idle;
  record.bytes[0] = 6000000000;
  record.bytes[1] = 9000000000;
  record.packets[0] = 5000001;
  record.packets[1] = 7000001;
  record.created = Instant{1'000'000'000};
  record.last_seen = Instant{4'000'000'000};
  return record;
}

// All templates, then what `fill` adds, as a collector reads it.
template <typename Fill>
test::IpfixDecoder decoded(Fill fill) {
  Message message;
  message.begin(Message::kMax);
  for (const Template& each : templates())
    REQUIRE(message.add(each));
  REQUIRE(message.records() == 0);
  fill(message);
  test::IpfixDecoder decoder;
  REQUIRE(decoder.take(message.finish({7, 42, 1'700'000'005})));
  return decoder;
}

test::IpfixRecord decoded(const FlowRecord& record) {
  auto decoder = decoded([&](Message& message) { CHECK(message.add(record, kOffset, kLimits)); });
  REQUIRE(decoder.records.size() == 1);
  return decoder.records[0];
}

}  // namespace

TEST_CASE("control/ipfix: a message begins with its header and counts its data records", "[P20]") {
  Message message;
  message.begin(Message::kMax);
  CHECK(message.is_empty());
  CHECK(message.add(loss_template()));
  CHECK(message.add(Loss{3, 20, 4000, 10, 20}));
  const std::string_view octets = message.finish({7, 42, 0x01020304});
  const uint8_t head[] = {0, 10, 0, 98, 1, 2, 3, 4, 0, 0, 0, 42, 0, 0, 0, 7};
  REQUIRE(octets.size() == 98);
  for (size_t i = 0; i < sizeof head; ++i)
    CHECK(static_cast<uint8_t>(octets[i]) == head[i]);
  // RFC 7011 3.4.2.2: an options template set, the template, one scope field.
  const uint8_t options[] = {0, 3, 0, 34, 1, 12, 0, 6, 0, 1, 0, 144, 0, 4};
  for (size_t i = 0; i < sizeof options; ++i)
    CHECK(static_cast<uint8_t>(octets[16 + i]) == options[i]);
  CHECK(message.records() == 1);
}

TEST_CASE("control/ipfix: the begin of a translated session is a NAT44 create event", "[P20]") {
  const auto record = decoded(session(FlowEvent::session_begin));
  CHECK(record.at(323) == 1'700'000'005'000);
  CHECK(record.at(230) == 4);
  CHECK(record.at(8) == 0xC0A8010A);
  CHECK(record.at(225) == 0xCB007101);
  CHECK(record.at(7) == 5000);
  CHECK(record.at(227) == 61000);
  CHECK(record.at(12) == 0xC6336407);
  CHECK(record.at(226) == 0xC6336407);
  CHECK(record.at(11) == 53);
  CHECK(record.at(228) == 53);
  CHECK(record.at(4) == 17);
  CHECK(record.at(10) == 2);
  CHECK(record.at(14) == 1);
  CHECK_FALSE(record.has(1));
}

TEST_CASE("control/ipfix: the end of a session tells both directions", "[P20]") {
  FlowRecord ended = session(FlowEvent::session_end);
  auto record = decoded(ended);
  CHECK(record.set == 258);
  CHECK(record.at(230) == 5);
  CHECK(record.at(152) == 1'700'000'001'000);
  CHECK(record.at(153) == 1'700'000'004'000);
  CHECK(record.at(136) == 1);
  CHECK(record.at(1) == 6000000000);
  CHECK(record.at(2) == 5000001);
  CHECK(record.at(test::kReverse + 1) == 9000000000);
  CHECK(record.at(test::kReverse + 2) == 7000001);
  CHECK(record.at(239) == 1);
  // One that is not translated has no event and nothing of NAT.
  ended.reply = ended.original.reversed();
  record = decoded(ended);
  CHECK(record.set == 260);
  CHECK_FALSE(record.has(230));
  CHECK_FALSE(record.has(225));
  CHECK(record.at(8) == 0xC0A8010A);
  CHECK(record.at(test::kReverse + 1) == 9000000000);
}

TEST_CASE("control/ipfix: ICMP has type and code instead of a port", "[P20]") {
  FlowRecord ping = session(FlowEvent::session_begin, protocol::icmp);
  ping.icmp_type = 8;
  auto record = decoded(ping);
  CHECK(record.set == 257);
  CHECK(record.at(32) == 0x0800);
  CHECK(record.at(227) == 61000);  // its identifier
  CHECK_FALSE(record.has(11));
  ping = session(FlowEvent::session_end, protocol::icmp);
  CHECK(decoded(ping).set == 259);
  ping.reply = ping.original.reversed();
  CHECK(decoded(ping).set == 261);
}

TEST_CASE("control/ipfix: mappings are BIB events", "[P20]") {
  FlowRecord mapping = session(FlowEvent::mapping_begin);
  auto record = decoded(mapping);
  CHECK(record.set == 262);
  CHECK(record.at(230) == 8);
  CHECK(record.at(8) == 0xC0A8010A);
  CHECK(record.at(225) == 0xCB007101);
  CHECK(record.at(227) == 61000);
  CHECK_FALSE(record.has(12));
  mapping.event = FlowEvent::mapping_end;
  CHECK(decoded(mapping).at(230) == 9);
}

TEST_CASE("control/ipfix: what is exhausted is told with its limit", "[P20]") {
  struct Row {
    DropReason reason;
    uint64_t event, quota;
    uint32_t element;
    uint64_t value;
  };
  const auto row = GENERATE(Row{DropReason::no_external_port, 12, UINT64_MAX, 225, 0xCB007101},
                            Row{DropReason::session_table_full, 13, 1, 471, 65536},
                            Row{DropReason::mapping_table_full, 13, 2, 472, 32768},
                            Row{DropReason::host_limit, 13, 3, 473, 512},
                            Row{DropReason::host_table_full, 13, 4, 474, 1024});
  FlowRecord refused = session(FlowEvent::exhausted);
  refused.reason = row.reason;
  const auto record = decoded(refused);
  INFO(to_word(row.reason));
  CHECK(record.at(230) == row.event);
  CHECK(record.at(466) == row.quota);
  CHECK(record.at(row.element) == row.value);
  CHECK(record.has(8) == (row.reason == DropReason::host_limit));
}

TEST_CASE("control/ipfix: losses and names of interfaces are options", "[P20]") {
  const auto decoder = decoded([](Message& message) {
    CHECK(message.add(Loss{3, 20, 4000, 10, 20}));
    CHECK(message.add_interface(2, "lan"));
    CHECK(message.add_interface(64, std::string(300, 'x')));
    CHECK(message.records() == 3);
  });
  CHECK(decoder.header.sequence == 42);
  CHECK(decoder.header.domain == 7);
  REQUIRE(decoder.records.size() == 3);
  CHECK(decoder.records[0].at(144) == 1);
  CHECK(decoder.records[0].at(166) == 3);
  CHECK(decoder.records[0].at(167) == 20);
  CHECK(decoder.records[0].at(168) == 4000);
  CHECK(decoder.records[0].numbers.count(323) == 2);
  CHECK(decoder.records[1].at(10) == 2);
  CHECK(decoder.records[1].text == "lan");
  CHECK(decoder.records[2].text.size() == 254);
}

TEST_CASE("control/ipfix: what does not fit is left out whole", "[P20]") {
  const FlowRecord record = session(FlowEvent::session_begin);
  for (size_t max = 16; max < 300; ++max) {
    Message message;
    message.begin(max);
    size_t added = 0;
    while (message.add(added % 2 == 0 ? record : session(FlowEvent::mapping_begin), 0, kLimits))
      ++added;
    CHECK(message.records() == added);
    CHECK(message.is_empty() == (added == 0));
    const size_t size = message.finish({1, 0, 0}).size();
    CHECK(size <= max);
    message.begin(size + 4);
    CHECK(message.add(templates()[0]) == (size + 4 >= 16 + 4 + 4 + 13 * 4));
  }
}

TEST_CASE("control/ipfix: neighbouring records of one kind share a set", "[P20]") {
  const auto decoder = decoded([](Message& message) {
    for (int i = 0; i < 100; ++i)
      CHECK(message.add(session(i < 50 ? FlowEvent::session_begin : FlowEvent::session_end),
                        kOffset, kLimits));
    CHECK(message.records() == 100);
  });
  CHECK(decoder.records.size() == 100);
  size_t templates_octets = 16;
  templates_octets += 2 * 4;  // both kinds of template sets
  for (const Template& each : templates()) {
    templates_octets += each.scopes != 0 ? 6 : 4;
    for (const Field& field : each.fields)
      templates_octets += field.enterprise != 0 ? 8 : 4;
  }
  CHECK(decoder.header.length == templates_octets + 2 * 4 + 50 * templates()[0].record_length +
                                     50 * templates()[2].record_length);
}
