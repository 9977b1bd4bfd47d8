// SPDX-License-Identifier: BSD-3-Clause
// TrafficClass: which frames somebody wants to see. Alternatives of conditions over the headers of
// a frame, flat and of fixed size: no pointer, nothing to follow, at most kClausesMax comparisons.
//
//   interfaces and stages      of all frames
//   clauses                    c1 and c2 and not c3   or   c4 and c5   or ...
//
// It reads the frame itself, because it is asked where nothing has been parsed yet and where the
// headers have been translated since. A condition on what the frame does not have (ports of a later
// fragment) does not hold. control/capture/parse_class.h makes one from words. Pure; thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/match.h"

namespace postern {

// Where on its way a frame is.
enum class TracePoint : uint8_t {
  received,  // as it came in, before anything looked at it
  sent,      // as it leaves, translated
  dropped,   // as far as it was when it was refused

  // Of packets that are followed only:
  session,      // a session was found or opened for it
  handed_over,  // it goes on at another worker
};
using TracePoints = uint8_t;
constexpr TracePoints set_of(TracePoint point) {
  return static_cast<TracePoints>(1u << static_cast<unsigned>(point));
}
constexpr TracePoints kAllPoints =
    set_of(TracePoint::received) | set_of(TracePoint::sent) | set_of(TracePoint::dropped);
const char* to_word(TracePoint point);

// Of which session a followed packet is.
enum class SessionUse : uint8_t { opened, original, reply, related };

// What the headers of a frame say. ARP: the protocol addresses of sender and target.
struct FrameFacts {
  uint16_t ethertype = 0;
  bool has_addresses = false;
  bool has_numbers = false;  // ports, or type and code of ICMP
  uint8_t protocol = 0;      // IPv4
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  uint16_t arp_operation = 0;
  uint16_t l3_length = 0;  // IPv4 total length, bytes
  Ipv4Address source, destination;
  uint16_t source_port = 0, destination_port = 0;  // host order; 0 without ports
};
// Of any bytes.
FrameFacts read_facts(std::span<const uint8_t> frame);

// One condition. `first` and `last`: ports, or the entries of the class's ranges or services.
struct Clause {
  enum class Kind : uint8_t { arp, protocol, address, port, service, reason };
  enum class Side : uint8_t { either, source, destination };
  Kind kind = Kind::protocol;
  Side side = Side::either;
  bool is_negated = false;
  bool begins_alternative = false;
  uint8_t protocol = 0;
  DropReason reason = DropReason::none;
  uint16_t first = 0, last = 0;  // both included
};

struct TrafficClass {
  static constexpr size_t kClausesMax = 16;
  static constexpr size_t kRangesMax = 256;
  static constexpr size_t kServicesMax = 64;

  InterfaceSet interfaces = kAnyInterface;
  TracePoints stages = kAllPoints;
  uint8_t clause_count = 0;  // 0: every frame
  uint16_t range_count = 0, service_count = 0;
  std::array<Clause, kClausesMax> clauses;
  std::array<AddressRange, kRangesMax> ranges;     // of each clause sorted and disjoint
  std::array<ServiceSpec, kServicesMax> services;  // match flows of either direction

  // Whether frames there can be meant at all.
  bool concerns(InterfaceId interface, TracePoint point) const {
    return (stages & set_of(point)) != 0 && holds(interfaces, interface);
  }
  // Whether the clauses hold; `reason` is that of a dropped frame.
  bool matches(const FrameFacts& facts, DropReason reason) const;

 private:
  bool is_met(const Clause& clause, const FrameFacts& facts, DropReason reason) const;
  bool holds_address(const Clause& clause, Ipv4Address address) const;
  bool has_service(const Clause& clause, const FrameFacts& facts) const;
};

}  // namespace postern
