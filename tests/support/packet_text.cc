// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_text.h"

#include <charconv>
#include <optional>
#include <sstream>

#include "dataplane/wire/headers.h"
#include "support/packet_names.h"

namespace postern::test {
namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

Error bad(const std::string& text) {
  return Error{ErrorCode::invalid, text};
}

void split_endpoint(const std::string& text, std::string& address, std::string& port) {
  const size_t colon = text.find(':');
  address = text.substr(0, colon);
  port = colon == std::string::npos ? "" : text.substr(colon + 1);
}

bool is_icmp_kind(const std::string& word) {
  if (word[0] == '$') return true;
  const std::string type = word.substr(0, word.find('/'));
  return number_of(kIcmpTypes, type).has_value() ||
         type.find_first_not_of("0123456789") == std::string::npos;
}

bool is_flag_list(const std::string& word) {
  if (word == "none") return true;
  std::istringstream in(word);
  for (std::string flag; std::getline(in, flag, ',');) {
    if (!number_of(kTcpFlags, flag)) return false;
  }
  return true;
}

// One word behind the endpoints: a kind, a lone word or name=value.
Result<void> read_word(const std::string& word, PacketText& packet) {
  const size_t equals = word.find('=');
  if (equals != std::string::npos) {
    packet.fields[word.substr(0, equals)] = word.substr(equals + 1);
  } else if (word == "df" || word == "no-df") {
    packet.fields["df"] = word == "df" ? "yes" : "no";
  } else if (word == "bad-sum") {
    packet.fields["sum"] = "bad";
  } else if ((packet.protocol == "icmp" && is_icmp_kind(word)) ||
             (packet.protocol == "tcp" && is_flag_list(word))) {
    packet.kind = word;
  } else {
    return bad("'" + word + "' is no field of a packet");
  }
  return {};
}

// "arp SENDER who-has TARGET" and "arp SENDER is-at MAC"
Result<PacketText> read_arp(const std::vector<std::string>& words) {
  if (words.size() < 4) return bad("arp SENDER who-has TARGET, or arp SENDER is-at MAC");
  PacketText packet;
  packet.protocol = "arp";
  packet.source = words[1];
  packet.kind = words[2];
  if (packet.kind == "who-has") {
    packet.destination = words[3];
  } else if (packet.kind == "is-at") {
    packet.fields["mac"] = words[3];
  } else {
    return bad("'" + packet.kind + "' is neither who-has nor is-at");
  }
  for (size_t i = 4; i < words.size(); ++i) {
    auto read = read_word(words[i], packet);
    if (!read) return read.error();
  }
  if (packet.fields.count("to") != 0) packet.destination = packet.fields["to"];
  packet.fields.erase("to");
  return packet;
}

}  // namespace

Result<PacketText> read_packet_text(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  if (words.empty()) return bad("no packet");
  if (words[0] == "arp") return read_arp(words);
  if (!number_of(kProtocols, words[0]) && words[0].rfind("ip/", 0) != 0) {
    return bad("'" + words[0] + "' is no protocol");
  }
  if (words.size() < 4 || words[2] != "->") return bad("PROTOCOL SOURCE -> DESTINATION ...");
  PacketText packet;
  packet.protocol = words[0];
  split_endpoint(words[1], packet.source, packet.source_port);
  split_endpoint(words[3], packet.destination, packet.destination_port);
  for (size_t i = 4; i < words.size(); ++i) {
    if (words[i] == "about") {
      auto quoted = read_packet_text(line.substr(line.find(" about ") + 7));
      if (!quoted) return quoted;
      packet.about.push_back(*quoted);
      break;
    }
    auto read = read_word(words[i], packet);
    if (!read) return read.error();
  }
  return packet;
}

