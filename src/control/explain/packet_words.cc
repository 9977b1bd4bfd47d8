// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain/packet_words.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/compile/policy_text.h"
#include "control/config/items.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint16_t kDefaultSourcePort = 50000;
constexpr uint16_t kDefaultIdentifier = 1;

struct Word {
  const char* name;
  std::string PacketWords::*value;
};
constexpr Word kWords[] = {
    {"in", &PacketWords::in},       {"src", &PacketWords::src},
    {"dst", &PacketWords::dst},     {"proto", &PacketWords::proto},
    {"sport", &PacketWords::sport}, {"dport", &PacketWords::dport},
    {"icmp", &PacketWords::icmp},   {"tcp_flags", &PacketWords::tcp_flags},
    {"user", &PacketWords::user},   {"groups", &PacketWords::groups},
};

struct Flag {
  const char* name;
  uint8_t bit;
};
constexpr Flag kFlags[] = {{"fin", tcp_flag::fin}, {"syn", tcp_flag::syn}, {"rst", tcp_flag::rst},
                           {"psh", tcp_flag::psh}, {"ack", tcp_flag::ack}, {"urg", tcp_flag::urg}};

Error invalid(const std::string& option, const std::string& text) {
  return {ErrorCode::invalid, "--" + option + ": " + text};
}

Result<InterfaceId> parse_interface(const std::string& name, const Policy& policy) {
  if (name == "gateway") return kGateway;
  std::string known;
  for (size_t id = 0; id < policy.interfaces.size(); ++id) {
    if (!policy.interfaces[id].exists) continue;
    if (policy.interfaces[id].name == name) return static_cast<InterfaceId>(id);
    known += policy.interfaces[id].name + ", ";
  }
  if (name.empty()) return invalid("in", "is missing; one of " + known + "gateway");
  return invalid("in", "no interface '" + name + "'; one of " + known + "gateway");
}

Result<uint8_t> parse_protocol(const std::string& text) {
  if (text.empty()) return invalid("proto", "is missing; tcp, udp, icmp, a name or a number");
  if (auto number = config::parse_number(text, 255)) return static_cast<uint8_t>(*number);
  auto service = config::parse_service_literal(text);
  bool is_one = service && service->size() == 1 && !service->front().any_protocol &&
                text.find_first_of("/ ") == std::string::npos;
  if (!is_one)
    return invalid("proto", "'" + text + "' is no protocol; tcp, udp, icmp, esp or 0-255");
  return service->front().protocol;
}

// "192.0.2.1" or "192.0.2.1:80"; `port_word` is the option that gives the port instead.
Result<Endpoint> parse_endpoint(const std::string& option, const std::string& text,
                                const std::string& port_option, const std::string& port_word) {
  if (text.empty()) return invalid(option, "is missing; an address or address:port");
  size_t colon = text.find(':');
  auto address = parse_ipv4(std::string_view(text).substr(0, colon));
  if (!address) return invalid(option, "'" + text + "' is no IPv4 address nor address:port");
  std::string digits = colon == std::string::npos ? port_word : text.substr(colon + 1);
  if (colon != std::string::npos && !port_word.empty()) {
    return invalid(port_option, "the port stands in --" + option + " already");
  }
  if (colon == std::string::npos && digits.empty()) return Endpoint{*address, 0};
  auto port = config::parse_number(digits, 65535);
  if (!port || *port == 0) {
    return invalid(colon == std::string::npos ? port_option : option,
                   "'" + digits + "' is no port from 1 to 65535");
  }
  return Endpoint{*address, static_cast<uint16_t>(*port)};
}

// "echo-request", "3" or "3/4".
Result<void> parse_icmp(const std::string& text, MadeUpPacket& packet) {
  packet.icmp_type = icmp_type::echo_request;
  if (text.empty()) return {};
  auto service = config::parse_service_literal("icmp/" + text);
  if (!service) return invalid("icmp", "'" + text + "' is no type, type/code or name of a type");
  packet.icmp_type = static_cast<uint8_t>(service->front().icmp_type);
  packet.icmp_code = static_cast<uint8_t>(std::max(service->front().icmp_code, 0));
  return {};
}

