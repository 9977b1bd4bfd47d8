// SPDX-License-Identifier: BSD-3-Clause
#include "common/flow.h"

#include <algorithm>
#include <random>

#include "base/assert.h"
#include "common/scene.h"
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
  const UdpHeader& udp = udp_at(&frame[kUdpAt]);
  // Taken from a frame whose tuple is all zero and whose sums are left out.
  ipv4_at(&frame[kIpAt]).checksum = be16();
  ip_sum_ = sum(&frame[kIpAt], sizeof(Ipv4Header));
  udp_sum_ = uint32_t{be16(kUdp).raw()} + udp.length.raw() + udp.length.raw() +
             sum(&frame[kPayloadAt], length_ - kPayloadAt);
}

void FrameWriter::write_payload(uint8_t* frame) const {
  std::fill(frame + kPayloadAt, frame + length_, kPayload);
}

void FrameWriter::write_headers(uint8_t* frame, const Tuple& tuple) const {
  const uint32_t addresses = halves(tuple.source) + halves(tuple.destination);
  EthernetHeader& ethernet = ethernet_at(frame);
  ethernet = {to_, from_, be16(ethertype::ipv4)};
  Ipv4Header& ip = ipv4_at(frame + kIpAt);
  ip = {};
  ip.version_and_length = 0x45;
  ip.total_length = be16(static_cast<uint16_t>(length_ - kIpAt));
  ip.ttl = kTtl;
  ip.protocol = kUdp;
  ip.checksum = closed(ip_sum_ + addresses);
  ip.source = tuple.source;
  ip.destination = tuple.destination;
  UdpHeader& udp = udp_at(frame + kUdpAt);
  udp.source_port = tuple.source_port;
  udp.destination_port = tuple.destination_port;
  udp.length = be16(static_cast<uint16_t>(length_ - kUdpAt));
  udp.checksum =
      closed(udp_sum_ + addresses + tuple.source_port.raw() + tuple.destination_port.raw());
  if (udp.checksum == be16()) udp.checksum = be16(0xFFFF);  // RFC 768: zero means none
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
