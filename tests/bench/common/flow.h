// SPDX-License-Identifier: BSD-3-Clause
// Flows of the scene and their frames: UDP in IPv4 in Ethernet, checksums whole.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/endian.h"

namespace postern::bench {

struct Tuple {
  be32 source, destination;
  be16 source_port, destination_port;

  Tuple reversed() const { return {destination, source, destination_port, source_port}; }
  bool operator==(const Tuple&) const = default;
};

// A flow as its inside host sends it, and where the gateway maps its source to.
struct Flow {
  Tuple sent;
  be32 external;  // unspecified until seen
  be16 external_port;

  // The four forms in which the flow's packets exist.
  Tuple translated() const {
    return {external, sent.destination, external_port, sent.destination_port};
  }
  Tuple answer() const { return translated().reversed(); }
  Tuple answer_translated() const { return sent.reversed(); }
};

Flow make_flow(uint32_t number);  // see scene.h

// Puts the flows into an order without a pattern; the same one in every run.
void shuffle(std::vector<Flow>& flows);

// What differs between the frames of one writer, in the order in which it lies in them.
struct Stamp {
  be16 ip_checksum;
  Tuple tuple;
  be16 udp_checksum;
};
static_assert(sizeof(Stamp) == 16);

// Frames of one length from one neighbor to one interface.
class FrameWriter {
 public:
  // `bytes`: on the wire, with the 4 of the FCS; 64 at least.
  FrameWriter(const MacAddress& from, const MacAddress& to, unsigned bytes);

  uint16_t length() const { return length_; }  // without FCS
  // The part behind the headers, which no gateway changes: once for a buffer.
  void write_payload(uint8_t* frame) const;
  void write_headers(uint8_t* frame, const Tuple& tuple) const;
  // The same in two steps; the second one is cheap, on a frame that this writer made before.
  Stamp stamp_of(const Tuple& tuple) const;
  static void write_stamp(uint8_t* frame, const Stamp& stamp);

 private:
  MacAddress from_, to_;
  uint16_t length_;
  uint32_t ip_sum_ = 0, udp_sum_ = 0;  // of all that is the same in every frame
};

// The UDP tuple of a frame that a FrameWriter made and a gateway may have translated.
Tuple tuple_of(const uint8_t* frame);
bool is_udp(const uint8_t* frame, unsigned length);
// Puts a number into the payload, which all gateways leave alone, and keeps the UDP sum right.
void write_number(uint8_t* frame, uint32_t number);
uint32_t number_of(const uint8_t* frame);
// Sends the frame back: addresses and ports change places, so that the sums stay right.
void turn_round(uint8_t* frame, const MacAddress& from, const MacAddress& to);
// Whether the sums of the IPv4 header and of the UDP datagram hold (a UDP sum of zero does not).
bool checksums_hold(const uint8_t* frame, unsigned length);

}  // namespace postern::bench
