// SPDX-License-Identifier: BSD-3-Clause
// services.portal.
#include "control/config/parse.h"

namespace postern::config {

void parse_portal(Section& section, Portal& portal) {
  section.boolean("enabled", portal.enabled);
  section.strings("listen", portal.listen);
  section.number("port", portal.port);
  section.string("certificate", portal.certificate);
  section.string("key", portal.key);
  section.duration("idle_timeout", portal.idle_timeout);
  section.duration("absolute_timeout", portal.absolute_timeout);
  section.duration("heartbeat", portal.heartbeat);
  section.finish();
}

}  // namespace postern::config
