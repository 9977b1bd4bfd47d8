// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_purge.h"

#include <catch2/catch.hpp>

namespace postern {

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

}  // namespace postern
