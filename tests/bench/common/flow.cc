// SPDX-License-Identifier: BSD-3-Clause
#include "bench/common/flow.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "base/assert.h"
#include "bench/common/scene.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern::bench {
namespace {

constexpr unsigned kIpAt = sizeof(EthernetHeader), kUdpAt = kIpAt + sizeof(Ipv4Header);
constexpr unsigned kPayloadAt = kUdpAt + sizeof(UdpHeader);
constexpr unsigned kFcs = 4, kFrameMin = 64;
constexpr uint8_t kUdp = 17, kTtl = 64, kPayload = 0x5A;
// Ports of one host: 64 steps through the ephemeral range, with an offset of the host's own.
constexpr uint32_t kFirstPort = 32768, kPortStep = 441;

uint32_t halves(be32 value) {
  return (value.raw() & 0xFFFF) + (value.raw() >> 16);
}

be16 closed(uint32_t total) {
  return be16::from_raw(static_cast<uint16_t>(~fold(total)));
}

}  // namespace

Flow make_flow(uint32_t number) {
  const uint32_t host = number / kFlowsPerHost, nth = number % kFlowsPerHost;
  const uint32_t port = kFirstPort + nth * kPortStep + host * 2654435761u % kPortStep;
  // An odd factor goes through all remotes before it comes back to one.
  const uint32_t remote = number * 2531u % kRemotes;
  Flow flow;
  flow.sent.source = Ipv4Address(kFirstHost.number + host).wire();
  flow.sent.destination = Ipv4Address(kFirstRemote.number + remote).wire();
  flow.sent.source_port = be16(static_cast<uint16_t>(port));
  flow.sent.destination_port = be16(kRemotePort);
  return flow;
}

void shuffle(std::vector<Flow>& flows) {
  std::mt19937_64 random(1);
  std::shuffle(flows.begin(), flows.end(), random);
}

FrameWriter::FrameWriter(const MacAddress& from, const MacAddress& to, unsigned bytes)
    : from_(from), to_(to), length_(static_cast<uint16_t>(bytes - kFcs)) {
  POSTERN_ASSERT(bytes >= kFrameMin);
  std::vector<uint8_t> frame(length_);
  write_payload(frame.data());
  write_headers(frame.data(), Tuple{});
  UdpHeader& udp = udp_at(&frame[kUdpAt]);
  // Taken from a frame whose tuple is all zero and whose sums are left out.
  ipv4_at(&frame[kIpAt]).checksum = be16();
  ip_sum_ = sum(&frame[kIpAt], sizeof(Ipv4Header));
  udp_sum_ = uint32_t{be16(kUdp).raw()} + udp.length.raw() + udp.length.raw() +
             sum(&frame[kPayloadAt], length_ - kPayloadAt);
}

void FrameWriter::write_payload(uint8_t* frame) const {
  std::fill(frame + kPayloadAt, frame + length_, kPayload);
}

Stamp FrameWriter::stamp_of(const Tuple& tuple) const {
  const uint32_t addresses = halves(tuple.source) + halves(tuple.destination);
  Stamp stamp{
      closed(ip_sum_ + addresses), tuple,
      closed(udp_sum_ + addresses + tuple.source_port.raw() + tuple.destination_port.raw())};
  if (stamp.udp_checksum == be16()) stamp.udp_checksum = be16(0xFFFF);  // RFC 768: zero means none
  return stamp;
}

void FrameWriter::write_stamp(uint8_t* frame, const Stamp& stamp) {
  Ipv4Header& ip = ipv4_at(frame + kIpAt);
  UdpHeader& udp = udp_at(frame + kUdpAt);
  ip.checksum = stamp.ip_checksum;
  ip.source = stamp.tuple.source;
  ip.destination = stamp.tuple.destination;
  udp.source_port = stamp.tuple.source_port;
  udp.destination_port = stamp.tuple.destination_port;
  udp.checksum = stamp.udp_checksum;
}

void FrameWriter::write_headers(uint8_t* frame, const Tuple& tuple) const {
  ethernet_at(frame) = {to_, from_, be16(ethertype::ipv4)};
  Ipv4Header& ip = ipv4_at(frame + kIpAt);
  ip = {};
  ip.version_and_length = 0x45;
  ip.total_length = be16(static_cast<uint16_t>(length_ - kIpAt));
  ip.ttl = kTtl;
  ip.protocol = kUdp;
  udp_at(frame + kUdpAt).length = be16(static_cast<uint16_t>(length_ - kUdpAt));
  write_stamp(frame, stamp_of(tuple));
}

bool is_udp(const uint8_t* frame, unsigned length) {
  return length >= kPayloadAt && ethernet_at(frame).type == be16(ethertype::ipv4) &&
         ipv4_at(frame + kIpAt).protocol == kUdp;
}

void write_number(uint8_t* frame, uint32_t number) {
  UdpHeader& udp = udp_at(frame + kUdpAt);
  be32 before;
  const be32 after(number);
  std::memcpy(&before, frame + kPayloadAt, sizeof before);
  std::memcpy(frame + kPayloadAt, &after, sizeof after);
  udp.checksum = updated(udp.checksum, difference(before, after));
  if (udp.checksum == be16()) udp.checksum = be16(0xFFFF);
}

uint32_t number_of(const uint8_t* frame) {
  be32 number;
  std::memcpy(&number, frame + kPayloadAt, sizeof number);
  return number.value();
}

void turn_round(uint8_t* frame, const MacAddress& from, const MacAddress& to) {
  EthernetHeader& ethernet = ethernet_at(frame);
  ethernet.destination = to;
  ethernet.source = from;
  Ipv4Header& ip = ipv4_at(frame + kIpAt);
  UdpHeader& udp = udp_at(frame + kUdpAt);
  std::swap(ip.source, ip.destination);
  std::swap(udp.source_port, udp.destination_port);
}

Tuple tuple_of(const uint8_t* frame) {
  const Ipv4Header& ip = ipv4_at(frame + kIpAt);
  const UdpHeader& udp = udp_at(frame + kUdpAt);
  return {ip.source, ip.destination, udp.source_port, udp.destination_port};
}

bool checksums_hold(const uint8_t* frame, unsigned length) {
  const Ipv4Header& ip = ipv4_at(frame + kIpAt);
  const UdpHeader& udp = udp_at(frame + kUdpAt);
  if (length < kPayloadAt || ip.total_length.value() + kIpAt > length) return false;
  if (sum(frame + kIpAt, sizeof(Ipv4Header)) != 0xFFFF || udp.checksum == be16()) return false;
  const uint32_t pseudo =
      halves(ip.source) + halves(ip.destination) + uint32_t{be16(kUdp).raw()} + udp.length.raw();
  return sum(frame + kUdpAt, udp.length.value(), pseudo) == 0xFFFF;
}

}  // namespace postern::bench
