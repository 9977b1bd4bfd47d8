// SPDX-License-Identifier: BSD-3-Clause
// What things cost, on a real file; run by hand: postern_unit '[.measure]'. The file lies in the
// temporary folder (TMPDIR), its size is POSTERN_STORE_GIB (1 if it is not said).
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>

#include "unit/http/store/live_store.h"

namespace postern::http {
namespace {

using testing::LiveStore;
using testing::TemporaryFolder;
using State = Read::State;

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double thread_cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// A hit as the proxy makes it: found, all octets handed out (or their places), the object gone.
uint64_t hit(LiveStore& live, const std::string& name, bool by_extents) {
  uint64_t octets = 0;
  live.store->find({name}, [&](std::unique_ptr<StoredObject> object) {
    if (!object) return;
    ReadExtent extent;
    while (by_extents && (extent = object->next_extent()).state == State::octets)
      octets += extent.length;
    Read read;
    while (!by_extents && (read = object->next()).state == State::octets)
      octets += read.octets.size();
  });
  return octets;
}

// Microseconds of CPU for a hit, the best of three.
double hit_us(LiveStore& live, const std::vector<std::string>& names, size_t octets,
              bool by_extents) {
  const size_t count = std::max<size_t>(40'000, names.size());
  double best = 1;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const double begun = thread_cpu_s();
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i)
      sum += hit(live, names[i * 7'919 % names.size()], by_extents);
    // The kernel may want to wait for a page all the same; that one came from the pool.
    REQUIRE(sum > count * octets / 1'000 * 999);
    live.run();
    best = std::min(best, (thread_cpu_s() - begun) / static_cast<double>(count));
  }
  return best * 1e6;
}

TEST_CASE("http/store/measure: a hit in the page cache", "[.measure]") {
  const TemporaryFolder folder;
  for (const size_t octets : {1'024U, 16'000U, 65'536U, 1'048'576U}) {
    LiveStore live(folder.path("cache"), uint64_t{512} << 20);
    REQUIRE(Store::format(live.options));
    REQUIRE(live.open());
    const size_t objects = std::min<size_t>(10'000, (size_t{300} << 20) / octets);
    std::vector<std::string> names;
    for (size_t i = 0; i < objects; ++i) {
      names.push_back("http://www.example.com/some/path/of/an/object/" + std::to_string(i));
      REQUIRE(live.put(names.back(), octets));
    }
    WARN(octets << " octets: " << hit_us(live, names, octets, false) << " us CPU a hit, by extents "
                << hit_us(live, names, octets, true) << " us, of all "
                << live.store->counters().reads_by_pool << " reads by the pool");
  }
}

TEST_CASE("http/store/measure: fill and start", "[.measure]") {
  const char* gib = std::getenv("POSTERN_STORE_GIB");
  const uint64_t octets = (gib != nullptr ? std::strtoull(gib, nullptr, 10) : 1) << 30;
  const char* mean = std::getenv("POSTERN_STORE_MEAN");
  const uint64_t mean_octets = mean != nullptr ? std::strtoull(mean, nullptr, 10) : 32'768;
  const TemporaryFolder folder;
  LiveStore live(folder.path("cache"), octets);
  live.options.objects_max = octets / 512;
  REQUIRE(live.open());
  const auto content = std::vector<uint8_t>(2 * mean_octets, 7);
  std::mt19937 random(1);
  const double begun = now_s();
  const double cpu = thread_cpu_s();
  uint64_t written = 0;
  uint64_t count = 0;
  double longest = 0;
  for (; written < octets * 105 / 100; ++count) {
    const double at = thread_cpu_s();
    const size_t size = random() % (2 * mean_octets);
    auto writer = live.store->begin({"http://www.example.com/objects/" + std::to_string(count)},
                                    std::string(300, 'm'), {});
    if (writer) {
      writer->append(std::span(content).first(size));
      writer->commit();
    }
    live.run();
    longest = std::max(longest, thread_cpu_s() - at);
    written += size;
    // As fast as it is written.
    live.run_until([&] { return live.store->counters().queued_octets < (8 << 20); });
  }
  live.run_until([&] { return live.store->counters().queued_octets == 0; });
  const double took = now_s() - begun;
  const StoreCounters counters = live.store->counters();
  WARN("filled " << written / 1e9 << " GB in " << took << " s (" << written / 1e6 / took
                 << " MB/s), " << count << " objects, " << (thread_cpu_s() - cpu) / count * 1e6
                 << " us CPU each on this thread, longest step " << longest * 1e3 << " ms, refused "
                 << counters.refused << ", index " << counters.index_octets / counters.objects
                 << " octets an object");
  for (const bool is_cold : {false, true}) {
    live.store.reset();
    const int fd = ::open(live.options.path.c_str(), O_RDWR | O_CLOEXEC);
    ::fsync(fd);
    if (is_cold) ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
    ::malloc_trim(0);
    const struct mallinfo2 before = ::mallinfo2();
    const double from = now_s();
    REQUIRE(live.open());
    const double start = now_s() - from;
    const uint64_t objects = live.store->counters().objects;
    const struct mallinfo2 after = ::mallinfo2();
    const uint64_t memory = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    WARN((is_cold ? "cold" : "warm") << " start: " << start * 1e3 << " ms for " << objects
                                     << " objects (" << objects / start / 1e6 << " M/s), "
                                     << memory / objects << " octets of memory each, all in all");
    CHECK(memory / objects <= 100);
  }
}

}  // namespace
}  // namespace postern::http
