// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/channel/records.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::remote;
using Step = Opener::Step;

namespace {

StreamKey key_of(uint8_t first) {
  StreamKey key;
  key.data()[0] = first;
  return key;
}

// All that an opener says to the octets: its messages, and the last step that was not `more`.
struct Heard {
  std::vector<std::string> messages;
  Step last = Step::more;
};

Heard hear(Opener& opener, Bytes octets) {
  Heard heard;
  while (opener.wanted() > 0 && octets.size() >= opener.wanted()) {
    const size_t wanted = opener.wanted();
    const Step step = opener.take(octets.first(wanted));
    octets = octets.subspan(wanted);
    if (step == Step::message) heard.messages.push_back(opener.text());
    if (step != Step::more) heard.last = step;
  }
  return heard;
}

// A stream of two messages and the end.
struct Stream {
  StreamKey key = key_of(1);
  Buffer octets;
  std::vector<size_t> begins;  // of records, and where the last one ends

  Stream() {
    Sealer sealer(key);
    octets.assign(sealer.header().begin(), sealer.header().end());
    for (const char* message : {"one", "two"}) {
      begins.push_back(octets.size());
      sealer.seal(message, true, octets);
    }
    begins.push_back(octets.size());
    sealer.seal_end(octets);
    begins.push_back(octets.size());
  }
  Bytes record(size_t number) const {
    return Bytes(octets).subspan(begins[number], begins[number + 1] - begins[number]);
  }
  Heard hear_it(Bytes what) const {
    Opener opener(key, {100});
    return hear(opener, what);
  }
};

}  // namespace

TEST_CASE("remote/records: messages of any size come out as they went in", "[F59]") {
  const size_t size = GENERATE(size_t{0}, 1u, 254u, 255u, 16382u, 16383u, 100000u);
  const StreamKey key = key_of(7);
  Sealer sealer(key);
  Buffer octets(sealer.header().begin(), sealer.header().end());
  sealer.seal(std::string(size, 'x'), true, octets);
  sealer.seal("after", true, octets);
  sealer.seal_end(octets);
  Opener opener(key, {200000});
  const Heard heard = hear(opener, octets);
  REQUIRE(heard.messages.size() == 2);
  CHECK(heard.messages[0] == std::string(size, 'x'));
  CHECK(heard.messages[1] == "after");
  CHECK(heard.last == Step::ended);
}

TEST_CASE("remote/records: lengths on the wire tell the size class only", "[F59]") {
  auto length = [](size_t size) {
    Sealer sealer(key_of(7));
    Buffer octets;
    sealer.seal(std::string(size, 'x'), true, octets);
    return octets.size();
  };
  CHECK(length(0) == length(254));
  CHECK(length(255) == length(1022));
  CHECK(length(1023) == length(4094));
  CHECK(length(4095) == length(16382));
}

TEST_CASE("remote/records: each flipped bit is refused", "[F59]") {
  const Stream stream;
  for (size_t bit = 0; bit < stream.octets.size() * 8; ++bit) {
    Buffer changed = stream.octets;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const Heard heard = stream.hear_it(changed);
    // With a larger size class, the octets that follow are too few.
    const bool waits =
        heard.last != Step::ended &&
        std::find(stream.begins.begin(), stream.begins.end(), bit / 8) != stream.begins.end();
    if (heard.last != Step::broken && !waits) FAIL("bit " << bit);
    const size_t whole = bit / 8 < stream.begins[1] ? 0 : bit / 8 < stream.begins[2] ? 1 : 2;
    if (heard.messages.size() != whole) FAIL("bit " << bit);
  }
}

TEST_CASE("remote/records: a stream that is cut anywhere has not ended", "[F59]") {
  const Stream stream;
  for (size_t size = 0; size < stream.octets.size(); ++size) {
    const Heard heard = stream.hear_it(Bytes(stream.octets).first(size));
    const size_t whole = size < stream.begins[1] ? 0 : size < stream.begins[2] ? 1 : 2;
    if (heard.last == Step::ended || heard.messages.size() != whole) FAIL("cut at " << size);
  }
}

TEST_CASE("remote/records: none comes twice, is left out or overtakes another", "[F59]") {
  const Stream stream;
  auto with = [&stream](std::initializer_list<size_t> numbers) {
    Buffer octets(stream.octets.begin(),
                  stream.octets.begin() + static_cast<std::ptrdiff_t>(kStreamHeader));
    for (size_t number : numbers) {
      Bytes record = stream.record(number);
      octets.insert(octets.end(), record.begin(), record.end());
    }
    return octets;
  };
  CHECK(stream.hear_it(with({0, 1, 2})).last == Step::ended);
  for (auto numbers : {std::initializer_list<size_t>{0, 0}, {1, 0}, {0, 2}, {2}, {0, 1, 1}}) {
    CHECK(stream.hear_it(with(numbers)).last == Step::broken);
  }
  // Nothing follows the end.
  CHECK(stream.hear_it(with({0, 1, 2, 0})).last == Step::ended);
}

TEST_CASE("remote/records: another key opens nothing", "[F59]") {
  const Stream stream;
  Opener opener(key_of(2), {100});
  const Heard heard = hear(opener, stream.octets);
  CHECK(heard.last == Step::broken);
  CHECK(heard.messages.empty());
}

TEST_CASE("remote/records: limits break the stream off", "[F59][F61]") {
  const StreamKey key = key_of(9);
  Sealer sealer(key);
  Buffer octets(sealer.header().begin(), sealer.header().end());
  SECTION("a message that is too long, in one piece or several") {
    sealer.seal(std::string(GENERATE(101, 40000), 'x'), true, octets);
    Opener opener(key, {100});
    CHECK(hear(opener, octets).last == Step::broken);
  }
  SECTION("a message that never ends") {
    for (int i = 0; i < 3; ++i)
      sealer.seal(std::string(50, 'x'), false, octets);
    Opener opener(key, {100});
    CHECK(hear(opener, octets).last == Step::broken);
  }
  SECTION("pieces where one record is due") {
    sealer.seal("x", false, octets);
    Opener opener(key, {100, false});
    CHECK(hear(opener, octets).last == Step::broken);
  }
  SECTION("a class that is too large") {
    sealer.seal("x", true, octets, 2);
    Opener opener(key, {100, true, 1});
    CHECK(hear(opener, octets).last == Step::broken);
  }
  SECTION("an end in the middle of a message") {
    sealer.seal("x", false, octets);
    sealer.seal_end(octets);
    Opener opener(key, {100});
    CHECK(hear(opener, octets).last == Step::broken);
  }
  SECTION("octets that nobody asked for") {
    Opener opener(key, {100});
    CHECK(opener.take(octets) == Step::more);
    CHECK(opener.take(octets) == Step::broken);
    CHECK(opener.wanted() == 0);
  }
}
