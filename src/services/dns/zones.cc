// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/zones.h"

#include "base/assert.h"

namespace postern::dns {
namespace {

constexpr std::string_view kEmpty[] = {
    "invalid", "test", "local", "onion", "alt", "home.arpa", "resolver.arpa",
    // RFC 6303 section 4
    "10.in-addr.arpa", "168.192.in-addr.arpa", "0.in-addr.arpa", "127.in-addr.arpa",
    "254.169.in-addr.arpa", "2.0.192.in-addr.arpa", "100.51.198.in-addr.arpa",
    "113.0.203.in-addr.arpa", "255.255.255.255.in-addr.arpa", "d.f.ip6.arpa", "8.e.f.ip6.arpa",
    "9.e.f.ip6.arpa", "a.e.f.ip6.arpa", "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa",
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"};

}  // namespace

void Zones::reset(const Name& domain) {
  zones_.clear();
  auto add = [this](std::string_view text, ZoneKind kind) {
    auto name = parse_name(text);
    POSTERN_ASSERT(name);
    zones_.insert_or_assign(std::string(name->key()), Zone{kind, 0});
  };
  for (std::string_view zone : kEmpty)
    add(zone, ZoneKind::empty);
  for (unsigned octet = 16; octet < 32; ++octet)
    add(std::to_string(octet) + ".172.in-addr.arpa", ZoneKind::empty);
  for (unsigned octet = 64; octet < 128; ++octet)  // RFC 7793
    add(std::to_string(octet) + ".100.in-addr.arpa", ZoneKind::empty);
  add("localhost", ZoneKind::localhost);
  if (!domain.is_root()) {
    zones_.insert_or_assign(std::string(domain.key()), Zone{ZoneKind::empty, 0});
  }
}

void Zones::add_forward(const Name& zone, uint16_t group) {
  zones_.insert_or_assign(std::string(zone.key()), Zone{ZoneKind::forward, group});
}

ZoneFound Zones::find(const Name& name) const {
  std::string_view key = name.key();
  while (true) {
    auto found = zones_.find(key);
    if (found != zones_.end()) return {found->second.kind, found->second.group, key};
    if (key[0] == 0) return {};
    key = parent_of(key);
  }
}

}  // namespace postern::dns
