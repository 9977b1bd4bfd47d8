// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/local_answer.h"

namespace postern::dns {
namespace {

constexpr uint32_t kDenialTtl = 10'800;  // RFC 6303 section 3
constexpr size_t kAddressesToldMax = 64;

size_t tell_addresses(std::span<const Ipv4Address> addresses, const LocalView& view,
                      const Query& query, OwnReply& reply) {
  if (query.type != type::a) {
    // The name exists, but nothing of this type.
    reply.soa(query.name, query.name.key(), view.ttl_s);
    return reply.finish(rcode::no_error);
  }
  for (Ipv4Address address : addresses.first(std::min(addresses.size(), kAddressesToldMax))) {
    std::array<uint8_t, 4> data;
    put32(data, 0, address.number);
    reply.record(type::a, view.ttl_s, data);
  }
  return reply.finish(rcode::no_error);
}

size_t tell_localhost(const Query& query, OwnReply& reply) {
  constexpr std::array<uint8_t, 4> kLoopback = {127, 0, 0, 1};
  constexpr std::array<uint8_t, 16> kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (query.type == type::a) reply.record(type::a, kDenialTtl, kLoopback);
  if (query.type == type::aaaa) reply.record(type::aaaa, kDenialTtl, kLoopback6);
  return reply.finish(rcode::no_error);
}

}  // namespace

size_t answer_locally(const LocalView& view, const Query& query, const ReplyShape& shape,
                      std::span<uint8_t> room, ZoneFound& zone) {
  OwnReply reply(room, shape);
  auto addresses = view.names.find(query.name);
  if (!addresses.empty()) return tell_addresses(addresses, view, query, reply);
  if (auto address = address_of_reverse(query.name)) {
    if (const Name* name = view.names.find(*address)) {
      if (query.type == type::ptr) reply.record(type::ptr, view.ttl_s, name->wire());
      return reply.finish(rcode::no_error);
    }
  }
  zone = view.zones.find(query.name);
  switch (zone.kind) {
    case ZoneKind::localhost:
      return tell_localhost(query, reply);
    case ZoneKind::empty: {
      // A zone itself exists, though nothing is in it.
      bool is_apex = zone.zone.size() == query.name.size();
      reply.soa(query.name, zone.zone, is_apex ? kDenialTtl : std::max(view.ttl_s, 1u));
      return reply.finish(is_apex ? rcode::no_error : rcode::name_error);
    }
    case ZoneKind::forward:
      return 0;
    case ZoneKind::none:
      break;
  }
  // Names of one label are of this network, and so not to be asked for outside.
  bool asks_address = query.type == type::a || query.type == type::aaaa;
  if (!asks_address || count_labels(query.name.key()) != 1) return 0;
  reply.soa(query.name, query.name.key(), std::max(view.ttl_s, 1u));
  return reply.finish(rcode::name_error);
}

size_t refuse_kind(const Query& query, const ReplyShape& shape, std::span<uint8_t> room) {
  if (query.klass != kClassIn) return write_error(room, shape, rcode::refused);
  if (query.type == type::any) {
    // RFC 8482 section 4.2: a small answer, so that nothing is to be won by forged questions.
    constexpr uint8_t kHinfo[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
    OwnReply reply(room, shape);
    reply.record(type::hinfo, 3600, kHinfo);
    return reply.finish(rcode::no_error);
  }
  if (query.type == type::axfr || query.type == type::ixfr) {
    return write_error(room, shape, rcode::refused);
  }
  // OPT and what else is about messages, not names (RFC 6895 section 3.1).
  bool is_meta =
      query.type == type::opt || query.type == 0 || (query.type >= 128 && query.type < 256);
  return is_meta ? write_error(room, shape, rcode::not_implemented) : 0;
}

}  // namespace postern::dns
