// SPDX-License-Identifier: BSD-3-Clause
// admin.metrics.
#include "control/config/parse.h"

namespace postern::config {

void parse_metrics(Section& section, Metrics& metrics) {
  section.boolean("loopback", metrics.loopback);
  section.strings("listen", metrics.listen);
  section.number("port", metrics.port);
  section.strings("from", metrics.from);
  section.finish();
}

}  // namespace postern::config
