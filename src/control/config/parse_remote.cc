// SPDX-License-Identifier: BSD-3-Clause
// admin.remote.
#include "control/config/parse.h"

namespace postern::config {

void parse_remote(Section& section, AdminRemote& remote) {
  section.boolean("enabled", remote.enabled);
  section.strings("listen", remote.listen);
  section.number("port", remote.port);
  parse_match(section, "from", remote.from);
  section.duration("idle", remote.idle);
  section.finish();
}

}  // namespace postern::config
