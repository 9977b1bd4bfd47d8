// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/frame.h"

#include <algorithm>

#include "services/dhcp/octets.h"

namespace postern::dhcp {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr size_t kIpBytes = 20;
constexpr size_t kUdpBytes = 8;
constexpr size_t kFrameMin = 60;
constexpr uint8_t kUdpProtocol = 17;
constexpr uint8_t kTtl = 64;

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& out) : out_(out) {}
  Writer& u8(unsigned value) {
    out_.push_back(static_cast<uint8_t>(value));
    return *this;
  }
  Writer& u16(unsigned value) { return u8(value >> 8 & 0xFF).u8(value & 0xFF); }
  Writer& u32(uint32_t value) { return u16(value >> 16).u16(value & 0xFFFF); }
  Writer& mac(const MacAddress& mac) {
    out_.insert(out_.end(), mac.bytes.begin(), mac.bytes.end());
    return *this;
  }

 private:
  std::vector<uint8_t>& out_;
};

}  // namespace

uint32_t add_sum(std::span<const uint8_t> bytes, uint32_t sum) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2)
    sum += uint32_t{bytes[i]} << 8 | bytes[i + 1];
  if (bytes.size() % 2 != 0) sum += uint32_t{bytes.back()} << 8;
  return sum;
}

uint16_t fold_sum(uint32_t sum) {
  while (sum >> 16 != 0)
    sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

std::vector<uint8_t> udp_frame(const UdpEnds& ends, std::span<const uint8_t> payload) {
  const size_t udp_length = kUdpBytes + payload.size();
  std::vector<uint8_t> out;
  out.reserve(kEthernetBytes + kIpBytes + udp_length);
  Writer w(out);
  w.mac(ends.to_mac).mac(ends.from_mac).u16(0x0800);
  w.u16(0x4500).u16(static_cast<unsigned>(kIpBytes + udp_length));
  w.u16(0).u16(0x4000);  // no fragments, so no identification (RFC 6864)
  w.u8(kTtl).u8(kUdpProtocol).u16(0).u32(ends.from.number).u32(ends.to.number);
  w.u16(ends.from_port).u16(ends.to_port).u16(static_cast<unsigned>(udp_length)).u16(0);
  out.insert(out.end(), payload.begin(), payload.end());

  const std::span<const uint8_t> packet = std::span(out).subspan(kEthernetBytes);
  const auto ip_sum = static_cast<uint16_t>(~fold_sum(add_sum(packet.first(kIpBytes), 0)));
  uint32_t sum = kUdpProtocol + static_cast<uint32_t>(udp_length);
  sum = add_sum(packet.subspan(12, 8), sum);  // both addresses
  auto udp_sum = static_cast<uint16_t>(~fold_sum(add_sum(packet.subspan(kIpBytes), sum)));
  if (udp_sum == 0) udp_sum = 0xFFFF;
  store16(&out[kEthernetBytes + 10], ip_sum);
  store16(&out[kEthernetBytes + kIpBytes + 6], udp_sum);
  return out;
}

std::vector<uint8_t> arp_request(const MacAddress& from_mac, Ipv4Address from, Ipv4Address target) {
  std::vector<uint8_t> out;
  Writer w(out);
  w.mac(kBroadcastMac).mac(from_mac).u16(0x0806);
  w.u16(1).u16(0x0800).u8(6).u8(4).u16(1);
  w.mac(from_mac).u32(from.number).mac(MacAddress{}).u32(target.number);
  out.resize(kFrameMin);
  return out;
}

}  // namespace postern::dhcp
