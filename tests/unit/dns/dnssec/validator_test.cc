// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/dnssec/validator.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>

#include "support/signed_zone.h"

namespace postern::dns {
namespace {

using test::question_of;
using test::SignedZone;
using Message = std::vector<uint8_t>;

// Whether `message` tells this address.
bool tells(const Message& message, Ipv4Address address) {
  Question question = question_of("www.example");
  Answer answer;
  if (message.empty() || !take_answer(message, question, answer)) return false;
  const uint8_t bytes[] = {
      static_cast<uint8_t>(address.number >> 24), static_cast<uint8_t>(address.number >> 16),
      static_cast<uint8_t>(address.number >> 8), static_cast<uint8_t>(address.number)};
  const auto found =
      std::search(message.begin(), message.end(), std::begin(bytes), std::end(bytes));
  return found != message.end();
}

// A validator whose queries go to a zone that is signed.
struct Bed {
  Bed() { zone.add("www.example", Ipv4Address(192, 0, 2, 80)); }

  ValidatorSettings anchored() const { return {.anchor_files = {}, .anchors = {zone.anchor()}}; }

  void start(const ValidatorSettings& settings) {
    auto made =
        Validator::make(io, settings, {[this](uint32_t number, Bytes query) {
                          asked.emplace_back(query.begin(), query.end());
                          if (is_silent) return;
                          validator->answer_query(number, is_dead ? Message{} : zone.answer(query));
                        }});
    REQUIRE(made);
    validator = std::move(made).value();
  }

  Verdict judge(const Question& question, const Message& answer) {
    bool is_done = false;
    Verdict verdict = Verdict::failed;
    validator->judge(question, answer, [&](const Validator::Outcome& outcome) {
      is_done = true;
      verdict = outcome.verdict;
      told.assign(outcome.message.begin(), outcome.message.end());
      why = outcome.why;
    });
    CHECK_FALSE(is_done);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(8);
    while (!is_done && std::chrono::steady_clock::now() < end)
      run(5);
    REQUIRE(is_done);
    return verdict;
  }
  Verdict judge(const Question& question) { return judge(question, zone.answer(question)); }

  void run(int milliseconds) {
    io.restart();
    io.run_for(std::chrono::milliseconds(milliseconds));
  }

