// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/icmp_error.h"

#include <algorithm>

#include "dataplane/packet/icmp_query.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr uint16_t kOffsetMask = 0x1FFF;
constexpr unsigned kQuotedMin = 8;        // RFC 792: 64 bits of the quoted datagram's data
constexpr unsigned kTcpChecksumEnd = 18;  // the quote holds a TCP checksum from this length on

// Where the quoted packet lies in the frame. Everything named is there.
struct Quote {
  unsigned ip = 0;  // offsets from `frame`
  unsigned transport = 0;
  unsigned bytes = 0;  // of the transport header and what follows
};

// What a NAT can tell apart in it: TCP and UDP ports, ICMP queries, addresses of anything else.
std::optional<Quote> find_quote(const Packet& error) {
  unsigned end = error.l3_offset + error.l3_length;
  Quote quote;
  quote.ip = error.l4_offset + unsigned{sizeof(IcmpHeader)};
  if (!error.is_icmp_error || error.is_fragment || end > error.length) return std::nullopt;
  if (quote.ip + sizeof(Ipv4Header) > end) return std::nullopt;
  const Ipv4Header& ip = ipv4_at(error.frame + quote.ip);
  unsigned header = ip.header_bytes();
  if (ip.version_and_length >> 4 != 4 || header < sizeof(Ipv4Header)) return std::nullopt;
  if ((ip.flags_and_offset.value() & kOffsetMask) != 0) return std::nullopt;
  quote.transport = quote.ip + header;  // RFC5508-REQ3b: behind the quoted options
  if (quote.transport > end) return std::nullopt;
  quote.bytes = end - quote.transport;
  // RFC5508-REQ3d: extensions (RFC 4884) follow a quote that is padded to 128 bytes.
  unsigned total = ip.total_length.value();
  if (total >= header + kQuotedMin) quote.bytes = std::min(quote.bytes, total - header);
  if (!has_identifier(ip.protocol)) return quote;
  if (quote.bytes < kQuotedMin) return std::nullopt;
  if (ip.protocol == protocol::icmp && !has_query_id(error.frame[quote.transport]))
    return std::nullopt;
  return quote;
}

// RFC5508-REQ3, REQ3a: an error with a wrong ICMP checksum, or about a packet with a wrong IPv4
// checksum, is nobody's. The quoted transport checksum is not looked at (REQ3c).
bool checksums_hold(const Packet& error, const Quote& quote) {
  unsigned end = error.l3_offset + error.l3_length;
  return sum(error.l4(), end - error.l4_offset) == 0xFFFF &&
         sum(error.frame + quote.ip, quote.transport - quote.ip) == 0xFFFF;
}

// Writes fields and keeps account of what that does to the sum of the bytes.
class Account {
 public:
  template <typename T>
  void write(T& field, T value) {
    add(difference(field, value));
    field = value;
  }
  void add(uint16_t delta) { delta_ = combine(delta_, delta); }
  uint16_t delta() const { return delta_; }

 private:
  uint16_t delta_ = 0;
};

// The quoted transport header goes back to what its sender sent. `pseudo` is the difference of the
// addresses, which the checksums of TCP and UDP cover; `account` gets what changes here.
void restore_transport(Packet& error, const Quote& quote, const Rewrite& reply, uint16_t pseudo,
                       Account& account) {
  uint8_t* bytes = error.frame + quote.transport;
  uint8_t proto = ipv4_at(error.frame + quote.ip).protocol;
  if (proto == protocol::icmp) {
    IcmpHeader& icmp = icmp_at(bytes);
    Account id;
    id.write(icmp.identifier,
             be16::from_raw(reply.source_port.raw() | reply.destination_port.raw()));
    account.write(icmp.checksum, updated(icmp.checksum, id.delta()));
    account.add(id.delta());
    return;
  }
  if (!has_ports(proto)) return;
  UdpHeader& ports = udp_at(bytes);  // TCP has its ports in the same place
  Account changed;
  changed.write(ports.source_port, reply.destination_port);
  changed.write(ports.destination_port, reply.source_port);
  account.add(changed.delta());
  uint16_t delta = combine(pseudo, changed.delta());
  if (proto == protocol::tcp) {
    if (quote.bytes < kTcpChecksumEnd) return;
    TcpHeader& tcp = tcp_at(bytes);
    account.write(tcp.checksum, updated(tcp.checksum, delta));
  } else if (ports.checksum.raw() != 0) {
    be16 sum = updated(ports.checksum, delta);
    account.write(ports.checksum, sum.raw() == 0 ? be16(0xFFFF) : sum);  // RFC 768
  }
}

}  // namespace

std::optional<FlowKey> quoted_key(const Packet& error) {
  std::optional<Quote> quote = find_quote(error);
  if (!quote || !checksums_hold(error, *quote)) return std::nullopt;
  const Ipv4Header& ip = ipv4_at(error.frame + quote->ip);
  const uint8_t* transport = error.frame + quote->transport;
  FlowKey key;
  key.source = ip.source;
  key.destination = ip.destination;
  key.protocol = ip.protocol;
  if (has_ports(ip.protocol)) {
    key.source_port = udp_at(transport).source_port;
    key.destination_port = udp_at(transport).destination_port;
  } else if (ip.protocol == protocol::icmp) {
    const IcmpHeader& icmp = icmp_at(transport);
    (is_query_request(icmp.type) ? key.source_port : key.destination_port) = icmp.identifier;
    key.icmp_kind = icmp_kind_of(icmp.type);
  }
  return key;
}

// RFC5508-REQ4, REQ5: the quoted packet travelled against the error, so what `reply` makes the
// source is its destination.
void translate_error(Packet& error, const Rewrite& reply, bool hide_source) {
  std::optional<Quote> quote = find_quote(error);
  if (!quote) return;
  Ipv4Header& outer = ipv4_at(error.l3());
  Ipv4Header& quoted = ipv4_at(error.frame + quote->ip);
  bool is_from_end = outer.source == quoted.destination;  // not from a router on the way

  Account inside;  // what changes in the ICMP message
  inside.write(quoted.source, reply.destination);
  inside.write(quoted.destination, reply.source);
  uint16_t addresses = inside.delta();
  inside.write(quoted.checksum, updated(quoted.checksum, addresses));
  restore_transport(error, *quote, reply, addresses, inside);
  IcmpHeader& icmp = icmp_at(error.l4());
  icmp.checksum = updated(icmp.checksum, inside.delta());

  Account outside;
  outside.write(outer.destination, reply.destination);
  if (is_from_end || hide_source) outside.write(outer.source, reply.source);
  outer.checksum = updated(outer.checksum, outside.delta());
  error.key.source = outer.source;
  error.key.destination = outer.destination;
}

}  // namespace postern
