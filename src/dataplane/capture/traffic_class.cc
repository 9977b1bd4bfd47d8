// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/traffic_class.h"

#include <algorithm>

#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint16_t kOffsetBits = 0x1FFF;

void read_transport(std::span<const uint8_t> l4, FrameFacts& facts) {
  const uint8_t* at = l4.data();
  if (has_ports(facts.protocol) && l4.size() >= 4) {
    facts.has_numbers = true;
    facts.source_port = udp_at(at).source_port.value();
    facts.destination_port = udp_at(at).destination_port.value();
    if (facts.protocol == protocol::tcp && l4.size() >= sizeof(TcpHeader)) {
      facts.tcp_flags = tcp_at(at).flags;
    }
  } else if (facts.protocol == protocol::icmp && l4.size() >= 2) {
    facts.has_numbers = true;
    facts.icmp_type = icmp_at(at).type;
    facts.icmp_code = icmp_at(at).code;
  }
}

void read_ipv4(std::span<const uint8_t> l3, FrameFacts& facts) {
  if (l3.size() < sizeof(Ipv4Header)) return;
  const Ipv4Header& header = ipv4_at(l3.data());
  const size_t length = header.header_bytes();
  if (header.version_and_length >> 4 != 4 || length < sizeof(Ipv4Header)) return;
  facts.has_addresses = true;
  facts.protocol = header.protocol;
  facts.l3_length = header.total_length.value();
  facts.source = Ipv4Address(header.source);
  facts.destination = Ipv4Address(header.destination);
  const bool is_later = (header.flags_and_offset.value() & kOffsetBits) != 0;
  if (!is_later && length <= l3.size()) read_transport(l3.subspan(length), facts);
}

void read_arp(std::span<const uint8_t> l3, FrameFacts& facts) {
  if (l3.size() < sizeof(ArpPacket)) return;
  const ArpPacket& arp = arp_at(l3.data());
  facts.has_addresses = true;
  facts.arp_operation = arp.operation.value();
  facts.source = Ipv4Address(arp.sender);
  facts.destination = Ipv4Address(arp.target);
}

FlowQuery query_of(const FrameFacts& facts) {
  FlowQuery query;
  query.source = facts.source;
  query.destination = facts.destination;
  query.source_port = facts.source_port;
  query.destination_port = facts.destination_port;
  query.protocol = facts.protocol;
  query.icmp_type = facts.icmp_type;
  query.icmp_code = facts.icmp_code;
  return query;
}

bool is_port_met(const Clause& clause, uint16_t port) {
  return clause.first <= port && port <= clause.last;
}

// For one side or either of them.
template <typename Test>
bool on_side(Clause::Side side, Test test) {
  using Side = Clause::Side;
  return (side != Side::destination && test(true)) || (side != Side::source && test(false));
}

}  // namespace

const char* to_word(TracePoint point) {
  switch (point) {
    case TracePoint::received:
      return "received";
    case TracePoint::sent:
      return "sent";
    case TracePoint::dropped:
      return "dropped";
    case TracePoint::session:
      return "session";
    case TracePoint::handed_over:
      return "handed-over";
  }
  return "-";
}

FrameFacts read_facts(std::span<const uint8_t> frame) {
  FrameFacts facts;
  if (frame.size() < sizeof(EthernetHeader)) return facts;
  facts.ethertype = ethernet_at(frame.data()).type.value();
  const auto l3 = frame.subspan(sizeof(EthernetHeader));
  if (facts.ethertype == ethertype::ipv4) read_ipv4(l3, facts);
  if (facts.ethertype == ethertype::arp) read_arp(l3, facts);
  return facts;
}

bool TrafficClass::matches(const FrameFacts& facts, DropReason reason) const {
  if (clause_count == 0) return true;
  bool holds_so_far = false;  // of the alternative at hand
  for (size_t i = 0; i < clause_count; ++i) {
    const Clause& clause = clauses[i];
    if (clause.begins_alternative) {
      if (holds_so_far) return true;
      holds_so_far = true;
    }
    holds_so_far = holds_so_far && is_met(clause, facts, reason) != clause.is_negated;
  }
  return holds_so_far;
}

bool TrafficClass::is_met(const Clause& clause, const FrameFacts& facts, DropReason reason) const {
  const bool is_ip = facts.ethertype == ethertype::ipv4 && facts.has_addresses;
  switch (clause.kind) {
    case Clause::Kind::arp:
      return facts.ethertype == ethertype::arp;
    case Clause::Kind::protocol:
      return is_ip && facts.protocol == clause.protocol;
    case Clause::Kind::address:
      return facts.has_addresses && on_side(clause.side, [&](bool is_source) {
               return holds_address(clause, is_source ? facts.source : facts.destination);
             });
    case Clause::Kind::port:
      return facts.has_numbers && has_ports(facts.protocol) &&
             on_side(clause.side, [&](bool is_source) {
               return is_port_met(clause, is_source ? facts.source_port : facts.destination_port);
             });
    case Clause::Kind::service:
      return is_ip && has_service(clause, facts);
    case Clause::Kind::reason:
      return reason == clause.reason;
  }
  return false;
}

bool TrafficClass::holds_address(const Clause& clause, Ipv4Address address) const {
  for (size_t i = clause.first; i <= clause.last; ++i) {
    if (ranges[i].contains(address)) return true;
  }
  return false;
}

bool TrafficClass::has_service(const Clause& clause, const FrameFacts& facts) const {
  FlowQuery query = query_of(facts);
  FlowQuery answer = query;  // of a flow whose answer this is
  std::swap(answer.source_port, answer.destination_port);
  for (size_t i = clause.first; i <= clause.last; ++i) {
    const ServiceSpec& service = services[i];
    // Of a later fragment neither ports nor types are known.
    const bool asks_numbers = !service.any_protocol && has_identifier(service.protocol);
    if (asks_numbers && !facts.has_numbers) continue;
    if (postern::matches(service, query) || postern::matches(service, answer)) return true;
  }
  return false;
}

}  // namespace postern