  SignedZone zone{"example"};
  bool is_dead = false;
  bool is_silent = false;
  std::vector<Message> asked;
  Message told;
  std::string why;
  boost::asio::io_context io;
  std::unique_ptr<Validator> validator;
};

TEST_CASE("dns/dnssec: a signed answer is secure, and so is a denial", "[P25][RFC4035-4.3]") {
  Bed bed;
  bed.start(bed.anchored());
  CHECK(bed.judge(question_of("www.example")) == Verdict::secure);
  CHECK(tells(bed.told, Ipv4Address(192, 0, 2, 80)));
  CHECK(bed.judge(question_of("nobody.example")) == Verdict::secure);
  CHECK((get16(bed.told, 2) & flag::rcode) == rcode::name_error);
  CHECK(bed.judge(question_of("www.example", type::aaaa)) == Verdict::secure);
  CHECK((get16(bed.told, 2) & flag::rcode) == rcode::no_error);
  // Of the servers only the keys were asked for, unchecked.
  REQUIRE(bed.asked.size() == 1);
  Query query;
  REQUIRE(parse_query(bed.asked[0], query) == QueryFault::none);
  CHECK(query.type == type::dnskey);
  CHECK(query.checking_disabled());
  CHECK(query.wants_dnssec);
}

TEST_CASE("dns/dnssec: an answer that is forged, unsigned or expired is bogus",
          "[P25][RFC4035-4.3]") {
  Bed bed;
  bed.start(bed.anchored());
  const Question question = question_of("www.example");
  Message answer = bed.zone.answer(question);
  SECTION("forged") {
    SignedZone forger("example");
    forger.add("www.example", Ipv4Address(198, 51, 100, 66));
    answer = forger.answer(question);
  }
  SECTION("altered") {
    const uint8_t address[] = {192, 0, 2, 80};
    const auto at =
        std::search(answer.begin(), answer.end(), std::begin(address), std::end(address));
    REQUIRE(at != answer.end());
    *at = 193;
  }
  SECTION("unsigned") {
    bed.zone.strip(true);
    answer = bed.zone.answer(question);
    bed.zone.strip(false);
  }
  SECTION("expired") {
    bed.zone.expire(true);
    answer = bed.zone.answer(question);
    bed.zone.expire(false);
  }
  CHECK(bed.judge(question, answer) == Verdict::bogus);
  CHECK_FALSE(bed.why.empty());
  CHECK(bed.told.empty());
  CHECK(bed.validator->counters().bogus == 1);
}

TEST_CASE("dns/dnssec: what is told is what was judged", "[P25]") {
  Bed bed;
  bed.start(bed.anchored());
  const Question question = question_of("www.example");
  CHECK(bed.judge(question) == Verdict::secure);
  // libunbound remembers the answer; a forged one must not profit by that.
  SignedZone forger("example");
  forger.add("www.example", Ipv4Address(198, 51, 100, 66));
  const Verdict verdict = bed.judge(question, forger.answer(question));
  if (verdict == Verdict::secure) CHECK(tells(bed.told, Ipv4Address(192, 0, 2, 80)));
  CHECK_FALSE(tells(bed.told, Ipv4Address(198, 51, 100, 66)));
}

TEST_CASE("dns/dnssec: zones without an anchor and insecure zones need no signature",
          "[P25][RFC7646-1.1]") {
  Bed bed;
  ValidatorSettings settings = bed.anchored();
  SECTION("no anchor above") {
    settings.anchors.clear();
  }
  SECTION("a zone named insecure") {
    settings.insecure = {"www.example"};
  }
  bed.start(settings);
  bed.zone.strip(true);
  CHECK(bed.judge(question_of("www.example")) == Verdict::insecure);
  CHECK(tells(bed.told, Ipv4Address(192, 0, 2, 80)));
}

TEST_CASE("dns/dnssec: without keys the answer failed, and is judged once they are there",
          "[P25][C11]") {
  Bed bed;
  bed.start(bed.anchored());
  bed.is_dead = true;
  CHECK(bed.judge(question_of("www.example")) == Verdict::failed);
  CHECK(bed.told.empty());
  bed.is_dead = false;
  bed.run(600);  // it has started anew
  CHECK(bed.validator->counters().restarts == 1);
  CHECK(bed.judge(question_of("www.example")) == Verdict::secure);
}

TEST_CASE("dns/dnssec: a change of the network makes it start anew", "[P25][C11]") {
  Bed bed;
  bed.start(bed.anchored());
  CHECK(bed.judge(question_of("www.example")) == Verdict::secure);
  bed.validator->start_anew();
  bed.run(600);
  CHECK(bed.judge(question_of("www.example")) == Verdict::secure);
  CHECK(bed.asked.size() == 2);
}

TEST_CASE("dns/dnssec: judgements beyond the limit fail, and all are over in time", "[P25]") {
  Bed bed;
  ValidatorSettings settings = bed.anchored();
  settings.outstanding_max = 3;
  bed.start(settings);
  bed.is_silent = true;
  int failed = 0;
  for (int i = 0; i < 5; ++i) {
    const Question question = question_of("n" + std::to_string(i) + ".example");
    bed.validator->judge(question, bed.zone.answer(question), [&](const auto& outcome) {
      failed += outcome.verdict == Verdict::failed;
    });
  }
  bed.run(100);
  CHECK(failed == 2);
  CHECK(bed.validator->counters().refused == 2);
  CHECK(bed.validator->outstanding() == 3);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(7);
  while (failed < 5 && std::chrono::steady_clock::now() < end)
    bed.run(50);
  CHECK(failed == 5);
  CHECK(bed.validator->outstanding() == 0);
  // And it may go with some under way.
  bed.validator->judge(question_of("www.example"), bed.zone.answer(question_of("www.example")),
                       [&](const auto&) { ++failed; });
  bed.run(20);
  bed.validator.reset();
  bed.run(20);
  CHECK(failed == 5);
}

TEST_CASE("dns/dnssec: anchors that cannot be read are told", "[P25]") {
  boost::asio::io_context io;
  const auto error = [&](const ValidatorSettings& settings) {
    auto made = Validator::make(io, settings, {});
    return made ? std::string() : made.error().text;
  };
  CHECK(error({.anchor_files = {"/nonexistent/root.key"}}) ==
        "the trust anchor /nonexistent/root.key cannot be read; that of the root is in the package "
        "dns-root-data");
  CHECK_THAT(error({.anchor_files = {}, .anchors = {"no anchor at all"}}),
             Catch::Contains("no anchor at all"));
  CHECK(error({.anchor_files = {}}).empty());
}

TEST_CASE("dns/dnssec: the stub answers the question that was asked, or SERVFAIL", "[P25]") {
  struct Owner : Stub::Owner {
    void take_query(uint32_t number, Bytes query) override {
      numbers.push_back(number);
      last.assign(query.begin(), query.end());
    }
    void query_failed() override { ++failures; }
    std::vector<uint32_t> numbers;
    Message last;
    int failures = 0;
  } owner;
  boost::asio::io_context io;
  auto stub = Stub::open(io, owner);
  REQUIRE(stub);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons((*stub)->port());
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  const auto exchange = [&](const Message& query, const std::function<void()>& then) {
    owner.last.clear();
    ::send(fd, query.data(), query.size(), 0);
    io.restart();
    io.run_for(std::chrono::milliseconds(10));
    then();
    Message answer(65536);
    const ssize_t got = recv(fd, answer.data(), answer.size(), 0);
    answer.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return answer;
  };
  Message query = {0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'A', 0, 0, 1, 0, 1};
  Message good = query;
  good[0] = good[1] = 0;
  good[2] = 0x81;
  good[13] = 'a';
  Message expected = query;
  expected[2] = 0x81;
  CHECK(exchange(query, [&] { CHECK((*stub)->answer(owner.numbers.back(), good)); }) == expected);
  Message other = good;
  other[13] = 'b';
  Message failure = expected;
  failure[3] = 0x82;
  for (const Message& wrong : {other, Message{}, Message(5), Message(65001)}) {
    const auto answer =
        exchange(query, [&] { CHECK_FALSE((*stub)->answer(owner.numbers.back(), wrong)); });
    CHECK(answer == failure);
  }
  CHECK(owner.failures == 4);
  CHECK(exchange(query, [&] { (*stub)->tick(monotonic_now() + seconds(5)); }) == failure);
  CHECK_FALSE((*stub)->answer(owner.numbers.back(), good));  // it is over
  // What is no query is not taken.
  for (size_t length : {size_t{0}, size_t{11}, query.size() - 1}) {
    exchange(Message(query.begin(), query.begin() + static_cast<ptrdiff_t>(length)), [] {});
    CHECK(owner.last.empty());
  }
  CHECK(exchange(good, [] {}).empty());
  CHECK(owner.last.empty());
  close(fd);
}

}  // namespace
}  // namespace postern::dns
