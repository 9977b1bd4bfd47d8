// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/job_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "control/loop.h"

using namespace postern;

TEST_CASE("io/job_pool: jobs of one thread run and end in order, beside the loop") {
  Loop loop;
  io::JobPool pool(loop.context(), {"test", 1, 4});
  const std::thread::id here = std::this_thread::get_id();
  std::string order;
  bool was_beside = true;
  for (char name : {'a', 'b', 'c'}) {
    auto id = std::make_shared<std::thread::id>();
    CHECK(pool.run([id] { *id = std::this_thread::get_id(); },
                   [&, name, id] {
                     was_beside = was_beside && *id != here;
                     order += name;
                     if (name == 'c') loop.stop();
                   }));
  }
  CHECK(order.empty());  // nothing ends before the loop runs
  loop.run();
  CHECK(order == "abc");
  CHECK(was_beside);
}

TEST_CASE("io/job_pool: more than may wait are refused, and none of a pool that ended ends") {
  Loop loop;
  std::mutex mutex;
  std::condition_variable bell;
  bool may_go = false;
  std::atomic<bool> has_begun = false;
  unsigned ended = 0;
  {
    io::JobPool pool(loop.context(), {"test", 1, 2});
    auto end = [&ended] { ++ended; };
    CHECK(pool.run(
        [&] {
          has_begun = true;
          std::unique_lock lock(mutex);
          bell.wait(lock, [&] { return may_go; });
        },
        end));
    while (!has_begun)
      std::this_thread::yield();
    CHECK(pool.waiting() == 0);
    CHECK(pool.run([] {}, end));
    CHECK(pool.run([] {}, end));
    CHECK(pool.waiting() == 2);
    CHECK_FALSE(pool.run([] {}, end));
    std::lock_guard lock(mutex);
    may_go = true;
    bell.notify_all();
  }
  loop.after(milliseconds(1), [&loop] { loop.stop(); });
  loop.run();
  CHECK(ended == 0);
}
