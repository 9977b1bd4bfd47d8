// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "services/http/message/url.h"

namespace postern::http {
namespace {

CacheKey key_of(std::string_view text) {
  Url url;
  CacheKey key;
  INFO(text);
  REQUIRE_FALSE(parse_url(text, url));
  REQUIRE(make_key(url, key));
  return key;
}

TEST_CASE("http/message/cache_key: what is equivalent by the RFCs has one key",
          "[RFC3986-6.2.2][RFC9110-4.2.3]") {
  struct Row {
    std::string_view text;
    std::string_view key;
    bool is_exact;
  };
  const Row rows[] = {
      {"http://a/", "http://a/", true},
      {"http://a", "http://a/", true},
      {"http://a?b", "http://a/?b", true},
      {"http://a:80/", "http://a/", true},
      {"http://a:/", "http://a/", true},
      {"HTTP://A.Example/B", "http://a.example/B", true},
      {"http://a:8080/", "http://a:8080/", true},
      {"http://[2001:DB8::A]:80/", "http://[2001:db8::a]/", true},
      {"ftp://a:21", "ftp://a/", true},
      {"ftp://a:80/", "ftp://a:80/", true},
      {"gopher://a:70", "gopher://a/", true},
      {"http://a/%7Eb/%41%2d%5f%2E", "http://a/~b/A-_.", false},
      {"http://a/%2f%3f%25", "http://a/%2F%3F%25", false},
      {"http://a/%2F", "http://a/%2F", true},
      {"http://a/?q=%7e%2f", "http://a/?q=~%2F", false},
      {"http://a/x/../b", "http://a/b", false},
      {"http://a/x/%2e%2E/b", "http://a/b", false},
      {"http://a/./b/.", "http://a/b/", false},
      {"http://a/b/..", "http://a/", false},
      {"http://a/../../b", "http://a/b", false},
      {"http://a/b/c/./../../g", "http://a/g", false},
      {"http://a/b//../c", "http://a/b/c", false},
      {"http://a/...//.b/..c", "http://a/...//.b/..c", true},
      {"http://a/b?x/../y", "http://a/b?x/../y", true},
      {"gopher://a/1/x/../%7e", "gopher://a/1/x/../~", false},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const CacheKey key = key_of(row.text);
    CHECK(key.text == row.key);
    CHECK(key.is_exact == row.is_exact);
  }
}

TEST_CASE("http/message/cache_key: what an origin may tell apart has keys of its own",
          "[RFC3986-6.2.2][RFC9110-4.2.3]") {
  const std::vector<std::string_view> texts = {
      "http://a/",      "http://a./",        "http://b/",      "http://a:8080/",
      "http://a/?",     "http://a//",        "http://a/b",     "http://a/b/",
      "http://a/B",     "http://a/b?",       "http://a/b?c&d", "http://a/b?d&c",
      "http://a/b?c",   "http://a/b?C",      "http://a/b%2F",  "http://a/b%3F",
      "http://a/b;c",   "http://a/b%3Bc",    "http://a/b+c",   "http://a/b%20c",
      "http://a/b%2Bc", "ftp://a/b",         "gopher://a/b",   "http://a/%2541",
      "http://a/%41",   "http://a/%%34%31",  "http://a/%4%31", "http://a/%25%34%31x%",
      "http://a/b%00",  "http://a/b?c%26d",  "http://a/b%5Cc", "http://a/b\\c",
      "http://a/b?%2F", "http://a/b?/",      "http://a:21/b",  "http://192.0.2.1/",
      "http://a/%2e%",  "http://a/x/../b?%", "http://a/b?%",   "http://a/b%23",
  };
  std::set<std::string> keys;
  for (const std::string_view text : texts) {
    INFO(text);
    CHECK(keys.insert(key_of(text).text).second);
  }
}

TEST_CASE("http/message/cache_key: a user or too long a path has no key") {
  Url url;
  CacheKey key;
  REQUIRE_FALSE(parse_url("ftp://me@a/", url));
  CHECK_FALSE(make_key(url, key));
  const std::string start = "http://a/";
  const std::string full = start + std::string(kKeyMax - start.size(), 'x');
  REQUIRE_FALSE(parse_url(full, url));
  CHECK(make_key(url, key));
  const std::string longer = full + "x";
  REQUIRE_FALSE(parse_url(longer, url));
  CHECK_FALSE(make_key(url, key));
}

// A key is a URL, and its own key; so a normal form is reached in one step.
TEST_CASE("http/message/cache_key: the key of a key is the key") {
  std::mt19937 random(7);
  const std::string_view pieces[] = {"/", ".", "..", "%2e", "%2E", "%", "a", "%41", "%2f",
                                     "?", "4", "1",  "%3f", "%7",  "2", "e", "%25", "~"};
  for (int round = 0; round < 20000; ++round) {
    std::string text = "http://a/";
    for (unsigned i = random() % 12; i > 0; --i)
      text += pieces[random() % std::size(pieces)];
    const CacheKey key = key_of(text);
    const CacheKey again = key_of(key.text);
    INFO(text);
    CHECK(again.text == key.text);
    CHECK(again.is_exact);
    CHECK(key.is_exact == (key.text == text));
  }
}

}  // namespace
}  // namespace postern::http
