// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_cache.h"

#include <sys/stat.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <vector>

#include "control/loop.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

constexpr uint64_t kOctets = uint64_t{16} << 20;

struct Bed {
  test::TemporaryDirectory directory;
  Loop loop;
  Instant now{1'000'000'000'000};
  std::vector<http::Store*> used;  // one after another
  std::vector<std::string> lines;
  HttpCache cache{loop, world()};
  // Keeps the loop going while only a thread is at work.
  decltype(boost::asio::make_work_guard(loop.context())) work =
      boost::asio::make_work_guard(loop.context());

  HttpCache::World world() {
    HttpCache::World world;
    world.now = [this] { return now; };
    world.use = [this](http::Store* store) { used.push_back(store); };
    world.log = [this](config::LogLevel, const std::string& line) { lines.push_back(line); };
    return world;
  }
  std::string file(const std::string& name = "cache") const {
    return directory.path() + "/http/" + name;
  }
  // Until no file is being opened.
  void settle() {
    for (int turn = 0; turn < 5000 && cache.state() == HttpCache::State::opening; ++turn) {
      loop.context().restart();
      loop.context().run_for(std::chrono::milliseconds(2));
    }
  }
  HttpCache::State follow(const std::optional<HttpCachePlan>& plan) {
    cache.follow(plan);
    settle();
    return cache.state();
  }
  static uint64_t size_of(const std::string& path) {
    struct stat state = {};
    return stat(path.c_str(), &state) == 0 ? static_cast<uint64_t>(state.st_size) : 0;
  }
};

using State = HttpCache::State;

}  // namespace

TEST_CASE("control/http_cache: the store is there when its file is, and goes first", "[F55]") {
  Bed bed;
  CHECK(bed.follow(std::nullopt) == State::off);
  REQUIRE(bed.follow(HttpCachePlan{bed.file(), kOctets}) == State::ready);
  CHECK(bed.used == std::vector<http::Store*>{bed.cache.store()});
  CHECK(Bed::size_of(bed.file()) == kOctets);
  CHECK(bed.cache.complaint());
  REQUIRE(bed.follow(HttpCachePlan{bed.file("other"), kOctets}) == State::ready);
  REQUIRE(bed.used.size() == 3);
  CHECK(bed.used[1] == nullptr);
  CHECK(bed.follow(std::nullopt) == State::off);
  CHECK(bed.used.back() == nullptr);
  CHECK(bed.cache.store() == nullptr);
}

TEST_CASE("control/http_cache: plans that change while a file is read end with the last", "[F55]") {
  Bed bed;
  bed.cache.follow(HttpCachePlan{bed.file("a"), kOctets});
  bed.cache.follow(HttpCachePlan{bed.file("b"), kOctets});
  bed.cache.follow(HttpCachePlan{bed.file("c"), kOctets});
  bed.settle();
  CHECK(bed.cache.state() == State::ready);
  CHECK(bed.cache.file() == bed.file("c"));
  CHECK(Bed::size_of(bed.file("c")) == kOctets);
  CHECK(bed.used.size() == 1);
  bed.cache.follow(HttpCachePlan{bed.file("d"), kOctets});
  bed.cache.follow(std::nullopt);
  bed.loop.context().restart();
  bed.loop.context().run_for(std::chrono::milliseconds(300));
  CHECK(bed.cache.state() == State::off);
  CHECK(bed.cache.store() == nullptr);
}

TEST_CASE("control/http_cache: a file of another form stays as it is until it is told otherwise",
          "[F55][C19]") {
  Bed bed;
  REQUIRE(mkdir((bed.directory.path() + "/http").c_str(), 0700) == 0);
  std::ofstream(bed.file()) << "somebody's own";
  REQUIRE(bed.follow(HttpCachePlan{bed.file(), kOctets}) == State::failed);
  CHECK(bed.cache.error().find("postern cache recreate") != std::string::npos);
  CHECK_FALSE(bed.cache.complaint());
  CHECK(Bed::size_of(bed.file()) == 14);
  CHECK(bed.used.empty());
  // It does not mend by itself.
  bed.now = bed.now + HttpCache::kRetry + seconds(1);
  bed.cache.tick();
  CHECK(bed.cache.state() == State::failed);
  Result<void> told = Error{ErrorCode::failed, ""};
  bed.cache.recreate([&](const Result<void>& done) { told = done; });
  bed.settle();
  CHECK(told);
  CHECK(bed.cache.state() == State::ready);
  CHECK(Bed::size_of(bed.file()) == kOctets);
}

TEST_CASE("control/http_cache: a place that was not there is tried again", "[C19]") {
  Bed bed;
  const std::string folder = bed.directory.path() + "/disk/deep";
  REQUIRE(bed.follow(HttpCachePlan{folder + "/cache", kOctets}) == State::failed);
  REQUIRE(mkdir((bed.directory.path() + "/disk").c_str(), 0700) == 0);
  bed.cache.tick();
  CHECK(bed.cache.state() == State::failed);
  bed.now = bed.now + HttpCache::kRetry;
  bed.cache.tick();
  bed.settle();
  CHECK(bed.cache.state() == State::ready);
  CHECK(bed.cache.error().empty());
}

TEST_CASE("control/http_cache: the loop does not wait for the disk when a store goes", "[C19]") {
  Bed bed;
  REQUIRE(bed.follow(HttpCachePlan{bed.file(), kOctets}) == State::ready);
  // What is written into it is not on the disk yet when it is let go of.
  for (int i = 0; i < 100; ++i) {
    const std::string key = "http://www.example.com/" + std::to_string(i);
    auto writer = bed.cache.store()->begin({key}, "metadata", {});
    REQUIRE(writer);
    const std::vector<uint8_t> octets(20'000, 'x');
    writer->append(octets);
    writer->commit({});
  }
  bed.cache.follow(std::nullopt);
  CHECK(bed.cache.store() == nullptr);
  CHECK(bed.used.back() == nullptr);
  // The same file, which is opened once the one before is done with it.
  REQUIRE(bed.follow(HttpCachePlan{bed.file(), kOctets}) == State::ready);
  CHECK(bed.cache.store()->counters().objects == 100);
  Result<void> told = Error{ErrorCode::failed, ""};
  bed.cache.recreate([&](const Result<void>& done) { told = done; });
  CHECK(bed.cache.state() == State::opening);
  bed.settle();
  CHECK(told);
  CHECK(bed.cache.store()->counters().objects == 0);
}

TEST_CASE("control/http_cache: without one wanted there is none to make anew", "[F55]") {
  Bed bed;
  Result<void> told;
  bed.cache.recreate([&](const Result<void>& done) { told = done; });
  REQUIRE_FALSE(told);
  CHECK(told.error().code == ErrorCode::not_found);
}

}  // namespace postern
