// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/access/url_match.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::http {

TEST_CASE("http/url_match: patterns of hosts") {
  for (const char* pattern :
       {"*", "a", "www.example.com", "*.example.com", "192.0.2.1", "[2001:db8::1]", "a_b-c.de"})
    CHECK(fault_of_host(pattern).empty());
  for (const char* pattern : {"www.*.com", "*example.com", "**", "*.", ".example.com",
                              "example.com.", "a..b", "a b", "http://a", "a:80", "[x]", "a/b"}) {
    CAPTURE(pattern);
    CHECK_FALSE(fault_of_host(pattern).empty());
  }
}

TEST_CASE("http/url_match: patterns of paths") {
  struct Case {
    const char* pattern;
    const char* path;
    bool matches;
  };
  for (const Case& row : {Case{"/", "/", true},
                          Case{"/", "/a/b", true},
                          Case{"/docs/", "/docs/", true},
                          Case{"/docs/", "/docs/a?b", true},
                          Case{"/docs/", "/docs", false},
                          Case{"/docs", "/docs", true},
                          Case{"/docs", "/docs/a", false},
                          Case{"/docs", "/docs?x", true},
                          Case{"/*.exe", "/a/b.exe", true},
                          Case{"/*.exe", "/a.exe?x=1", true},
                          Case{"/*.exe", "/a.exe.txt", false},
                          Case{"/*.exe", "/a?b.exe", false},
                          Case{"*/ads/*", "/x/ads/y", true},
                          Case{"*/ads/", "/x/ads/y/z", true},
                          Case{"/a?b*", "/a?bc", true},
                          Case{"/a?b*", "/a", false},
                          Case{"/a*b*c", "/a1b2b3c", true},
                          Case{"/a*b*c", "/a1b2b3", false},
                          Case{"/*", "/", true},
                          Case{"*", "", true}}) {
    CAPTURE(row.pattern, row.path);
    CHECK(fault_of_path(row.pattern).empty());
    CHECK(matches_path(row.pattern, row.path) == row.matches);
  }
  for (const char* pattern : {"docs/", "a*", "/a b", "/a\n"})
    CHECK_FALSE(fault_of_path(pattern).empty());
}

TEST_CASE("http/url_match: a pattern of many stars ends") {
  std::string pattern = "/";
  for (int star = 0; star < 500; ++star)
    pattern += "*a";
  pattern += "b";
  CHECK_FALSE(matches_path(pattern, "/" + std::string(8000, 'a')));
}

TEST_CASE("http/url_match: numbers in common") {
  const std::vector<uint32_t> some = {1, 5, 9};
  CHECK(have_common(some, std::vector<uint32_t>{0, 5}));
  CHECK(have_common(some, std::vector<uint32_t>{9}));
  CHECK_FALSE(have_common(some, std::vector<uint32_t>{2, 6, 10}));
  CHECK_FALSE(have_common(some, {}));
}

}  // namespace postern::http
