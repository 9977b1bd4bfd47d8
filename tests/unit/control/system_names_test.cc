// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/system_names.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

namespace postern {

TEST_CASE("control/system_names: several who ask for a name share the answer", "[F56]") {
  Loop loop;
  SystemNames names(loop);
  int answers = 0;
  for (int i = 0; i < 10; ++i) {
    names.ask("localhost", [&](const Result<SystemNames::Addresses>& addresses) {
      REQUIRE(addresses);
      CHECK(addresses->front() == Ipv4Address(127, 0, 0, 1));
      if (++answers == 10) loop.stop();
    });
  }
  CHECK(answers == 0);
  loop.run();
  CHECK(answers == 10);
}

TEST_CASE("control/system_names: too many at once fail at once, and each is answered", "[F56]") {
  Loop loop;
  SystemNames names(loop);
  size_t answers = 0, refused = 0;
  constexpr size_t kAsked = SystemNames::kWaiting + 50;
  // Addresses as text: nobody outside is asked.
  for (size_t i = 0; i < kAsked; ++i) {
    names.ask("127.0." + std::to_string(i / 200) + "." + std::to_string(i % 200),
              [&](const Result<SystemNames::Addresses>& addresses) {
                if (!addresses) {
                  CHECK(addresses.error().code == ErrorCode::exhausted);
                  ++refused;
                }
                if (++answers == kAsked) loop.stop();
              });
  }
  if (answers < kAsked) loop.run();
  CHECK(answers == kAsked);
  CHECK(refused <= 50);
}

}  // namespace postern