Result<void> refuse_ports(const PacketWords& words, const MadeUpPacket& packet) {
  bool has_any = packet.source.port != 0 || packet.destination.port != 0;
  if (!has_any) return {};
  const char* option = packet.destination.port != 0 ? "dst" : "src";
  if (!words.dport.empty()) option = "dport";
  if (!words.sport.empty()) option = "sport";
  return invalid(option, protocol_text(packet.protocol) + " has no ports");
}

// At the commas.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

Result<uint8_t> parse_tcp_flags(const std::string& text) {
  if (text.empty()) return tcp_flag::syn;
  if (text == "none") return uint8_t{0};
  uint8_t flags = 0;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find_first_of(",+", begin), text.size());
    std::string name = text.substr(begin, end - begin);
    uint8_t bit = 0;
    for (const Flag& flag : kFlags) {
      if (name == flag.name) bit = flag.bit;
    }
    if (bit == 0) return invalid("tcp-flags", "'" + name + "' is none of fin,syn,rst,psh,ack,urg");
    flags |= bit;
    begin = end + 1;
  }
  return flags;
}

Result<MadeUpPacket> parse_packet(const PacketWords& words, const Policy& policy) {
  MadeUpPacket packet;
  auto in = parse_interface(words.in, policy);
  if (!in) return in.error();
  packet.in = *in;
  auto proto = parse_protocol(words.proto);
  if (!proto) return proto.error();
  packet.protocol = *proto;
  auto source = parse_endpoint("src", words.src, "sport", words.sport);
  if (!source) return source.error();
  packet.source = *source;
  auto destination = parse_endpoint("dst", words.dst, "dport", words.dport);
  if (!destination) return destination.error();
  packet.destination = *destination;

  if (!words.icmp.empty() && packet.protocol != protocol::icmp) {
    return invalid("icmp", "only with --proto icmp");
  }
  if (!words.tcp_flags.empty() && packet.protocol != protocol::tcp) {
    return invalid("tcp-flags", "only with --proto tcp");
  }
  if (has_ports(packet.protocol)) {
    if (packet.destination.port == 0) {
      return invalid("dst",
                     protocol_text(packet.protocol) + " needs a port: " + words.dst + ":443");
    }
    if (packet.source.port == 0) packet.source.port = kDefaultSourcePort;
  } else if (auto checked = refuse_ports(words, packet); !checked) {
    return checked.error();
  }
  if (packet.protocol == protocol::tcp) {
    auto flags = parse_tcp_flags(words.tcp_flags);
    if (!flags) return flags.error();
    packet.tcp_flags = *flags;
  }
  if (packet.protocol == protocol::icmp) {
    if (auto parsed = parse_icmp(words.icmp, packet); !parsed) return parsed.error();
    packet.source.port = kDefaultIdentifier;
  }
  if (words.user.empty() && !words.groups.empty()) return invalid("groups", "goes with --user");
  packet.user = words.user;
  packet.groups = split(words.groups);
  return packet;
}

void add_words(ExplainJson& request, const PacketWords& words) {
  for (const Word& word : kWords) {
    if (!(words.*word.value).empty()) request[word.name] = words.*word.value;
  }
}

Result<PacketWords> words_of(const ExplainJson& request) {
  PacketWords words;
  for (const Word& word : kWords) {
    auto member = request.find(word.name);
    if (member == request.end()) continue;
    if (!member->is_string()) return invalid(word.name, "must be text");
    words.*word.value = member->get<std::string>();
  }
  return words;
}

std::string endpoint_text(uint8_t protocol, Endpoint endpoint) {
  std::string text = to_text(endpoint.address);
  if (has_ports(protocol)) text += ":" + std::to_string(endpoint.port);
  return text;
}

std::string to_text(const MadeUpPacket& packet) {
  std::string text = protocol_text(packet.protocol) + " " +
                     endpoint_text(packet.protocol, packet.source) + " -> " +
                     endpoint_text(packet.protocol, packet.destination);
  if (packet.protocol == protocol::icmp) {
    text +=
        " type " + std::to_string(packet.icmp_type) + " code " + std::to_string(packet.icmp_code);
  }
  if (packet.protocol != protocol::tcp) return text;
  std::string flags;
  for (const Flag& flag : kFlags) {
    if (packet.tcp_flags & flag.bit) flags += (flags.empty() ? "" : ",") + std::string(flag.name);
  }
  return text + " " + (flags.empty() ? "none" : flags);
}

}  // namespace postern
