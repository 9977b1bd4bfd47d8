// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/cache.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "support/dns_bed.h"

namespace postern::dns {
namespace {

using test::make_answer;
using test::make_query;
using test::Octets;

Octets question_of(const std::string& name) {
  Octets question = test::wire_name(name);
  question.insert(question.end(), {0, 1, 0, 1});
  return question;
}

Answer answer_for(const std::string& name, const std::string& address, uint32_t ttl) {
  Octets query = make_query({.name = name});
  Octets message = make_answer(query, 0, name + " " + std::to_string(ttl) + " A " + address);
  Answer answer;
  REQUIRE(take_answer(message, {*parse_name(name), type::a, false, false}, answer));
  return answer;
}

constexpr Instant kStart{1'000'000'000};

struct Bed {
  explicit Bed(const CacheLimits& limits) : cache(limits, {3, 5}) {}
  bool put(const std::string& name, uint32_t ttl = 60, Instant now = kStart) {
    Octets question = question_of(name);
    return cache.insert(cache.key_of(question, false, false), answer_for(name, "192.0.2.1", ttl),
                        now) != nullptr;
  }
  CacheEntry* find(const std::string& name, Instant now = kStart) {
    Octets question = question_of(name);
    return cache.find(cache.key_of(question, false, false), now);
  }
  Cache cache;
};

}  // namespace

TEST_CASE("dns/cache: an answer is found by its question", "[F47]") {
  Bed bed({});
  REQUIRE(bed.put("www.example"));
  CHECK(bed.find("www.example") != nullptr);
  CHECK(bed.find("www.example2") == nullptr);
  Octets question = question_of("www.example");
  CHECK(bed.cache.find(bed.cache.key_of(question, true, false), kStart) == nullptr);
  CHECK(bed.cache.find(bed.cache.key_of(question, false, true), kStart) == nullptr);
  CHECK(bed.cache.entries() == 1);
}

TEST_CASE("dns/cache: answers end with their time, stale ones later", "[F47][RFC8767-4]") {
  Bed bed({.stale_s = 100});
  bed.put("www.example", 60);
  CHECK(bed.find("www.example", kStart + seconds(59))->is_fresh(kStart + seconds(59)));
  CacheEntry* stale = bed.find("www.example", kStart + seconds(61));
  REQUIRE(stale);
  CHECK_FALSE(stale->is_fresh(kStart + seconds(61)));
  CHECK(bed.find("www.example", kStart + seconds(160)) == nullptr);
  bed.cache.sweep(kStart + seconds(160));
  CHECK(bed.cache.entries() == 0);
}

TEST_CASE("dns/cache: an answer of no time is not kept, a long one not for longer than allowed") {
  Bed bed({.ttl_max_s = 10, .stale_s = 0});
  CHECK_FALSE(bed.put("zero.example", 0));
  bed.put("long.example", 1000);
  CHECK(bed.find("long.example", kStart + seconds(9)) != nullptr);
  CHECK(bed.find("long.example", kStart + seconds(10)) == nullptr);
}

TEST_CASE("dns/cache: at its limit what was not used goes first") {
  Bed bed({.entries = 64});
  for (int i = 0; i < 64; ++i)
    bed.put("n" + std::to_string(i) + ".example");
  for (int i = 0; i < 64; i += 2)
    bed.find("n" + std::to_string(i) + ".example");
  for (int i = 64; i < 96; ++i)
    bed.put("n" + std::to_string(i) + ".example");
  CHECK(bed.cache.entries() == 64);
  CHECK(bed.cache.evicted() == 32);
  for (int i = 0; i < 64; ++i) {
    INFO(i);
    CHECK((bed.find("n" + std::to_string(i) + ".example") != nullptr) == (i % 2 == 0));
  }
}

TEST_CASE("dns/cache: flush takes a name and what is below it") {
  Bed bed({});
  bed.put("a.corp.example");
  bed.put("corp.example");
  bed.put("www.example");
  CHECK(bed.cache.flush(*parse_name("corp.example")) == 2);
  CHECK(bed.find("www.example") != nullptr);
  CHECK(bed.cache.flush(Name()) == 1);
  CHECK(bed.cache.entries() == 0);
}

TEST_CASE("dns/cache: it holds what a map would, whatever comes and goes") {
  Bed bed({.entries = 200, .stale_s = 0});
  std::map<std::string, Instant> model;
  std::mt19937 random(7);
  Instant now = kStart;
  for (int round = 0; round < 20'000; ++round) {
    now = now + milliseconds(50);
    std::string name = "n" + std::to_string(random() % 150) + ".example";
    if (random() % 3 == 0) {
      uint32_t ttl = random() % 8;
      bed.put(name, ttl, now);
      model[name] = now + seconds(int64_t{ttl});
    } else {
      bool is_there = model.count(name) != 0 && now < model[name];
      REQUIRE((bed.find(name, now) != nullptr) == is_there);
    }
    if (round % 100 == 0) bed.cache.sweep(now);
  }
}

TEST_CASE("dns/cache: 100,000 names take less than 64 MiB", "[F47]") {
  Bed bed({});
  for (int i = 0; i < 100'000; ++i)
    bed.put("host-" + std::to_string(i) + ".some.customer.example");
  CHECK(bed.cache.entries() == 100'000);
  CHECK(bed.cache.bytes() < uint64_t{64} << 20);
  INFO(bed.cache.bytes());
  bed.cache.set_limits({.entries = 1000});
  CHECK(bed.cache.entries() <= 1000);
  CHECK(bed.find("host-99999.some.customer.example") != nullptr);
}

TEST_CASE("dns/cache: its memory is bounded by bytes as well") {
  Bed bed({.bytes = 4 << 20});
  for (int i = 0; i < 100'000; ++i)
    bed.put("host-" + std::to_string(i) + ".some.customer.example");
  CHECK(bed.cache.bytes() <= 4u << 20);
  CHECK(bed.cache.entries() > 10'000);
}

}  // namespace postern::dns
