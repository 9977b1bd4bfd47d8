// SPDX-License-Identifier: BSD-3-Clause
#include "control/dataplane_settings.h"

#include <catch2/catch.hpp>

#include "control/config/load.h"

namespace postern {

TEST_CASE("control/dataplane_settings: what workers do when idle is as configured", "[P10]") {
  const auto settings = [](const std::string& workers) {
    const config::Loaded loaded = config::load("version: 1\nsystem: { workers: " + workers +
                                               " }\ninterfaces: { lan: { port: \"kernel:eth0\", "
                                               "zone: internal, address: 10.0.0.1/8 } }\n");
    REQUIRE(loaded.ok());
    return dataplane_settings(loaded.model, "/run/postern");
  };
  CHECK(settings("{ count: 1 }").idle == Idle::sleep);
  CHECK(settings("{ count: 1 }").wake_us == 20);
  CHECK(settings("{ wake_us: 7 }").wake_us == 7);
  CHECK(settings("{ idle: poll }").idle == Idle::poll);
}

}  // namespace postern
