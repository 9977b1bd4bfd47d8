// SPDX-License-Identifier: BSD-3-Clause
// What workers tell of sessions and mappings, for IPFIX (P20).
#include <catch2/catch.hpp>

#include "control/config/load.h"
#include "support/office.h"
#include "support/packet_builder.h"
#include "support/testbed.h"

namespace postern::test {
namespace {

std::string office(const std::string& records) {
  return kOffice + "logging:\n  ipfix: { collector: 192.168.1.5, records: " + records + " }\n";
}

size_t send(Testbed& bed, const std::string& interface, PacketBuilder packet) {
  Frame frame = packet.to_mac(bed.gateway_mac(interface)).build();
  return bed.inject(interface, frame.bytes()).size();
}

std::string text(Ipv4Address address, be16 port) {
  return to_text(address) + ":" + std::to_string(port.value());
}
std::string source(const FlowKey& key) {
  return text(Ipv4Address(key.source), key.source_port);
}
std::string destination(const FlowKey& key) {
  return text(Ipv4Address(key.destination), key.destination_port);
}

FlowRecord only(Testbed& bed) {
  auto records = bed.take_flows();
  REQUIRE(records.size() == 1);
  return records[0];
}

}  // namespace

TEST_CASE("pipeline/flows: a session is told when it begins and with its counts when it ends",
          "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(office("[sessions]")));
  send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53").length(100));
  const FlowRecord begin = only(bed);
  CHECK(begin.event == FlowEvent::session_begin);
  CHECK(begin.at == bed.now());
  CHECK(source(begin.original) == "192.168.1.10:5000");
  CHECK(destination(begin.original) == "198.51.100.7:53");
  const std::string external = destination(begin.reply);
  CHECK(external.substr(0, 12) == "203.0.113.1:");
  CHECK(source(begin.reply) == "198.51.100.7:53");
  CHECK(begin.in == 1);
  CHECK(begin.out == 0);
  for (int i = 0; i < 2; ++i)
    send(bed, "wan", udp("198.51.100.7:53", external).length(500));
  CHECK(bed.take_flows().empty());
  bed.advance(seconds(302));
  const FlowRecord end = only(bed);
  CHECK(end.event == FlowEvent::session_end);
  CHECK(end.end == FlowEnd::idle);
  CHECK(end.original == begin.original);
  CHECK(end.reply == begin.reply);
  CHECK(end.packets[0] == 1);
  CHECK(end.packets[1] == 2);
  CHECK(end.bytes[0] == 100);
  CHECK(end.bytes[1] == 1000);
  CHECK(begin.at - end.created < milliseconds(17));
  CHECK(begin.at - end.last_seen < milliseconds(17));
  CHECK(bed.counter("flow_records") == 2);
  CHECK(bed.counter("flow_records_lost") == 0);
}

TEST_CASE("pipeline/flows: without a collector nothing is told", "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(kOffice));
  send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53"));
  bed.advance(seconds(302));
  CHECK(bed.take_flows().empty());
  CHECK(bed.counter("flow_records") == 0);
}

TEST_CASE("pipeline/flows: one that is not translated is told at its end only", "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(office("[sessions, mappings]")));
  send(bed, "lan", udp("192.168.1.10:5000", "10.9.0.5:53"));
  CHECK(bed.take_flows().empty());
  bed.advance(seconds(302));
  const FlowRecord end = only(bed);
  CHECK_FALSE(end.is_translated());
  CHECK(end.packets[0] == 1);
}

TEST_CASE("pipeline/flows: a port map is told as the stranger sees it and as the host does",
          "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(office("[sessions]")));
  send(bed, "wan", tcp("198.51.100.7:5000", "203.0.113.1:8080").flags(tcp_flag::syn));
  const FlowRecord begin = only(bed);
  CHECK(destination(begin.original) == "203.0.113.1:8080");
  CHECK(source(begin.reply) == "192.168.1.5:80");
}

TEST_CASE("pipeline/flows: why a session ends", "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(office("[sessions]")));
  const std::string remote = "198.51.100.7:80";
  send(bed, "lan", tcp("192.168.1.10:5000", remote).flags(tcp_flag::syn));
  const std::string external = destination(only(bed).reply);
  SECTION("it was closed by both sides") {
    send(bed, "wan", tcp(remote, external).flags(tcp_flag::syn | tcp_flag::ack));
    send(bed, "lan", tcp("192.168.1.10:5000", remote).flags(tcp_flag::fin | tcp_flag::ack));
    send(bed, "wan", tcp(remote, external).flags(tcp_flag::fin | tcp_flag::ack));
    bed.advance(seconds(242));
    CHECK(only(bed).end == FlowEnd::finished);
  }
  SECTION("it was reset") {
    send(bed, "wan", tcp(remote, external).flags(tcp_flag::rst | tcp_flag::ack));
    bed.advance(seconds(242));
    CHECK(only(bed).end == FlowEnd::finished);
  }
  SECTION("nothing came") {
    bed.advance(seconds(242));
    CHECK(only(bed).end == FlowEnd::idle);
  }
  SECTION("a new policy does not allow it") {
    std::string refusing = office("[sessions]");
    const std::string rule = "{ name: lan-out, in: lan, action: permit }";
    refusing.replace(refusing.find(rule), rule.size(), "{ name: refused, in: lan, action: drop }");
    REQUIRE(bed.load(refusing));
    bed.advance(seconds(2));
    CHECK(only(bed).end == FlowEnd::forced);
  }
}

TEST_CASE("pipeline/flows: dynamic mappings begin and end once, whatever uses them", "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(office("[mappings]")));
  send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.7:53"));
  send(bed, "lan", udp("192.168.1.10:5000", "198.51.100.8:53"));
  const FlowRecord begin = only(bed);
  CHECK(begin.event == FlowEvent::mapping_begin);
  CHECK(source(begin.original) == "192.168.1.10:5000");
  CHECK(destination(begin.reply).substr(0, 12) == "203.0.113.1:");
  bed.advance(seconds(302));
  const FlowRecord end = only(bed);
  CHECK(end.event == FlowEvent::mapping_end);
  CHECK(source(end.original) == source(begin.original));
  CHECK(destination(end.reply) == destination(begin.reply));
}

TEST_CASE("pipeline/flows: what is full is told a few times a second", "[P20]") {
  Testbed bed;
  config::Loaded loaded = config::load(office("[sessions]"));
  REQUIRE(loaded.ok());
  loaded.model.system.limits.sessions_from_host = 5;
  REQUIRE(bed.load(loaded.model));
  for (uint16_t i = 0; i < 100; ++i)
    send(bed, "lan",
         udp("192.168.1.10:1", "198.51.100.7:53").ports(static_cast<uint16_t>(5000 + i), 53));
  CHECK(bed.counter("drop.host_limit") == 95);
  size_t told = 0;
  for (const FlowRecord& record : bed.take_flows()) {
    if (record.event != FlowEvent::exhausted) continue;
    CHECK(record.reason == DropReason::host_limit);
    CHECK(to_text(Ipv4Address(record.original.source)) == "192.168.1.10");
    ++told;
  }
  CHECK(told == kRefusalsLoggedPerSecond);
}

TEST_CASE("pipeline/flows: a full ring loses records, counts them and holds nobody up", "[P20]") {
  Testbed bed;
  REQUIRE(bed.load(office("[sessions]")));
  constexpr unsigned kSessions = kFlowRing + 100;
  size_t crossed = 0;
  for (unsigned i = 0; i < kSessions; ++i) {
    crossed += send(
        bed, "lan",
        udp("192.168.1.10:1", "198.51.100.7:1")
            .ports(static_cast<uint16_t>(1024 + i % 50000), static_cast<uint16_t>(53 + i / 50000))
            .length(60));
  }
  CHECK(crossed == kSessions);
  CHECK(bed.counter("flow_records") == kFlowRing);
  CHECK(bed.counter("flow_records_lost") == 100);
  CHECK(bed.counter("flow_packets_untold") == 0);
  bed.advance(seconds(302));
  for (int i = 0; i < 1000 && bed.counter("sessions") != 0; ++i)
    bed.advance(milliseconds(10));
  CHECK(bed.counter("sessions") == 0);
  CHECK(bed.counter("flow_records") + bed.counter("flow_records_lost") == 2 * kSessions);
  CHECK(bed.counter("flow_packets_untold") == kSessions);
  CHECK(bed.counter("flow_bytes_untold") == 60 * kSessions);
  CHECK(bed.take_flows().size() == kFlowRing);
}

}  // namespace postern::test