std::string to_text(const PacketText& packet) {
  std::string text = packet.protocol + " " + packet.source;
  if (!packet.source_port.empty()) text += ":" + packet.source_port;
  if (packet.protocol == "arp") {
    text += " " + packet.kind;
    text += " " + (packet.kind == "who-has" ? packet.destination : packet.fields.at("mac"));
  } else if (!packet.destination.empty()) {
    text += " -> " + packet.destination;
    if (!packet.destination_port.empty()) text += ":" + packet.destination_port;
    if (!packet.kind.empty()) text += " " + packet.kind;
  }
  for (const auto& [name, value] : packet.fields) {
    if (packet.protocol == "arp" && name == "mac") continue;
    if (name == "df") {
      text += value == "yes" ? " df" : " no-df";
    } else {
      text.append(" ").append(name).append("=").append(value);
    }
  }
  if (!packet.about.empty()) text += " about " + to_text(packet.about[0]);
  return text;
}

// Text to frame.
namespace {

class Reader {
 public:
  explicit Reader(const PacketText& packet) : packet_(packet) {}

  std::optional<uint32_t> number(const std::string& name) {
    auto found = packet_.fields.find(name);
    if (found == packet_.fields.end()) return std::nullopt;
    return number_in(name, found->second);
  }

  uint32_t number_in(const std::string& name, const std::string& text) {
    uint32_t value = 0;
    const char* end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end) fail(name + "=" + text + " is no number");
    return value;
  }

  Ipv4Address address(const std::string& text) {
    auto value = parse_ipv4(text);
    if (!value) fail("'" + text + "' is no address");
    return value.value_or(Ipv4Address());
  }

  std::optional<MacAddress> mac(const std::string& name) {
    auto found = packet_.fields.find(name);
    if (found == packet_.fields.end()) return std::nullopt;
    auto value = parse_mac(found->second);
    if (!value) fail("'" + found->second + "' is no MAC address");
    return value;
  }

  uint16_t port(const std::string& text) {
    return text.empty() ? uint16_t{0} : static_cast<uint16_t>(number_in("port", text));
  }

  void fail(const std::string& text) { error_ = error_.empty() ? text : error_; }
  const std::string& error() const { return error_; }
  const PacketText& packet() const { return packet_; }

 private:
  const PacketText& packet_;
  std::string error_;
};

void set_fragment(Reader& in, PacketBuilder& builder) {
  auto found = in.packet().fields.find("frag");
  if (found == in.packet().fields.end() || found->second == "no") return;
  std::string offset = found->second;
  const bool more = !offset.empty() && offset.back() == '+';
  if (more) offset.pop_back();
  builder.fragment(static_cast<uint16_t>(in.number_in("frag", offset)), more,
                   static_cast<uint16_t>(in.number("whole").value_or(0)));
}

void set_options(Reader& in, PacketBuilder& builder) {
  auto found = in.packet().fields.find("options");
  if (found == in.packet().fields.end()) return;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < found->second.size(); i += 2) {
    const char* at = found->second.data() + i;
    uint8_t byte = 0;
    if (std::from_chars(at, at + 2, byte, 16).ptr != at + 2) in.fail("options: not hexadecimal");
    bytes.push_back(byte);
  }
  builder.options(bytes);
}

void set_network(Reader& in, PacketBuilder& builder) {
  if (auto value = in.number("ttl")) builder.ttl(static_cast<uint8_t>(*value));
  if (auto value = in.number("tos")) builder.tos(static_cast<uint8_t>(*value));
  if (auto value = in.number("ipid")) builder.identification(static_cast<uint16_t>(*value));
  if (auto value = in.number("len")) builder.length(static_cast<uint16_t>(*value));
  if (auto value = in.number("data")) builder.payload(static_cast<uint16_t>(*value));
  if (auto value = in.mac("from-mac")) builder.from_mac(*value);
  if (auto value = in.mac("to-mac")) builder.to_mac(*value);
  auto df = in.packet().fields.find("df");
  builder.dont_fragment(df != in.packet().fields.end() && df->second == "yes");
  set_fragment(in, builder);
  set_options(in, builder);
}

