// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_compare.h"

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern::test {
namespace {

uint32_t halves(be32 word) {
  return (word.raw() & 0xFFFF) + (word.raw() >> 16);
}

bool transport_sum_holds(const Ipv4Header& ip, std::span<const uint8_t> bytes) {
  const uint32_t start = halves(ip.source) + halves(ip.destination) + be16(ip.protocol).raw() +
                         be16(static_cast<uint16_t>(bytes.size())).raw();
  return sum(bytes.data(), bytes.size(), start) == 0xFFFF;
}

std::string broken_in(std::span<const uint8_t> l3, const std::string& where);

std::string broken_in_icmp(std::span<const uint8_t> bytes, const std::string& where) {
  if (bytes.size() < sizeof(IcmpHeader)) return where + "ICMP header cut short";
  if (sum(bytes.data(), bytes.size()) != 0xFFFF) return where + "ICMP checksum";
  switch (icmp_at(bytes.data()).type) {
    case icmp_type::unreachable:
    case icmp_type::source_quench:
    case icmp_type::redirect:
    case icmp_type::time_exceeded:
    case icmp_type::parameter_problem:
      return broken_in(bytes.subspan(sizeof(IcmpHeader)), where + "quoted ");
    default:
      return "";
  }
}

std::string broken_in(std::span<const uint8_t> l3, const std::string& where) {
  if (l3.size() < sizeof(Ipv4Header)) return where + "IPv4 header cut short";
  const Ipv4Header& ip = ipv4_at(l3.data());
  const size_t header = ip.header_bytes(), total = ip.total_length.value();
  if (header < sizeof ip || header > l3.size() || total < header) return where + "IPv4 lengths";
  if (sum(l3.data(), header) != 0xFFFF) return where + "IPv4 checksum";
  const bool is_piece = (ip.flags_and_offset.value() & 0x3FFF) != 0;
  if (is_piece || total > l3.size()) return "";
  const auto bytes = l3.subspan(header, total - header);
  if (ip.protocol == protocol::icmp) return broken_in_icmp(bytes, where);
  if (ip.protocol == protocol::tcp) {
    if (bytes.size() < sizeof(TcpHeader)) return where + "TCP header cut short";
    return transport_sum_holds(ip, bytes) ? "" : where + "TCP checksum";
  }
  if (ip.protocol != protocol::udp) return "";
  if (bytes.size() < sizeof(UdpHeader)) return where + "UDP header cut short";
  const UdpHeader& udp = udp_at(bytes.data());
  if (udp.length.value() > bytes.size()) return where + "UDP length";
  const bool holds =
      udp.checksum == be16(0) || transport_sum_holds(ip, bytes.first(udp.length.value()));
  return holds ? "" : where + "UDP checksum";
}

class Comparison {
 public:
  explicit Comparison(Bindings& bindings) : bindings_(bindings) {}

  void compare(const std::string& what, const std::string& expected, const std::string& observed) {
    if (!difference_.empty() || expected == "*" || expected == observed) return;
    if (expected[0] != '$') {
      difference_ = what + " is " + (observed.empty() ? "missing" : observed) + ", not " + expected;
      return;
    }
    if (observed.empty()) {
      difference_ = what + " is missing, it should give " + expected;
      return;
    }
    auto [bound, is_new] = bindings_.emplace(expected, observed);
    if (!is_new && bound->second != observed) {
      difference_ = what + " is " + observed + ", but " + expected + " is " + bound->second;
    }
  }

  void compare(const PacketText& expected, const PacketText& observed, const std::string& where) {
    compare(where + "protocol", expected.protocol, observed.protocol);
    compare_if_given(where + "source", expected.source, observed.source);
    compare_if_given(where + "destination", expected.destination, observed.destination);
    compare_if_given(where + "source port", expected.source_port, observed.source_port);
    compare_if_given(where + "destination port", expected.destination_port,
                     observed.destination_port);
    compare_if_given(where + "kind", expected.kind, observed.kind);
    for (const auto& [name, value] : expected.fields) {
      compare(where + name, value, field(observed, name));
    }
    if (expected.fields.count("frag") == 0 && difference_.empty()) {
      const std::string piece = field(observed, "frag");
      if (!piece.empty()) difference_ = where + "it is a piece, frag=" + piece;
    }
    if (expected.about.empty() || !difference_.empty()) return;
    if (observed.about.empty()) {
      difference_ = "it quotes no packet";
    } else {
      compare(expected.about[0], observed.about[0], "quoted ");
    }
  }

  const std::string& difference() const { return difference_; }

 private:
  void compare_if_given(const std::string& what, const std::string& expected,
                        const std::string& observed) {
    if (!expected.empty()) compare(what, expected, observed);
  }

  static std::string field(const PacketText& packet, const std::string& name) {
    auto found = packet.fields.find(name);
    return found == packet.fields.end() ? "" : found->second;
  }

  Bindings& bindings_;
  std::string difference_;
};

}  // namespace

std::string broken_checksum(std::span<const uint8_t> frame) {
  if (frame.size() < sizeof(EthernetHeader)) return "frame cut short";
  const be16 type = ethernet_at(frame.data()).type;
  if (type == be16(ethertype::arp)) return "";
  if (type != be16(ethertype::ipv4)) return "neither IPv4 nor ARP";
  return broken_in(frame.subspan(sizeof(EthernetHeader)), "");
}

std::string difference_between(const PacketText& expected, const PacketText& observed,
                               Bindings& bindings) {
  Bindings tried = bindings;
  Comparison comparison(tried);
  comparison.compare(expected, observed, "");
  if (comparison.difference().empty()) bindings = tried;
  return comparison.difference();
}

}  // namespace postern::test
