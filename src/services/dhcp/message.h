// SPDX-License-Identifier: BSD-3-Clause
// DHCP and BOOTP messages as bytes (RFC 951, RFC 2131, RFC 2132), both ways. No socket, no state.
//
//   header 236 | magic 4 | options ... end      a BOOTP request may stand without the magic
//                 overload (52): options go on in file (128), then in sname (64)
//
// Reading takes any bytes: what is truncated, contradicts itself or overruns is a MessageFault. The
// pieces of an option that comes more than once are joined (RFC 3396) in the order options, file,
// sname. Writing splits what is longer than 255 bytes and, where a message would become too long,
// goes on in file and sname. Thread: any. Bounds: kMessageBytesMax either way.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace postern::dhcp {

constexpr uint16_t kServerPort = 67;
constexpr uint16_t kClientPort = 68;
constexpr size_t kHeaderBytes = 236;
constexpr size_t kMessageBytesMin = 300;   // what we send is at least as long (RFC 1542 2.1)
constexpr size_t kMessageBytesMax = 1472;  // one Ethernet frame
constexpr size_t kMessageBytesSafe = 548;  // what every client takes (RFC 2131 section 2)

enum class MessageType : uint8_t {
  none = 0,  // no option 53: BOOTP
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
  inform = 8,
};
constexpr uint8_t kMessageTypeMax = 8;

namespace option {
constexpr uint8_t pad = 0;
constexpr uint8_t subnet_mask = 1;
constexpr uint8_t routers = 3;
constexpr uint8_t dns_servers = 6;
constexpr uint8_t host_name = 12;
constexpr uint8_t domain_name = 15;
constexpr uint8_t broadcast_address = 28;
constexpr uint8_t ntp_servers = 42;
constexpr uint8_t requested_address = 50;
constexpr uint8_t lease_time = 51;
constexpr uint8_t overload = 52;
constexpr uint8_t message_type = 53;
constexpr uint8_t server_id = 54;
constexpr uint8_t parameter_list = 55;
constexpr uint8_t text = 56;
constexpr uint8_t message_size = 57;
constexpr uint8_t renewal_time = 58;
constexpr uint8_t rebinding_time = 59;
constexpr uint8_t vendor_class = 60;
constexpr uint8_t client_id = 61;
constexpr uint8_t tftp_server_name = 66;
constexpr uint8_t boot_file_name = 67;
constexpr uint8_t user_class = 77;
constexpr uint8_t client_fqdn = 81;
constexpr uint8_t relay_agent = 82;
constexpr uint8_t architecture = 93;
constexpr uint8_t classless_routes = 121;
constexpr uint8_t wpad_url = 252;  // by use; no RFC
constexpr uint8_t end = 255;
}  // namespace option

// Option 81 (RFC 4702 section 2): flags, two result codes, then the name.
namespace fqdn {
constexpr size_t head_bytes = 3;
constexpr uint8_t server_updates = 1;  // S
constexpr uint8_t overridden = 2;      // O
constexpr uint8_t wire_form = 4;       // E
constexpr uint8_t no_update = 8;       // N
constexpr uint8_t result_unused = 255;
}  // namespace fqdn

constexpr uint8_t kBootRequest = 1;
constexpr uint8_t kBootReply = 2;
constexpr uint8_t kEthernet = 1;  // htype (RFC 1700)
constexpr uint16_t kBroadcastFlag = 0x8000;

struct Header {
  uint8_t op = kBootRequest;
  uint8_t htype = kEthernet;
  uint8_t hlen = 6;
  uint8_t hops = 0;
  uint32_t xid = 0;
  uint16_t secs = 0;
  uint16_t flags = 0;
  Ipv4Address ciaddr;
  Ipv4Address yiaddr;
  Ipv4Address siaddr;
  Ipv4Address giaddr;
  std::array<uint8_t, 16> chaddr = {};

  std::span<const uint8_t> hardware() const { return {chaddr.data(), hlen}; }
  // The first six bytes of chaddr; only for Ethernet.
  MacAddress mac() const;
};

// One option of a message that is written; the bytes are the caller's.
struct OptionView {
  uint8_t code = option::pad;
  std::span<const uint8_t> value;
};

enum class MessageFault : uint8_t {
  none,
  too_short,         // no whole header
  too_long,          // more than kMessageBytesMax
  not_bootp,         // op is neither request nor reply
  hardware_address,  // hlen beyond 16
  truncated_option,  // an option reaches beyond its field
  bad_overload,      // option 52 is no 1, 2 or 3
  bad_type,          // option 53 is no type
};
const char* to_word(MessageFault fault);

// A message that was read. Keep one and read into it again: it keeps its memory.
class Message {
 public:
  // Takes the message apart; after a fault nothing of it may be used.
  MessageFault read(std::span<const uint8_t> bytes);

  Header header;
  MessageType type = MessageType::none;

  // As it was read.
  std::span<const uint8_t> bytes() const { return std::span(bytes_).first(length_); }

  bool has(uint8_t code) const { return find_entry(code) != nullptr; }
  // The value; empty where the option is missing or has no bytes.
  std::span<const uint8_t> find(uint8_t code) const;
  // The value as a number where it has exactly that many bytes, else `fallback`.
  uint32_t number32(uint8_t code, uint32_t fallback = 0) const;
  uint16_t number16(uint8_t code, uint16_t fallback = 0) const;
  Ipv4Address address(uint8_t code) const { return Ipv4Address(number32(code)); }
  // The value without trailing NULs, as text of any bytes.
  std::string_view text(uint8_t code) const;
  // The boot file name and server name of the header; empty where options stand there.
  std::string_view file() const;
  std::string_view server_name() const;

 private:
  struct Entry {
    uint8_t code = 0;
    uint16_t offset = 0;
    uint16_t length = 0;
  };
  const Entry* find_entry(uint8_t code) const;
  MessageFault scan(std::span<const uint8_t> bytes, size_t first, size_t last);
  void join_pieces();

  std::vector<uint8_t> bytes_;  // the message, then joined values
  size_t length_ = 0;           // of the message
  std::vector<Entry> entries_;  // in the order of the codes once joined
  uint8_t overload_ = 0;
};

struct Outgoing {
  Header header;
  std::string_view file;                // at most 127 bytes; else cut
  std::string_view server_name;         // at most 63 bytes; else cut
  std::span<const OptionView> options;  // in this order; the first ones are the surest to fit
  size_t bytes_max = kMessageBytesSafe;
};

// Writes into `out`, which has room for kMessageBytesMax bytes. Returns the length. Options that do
// not fit even in file and sname are left out and counted in `left_out`; the relay agent option
// always stands last (RFC 3046 section 2.2) and has its room kept.
size_t write_message(const Outgoing& message, std::span<uint8_t> out, unsigned& left_out);

}  // namespace postern::dhcp