void set_tcp(Reader& in, PacketBuilder& builder) {
  const std::string& kind = in.packet().kind;
  if (!kind.empty()) {
    uint8_t flags = 0;
    std::istringstream list(kind);
    for (std::string flag; std::getline(list, flag, ',');) {
      flags = static_cast<uint8_t>(flags | number_of(kTcpFlags, flag).value_or(0));
    }
    builder.flags(flags);
  }
  if (auto value = in.number("seq")) builder.sequence(*value);
  if (auto value = in.number("ack")) builder.acknowledgment(*value);
  if (auto value = in.number("mss")) builder.mss(static_cast<uint16_t>(*value));
}

void set_icmp(Reader& in, PacketBuilder& builder) {
  const std::string& kind = in.packet().kind;
  if (kind.empty()) return;  // a later piece
  const size_t slash = kind.find('/');
  const std::string type = kind.substr(0, slash);
  auto number = number_of(kIcmpTypes, type);
  if (!number) number = static_cast<uint8_t>(in.number_in("type", type));
  const uint32_t code =
      slash == std::string::npos ? 0 : in.number_in("code", kind.substr(slash + 1));
  builder.icmp_kind(*number, static_cast<uint8_t>(code));
  if (auto value = in.number("id")) {
    builder.icmp_id(static_cast<uint16_t>(*value),
                    static_cast<uint16_t>(in.number("icmp-seq").value_or(1)));
  }
  if (auto value = in.number("mtu")) builder.mtu(static_cast<uint16_t>(*value));
}

// What no sender writes, or none should.
void spoil_header(Reader& in, Frame& frame) {
  Ipv4Header& ip = ipv4_at(frame.bytes().data() + sizeof(EthernetHeader));
  const unsigned version = in.number("version").value_or(ip.version_and_length >> 4);
  const unsigned words = in.number("ihl").value_or(ip.version_and_length & 0xF);
  const unsigned reserved = in.number("reserved").value_or(0) != 0 ? 0x8000 : 0;
  ip.version_and_length = static_cast<uint8_t>(version << 4 | words);
  ip.flags_and_offset = be16(static_cast<uint16_t>(ip.flags_and_offset.value() | reserved));
  if (words >= 5) seal_ipv4(frame);
  auto sum = in.packet().fields.find("ip-sum");
  if (sum != in.packet().fields.end()) ip.checksum = be16::from_raw(ip.checksum.raw() ^ 0x5555);
}

Result<Frame> build_arp(Reader& in) {
  const PacketText& packet = in.packet();
  const Ipv4Address source = in.address(packet.source), target = in.address(packet.destination);
  const MacAddress from_mac = in.mac("from-mac").value_or(mac_of(source));
  Frame frame = packet.kind == "who-has" ? arp_request(target, source, from_mac,
                                                       in.mac("to-mac").value_or(kBroadcastMac))
                                         : arp_reply(source, in.mac("mac").value_or(from_mac),
                                                     target, in.mac("to-mac").value_or(kPortMac));
  if (!in.error().empty()) return bad(in.error());
  return frame;
}

}  // namespace

Result<Frame> build(const PacketText& packet) {
  Reader in(packet);
  if (packet.protocol == "arp") return build_arp(in);
  auto number = number_of(kProtocols, packet.protocol);
  if (!number) {
    number = static_cast<uint8_t>(in.number_in("protocol", packet.protocol.substr(3)));
  }
  PacketBuilder builder(*number, in.address(packet.source), in.address(packet.destination));
  builder.ports(in.port(packet.source_port), in.port(packet.destination_port));
  set_network(in, builder);
  if (*number == protocol::tcp) set_tcp(in, builder);
  if (*number == protocol::icmp) set_icmp(in, builder);
  if (auto sum = packet.fields.find("sum"); sum != packet.fields.end()) {
    sum->second == "bad" ? builder.with_bad_checksum() : builder.without_checksum();
  }
  if (!packet.about.empty()) {
    auto quoted = build(packet.about[0]);
    if (!quoted) return quoted;
    builder.about(*quoted);
  }
  Frame frame = builder.build();
  spoil_header(in, frame);
  if (!in.error().empty()) return bad(in.error());
  return frame;
}

}  // namespace postern::test
