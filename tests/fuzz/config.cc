// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a configuration: load() ends, refuses or gives a model that resolves throughout.
// The seeds are the golden files.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "control/config/load.h"
#include "control/config/resolve.h"

namespace config = postern::config;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::Loaded loaded = config::load(text);
  for (const config::Finding& finding : loaded.findings) {
    POSTERN_ASSERT(!to_text(finding, "config").empty());
  }
  if (!loaded.ok()) {
    POSTERN_ASSERT(!loaded.findings.empty());
    return 0;
  }
  // What load() accepts must not fail later: every rule resolves, and loads again as the same.
  config::Resolver resolver(loaded.model.objects);
  for (const config::FilterRule& rule : loaded.model.filter.rules) {
    POSTERN_ASSERT(resolver.services(rule.service));
    POSTERN_ASSERT(resolver.times(rule.when));
  }
  for (const config::PortMap& map : loaded.model.nat.port_maps) {
    POSTERN_ASSERT(resolver.services(map.service));
    POSTERN_ASSERT(resolver.addresses(map.allow_from));
  }
  POSTERN_ASSERT(config::load(text).model == loaded.model);
  return 0;
}
