// SPDX-License-Identifier: BSD-3-Clause
// Zones: what becomes of the names below a point of the tree: answered here and never asked for
// outside, or asked of certain servers. The longest zone that holds a name decides; a forward of
// the configuration comes before a zone of ours of the same name.
//
// Ours are the special names of RFC 6761, 6762, 7686, 8375 and 9476 and the reverse zones of
// private addresses of RFC 6303, 7793 and RFC 4193. Thread: control; changes with the
// configuration only.
#pragma once

#include "services/dns/local_names.h"

namespace postern::dns {

enum class ZoneKind : uint8_t {
  none,       // the default servers
  forward,    // servers of its own
  empty,      // nothing exists in it but what LocalNames has
  localhost,  // RFC 6761 section 6.3
};

struct ZoneFound {
  ZoneKind kind = ZoneKind::none;
  uint16_t group = 0;     // of servers, with ZoneKind::forward
  std::string_view zone;  // the tail of the name that was looked up
};

class Zones {
 public:
  // Starts anew: our own zones and the local domain (the root for none).
  void reset(const Name& domain);
  void add_forward(const Name& zone, uint16_t group);
  ZoneFound find(const Name& name) const;

 private:
  struct Zone {
    ZoneKind kind;
    uint16_t group;
  };
  KeyMap<Zone> zones_;
};

}  // namespace postern::dns
