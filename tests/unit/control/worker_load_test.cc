// SPDX-License-Identifier: BSD-3-Clause
#include "control/worker_load.h"

#include <catch2/catch.hpp>

namespace postern {

TEST_CASE("control/worker_load: the share is that of the time between two looks", "[P10]") {
  WorkerLoad load(2);
  load.look(0, 5'000'000, Instant{seconds(1).ns});
  CHECK(load.share(0) == 0);
  load.look(0, 5'000'000 + 250'000'000, Instant{seconds(2).ns});
  CHECK(load.share(0) == Approx(0.25));
  load.look(0, 255'000'000, Instant{seconds(4).ns});
  CHECK(load.share(0) == 0);
  load.look(0, 255'000'000 + seconds(2).ns, Instant{seconds(5).ns});
  CHECK(load.share(0) == 1);
  CHECK(load.share(1) == 0);
}

}  // namespace postern
