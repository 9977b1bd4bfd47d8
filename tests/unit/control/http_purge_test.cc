// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_purge.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/glob.h"
#include "unit/http/store/store_bed.h"

namespace postern {
namespace {

using http::testing::StoreBed;

struct Told {
  int times = 0;
  uint64_t removed = 0;
  std::string error;
  Purged purged() {
    return [this](const Result<uint64_t>& outcome) {
      ++times;
      if (outcome) removed = *outcome;
      error = outcome ? "" : outcome.error().text;
    };
  }
};

const std::vector<std::string> kPages = {"http://a.example/1", "http://a.example/2",
                                         "http://b.example/1"};

void fill(StoreBed& bed) {
  for (const std::string& page : kPages)
    REQUIRE(bed.put(page, 1'000));
  REQUIRE(bed.put(kPages[0], 1'000, "m", "accept-language: de"));
}

}  // namespace

TEST_CASE("control/http_purge: a pattern is held against whole addresses", "[F55]") {
  CHECK(matches_glob("http://www.example.com/a", "http://www.example.com/a"));
  CHECK(matches_glob("*.example.com/*", "http://www.EXAMPLE.com/a/b"));
  CHECK(matches_glob("http://*/a?.deb", "http://x.example/pool/a1.deb"));
  CHECK(matches_glob("*", ""));
  CHECK(matches_glob("**", "x"));
  CHECK(matches_glob("*ab*ab", "abab ab"));
  CHECK_FALSE(matches_glob("", "x"));
  CHECK_FALSE(matches_glob("?", ""));
  CHECK_FALSE(matches_glob("*.example.com", "http://www.example.com/"));
  CHECK_FALSE(matches_glob("a*b", "a"));
}

TEST_CASE("control/http_purge: a URL becomes the key that it is kept under", "[F55]") {
  CHECK(cache_key_of("HTTP://WWW.Example.com:80/a/../b").value() == "http://www.example.com/b");
  CHECK(cache_key_of("http://www.example.com").value() == "http://www.example.com/");
  const auto* bad = GENERATE("", "www.example.com", "/page", "ftp://user@example.com/", "mailto:x");
  INFO(bad);
  CHECK_FALSE(cache_key_of(bad));
}

TEST_CASE("control/http_purge: a URL goes with all its variants, and is counted once", "[F55]") {
  StoreBed bed;
  fill(bed);
  Told told;
  purge(*bed.store, "HTTP://A.example:80/1", told.purged());
  bed.run();
  CHECK(told.times == 1);
  CHECK(told.removed == 1);
  CHECK_FALSE(bed.has(kPages[0]));
  CHECK_FALSE(bed.has(kPages[0], "accept-language: de"));
  CHECK(bed.has(kPages[1]));
  purge(*bed.store, kPages[0], told.purged());
  bed.run();
  CHECK(told.times == 2);
  CHECK(told.removed == 0);
  purge(*bed.store, "no URL", told.purged());
  CHECK(told.error.find("not a URL") == 0);
}

TEST_CASE("control/http_purge: what a pattern matches goes, also after a power cut", "[F55]") {
  StoreBed bed;
  fill(bed);
  Told told;
  purge(*bed.store, "*://A.example/*", told.purged());
  CHECK(told.times == 0);
  while (told.times == 0)
    bed.step();
  CHECK(told.error.empty());
  CHECK(told.removed == 2);
  // As soon as it is told.
  bed.disk.unsynced.clear();
  REQUIRE(bed.crash_and_open());
  CHECK(bed.keys() == std::vector<std::string>{kPages[2]});
  purge(*bed.store, "*nothing*", told.purged());
  bed.run();
  CHECK(told.times == 2);
  CHECK(told.removed == 0);
}

TEST_CASE("control/http_purge: what could not be written is not told as gone", "[F55][C19]") {
  StoreBed bed;
  fill(bed);
  Told told;
  bed.disk.write_error = EIO;
  purge(*bed.store, "*a.example*", told.purged());
  bed.run();
  CHECK(told.times == 1);
  CHECK(told.error.find("could not write") != std::string::npos);
  purge(*bed.store, kPages[2], told.purged());
  bed.run();
  CHECK(told.times == 2);
  CHECK(told.error.find("could not write") != std::string::npos);
}

TEST_CASE("control/http_purge: what could not be read is not told as searched", "[F55][C19]") {
  StoreBed bed;
  fill(bed);
  Told told;
  REQUIRE(bed.open());
  bed.disk.read_error = EIO;
  purge(*bed.store, "*a.example*", told.purged());
  bed.run();
  CHECK(told.times == 1);
  CHECK(told.error.find("could not be read") != std::string::npos);
}

}  // namespace postern
