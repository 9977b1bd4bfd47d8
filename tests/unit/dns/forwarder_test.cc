// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/forwarder.h"

#include <catch2/catch.hpp>
#include <set>

#include "support/alloc_guard.h"
#include "support/dns_bed.h"

namespace postern::test {
namespace {

using namespace dns;

void answer_next(DnsBed& bed, const std::string& records, uint16_t rcode = 0) {
  DnsBed::Sent sent = bed.take_sent();
  REQUIRE(!sent.message.empty());
  bed.datagram(sent.socket, make_answer(sent.message, rcode, records));
}

}  // namespace

TEST_CASE("dns/forwarder: what cannot be read is answered as RFCs say",
          "[RFC9619-4][RFC6891-6.1.3][RFC1035-4.1.1]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  auto told_for = [&](Octets query) {
    bed.ask(query);
    return describe(bed.take_told().message);
  };
  Octets query = make_query({.name = "a.example", .udp_bytes = 1232});
  Octets other = query;
  other[2] = 4 << 3;
  CHECK(told_for(other) == "NOTIMP");
  other = query;
  other[5] = 2;
  CHECK(told_for(other) == "FORMERR");
  other = query;
  other[other.size() - 5] = 7;
  CHECK(told_for(other) == "NOERROR ext 1");
  other = query;
  other[2] = 0x80;
  CHECK(told_for(other) == "nothing");
  CHECK(told_for({1, 2, 3}) == "nothing");
  other = make_query({.name = "version.bind", .type = type::txt});
  other[other.size() - 1] = 3;
  CHECK(told_for(other) == "REFUSED");
  CHECK(bed.sent.empty());
}

// Else 64 of them would have a connection wait for answers that never come.
TEST_CASE("dns/forwarder: a stream is told of a query that gets no answer", "[RFC7766-7][F53]") {
  DnsBed bed;
  Settings settings = DnsBed::settings({"192.0.2.53"});
  settings.rate_per_client = 2;
  bed.forwarder.configure(settings, bed.now);
  Octets query = make_query({.name = "localhost"});
  Octets answer = query;
  answer[2] |= 0x80;
  bed.ask(answer, "192.168.1.10", true);
  REQUIRE(bed.told.size() == 1);
  CHECK(bed.take_told().message.empty());
  bed.ask(query, "192.168.1.10", true);
  CHECK_FALSE(bed.take_told().message.empty());
  bed.ask(query, "192.168.1.10", true);
  CHECK(bed.forwarder.counters().rate_limited == 1);
  REQUIRE(bed.told.size() == 1);
  CHECK(bed.take_told().message.empty());
  bed.ask(query, "192.168.1.10");
  CHECK(bed.told.empty());
}

TEST_CASE("dns/forwarder: answers are as long as the client takes", "[RFC2181-9][RFC6891-6.2.3]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  std::string many;
  for (int i = 1; i <= 60; ++i)
    many += "many.example 60 A 198.51.100." + std::to_string(i) + ";";
  bed.ask(make_query({.name = "many.example"}));
  answer_next(bed, many);
  DnsBed::Told told = bed.take_told();
  CHECK(told.message.size() <= 512);
  CHECK(describe(told.message) == "NOERROR tc");
  bed.ask(make_query({.name = "many.example", .udp_bytes = 1232}));
  CHECK(bed.take_told().message.size() > 512);
  bed.ask(make_query({.name = "many.example", .udp_bytes = 600}));
  CHECK(bed.take_told().message.size() <= 600);
  bed.ask(make_query({.name = "many.example"}), "192.168.1.10", true);
  CHECK(describe(bed.take_told().message).starts_with("NOERROR: many.example 60 A"));
}

TEST_CASE("dns/forwarder: IDs and spelling of questions are spread", "[RFC5452-9.2]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  std::set<unsigned> ids;
  std::set<Octets> spellings;
  for (int i = 0; i < 200; ++i) {
    bed.ask(make_query({.name = "n" + std::to_string(1000 + i) + ".example"}));
    DnsBed::Sent sent = bed.take_sent();
    ids.insert(sent.id);
    spellings.insert(Octets(sent.message.begin() + 18, sent.message.begin() + 26));
  }
  CHECK(ids.size() == 200);
  CHECK(spellings.size() > 50);
}

TEST_CASE("dns/forwarder: a hit allocates nothing", "[F47]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  bed.ask(make_query({.name = "www.example"}));
  answer_next(bed, "www.example 60 A 198.51.100.10");
  Octets query = make_query({.name = "www.Example", .udp_bytes = 1232});
  Octets room(2048);
  Client client{1, 0, Ipv4Address(192, 168, 1, 10), 1000};
  size_t size = 0;
  AllocGuard guard;
  for (int i = 0; i < 100; ++i)
    size = bed.forwarder.ask(query, client, bed.now, room);
  CHECK(guard.allocations() == 0);
  CHECK(size > 0);
  CHECK(bed.forwarder.counters().hits == 100);
}

TEST_CASE("dns/forwarder: at its limits it says so at once") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  for (size_t i = 0; i < kPendingMax; ++i)
    bed.ask(make_query({.name = "n" + std::to_string(i) + ".example"}),
            "192.168.1." + std::to_string(1 + i % 100));
  CHECK(bed.told.empty());
  bed.ask(make_query({.name = "one.more.example"}));
  CHECK(describe(bed.take_told().message) == "SERVFAIL");
  CHECK(bed.forwarder.counters().busy == 1);
  bed.pass(seconds(2));
  CHECK(bed.told.size() == kPendingMax);
  CHECK(bed.forwarder.pending().size() == 0);
}

TEST_CASE("dns/forwarder: one client holds a quarter of the questions under way", "[F53]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  for (size_t i = 0; i <= kQuestionsOfClientMax; ++i)
    bed.ask(make_query({.name = "n" + std::to_string(i) + ".example"}), "192.168.1.66");
  CHECK(describe(bed.take_told().message) == "SERVFAIL");
  CHECK(bed.forwarder.counters().over_share == 1);
  CHECK(bed.forwarder.pending().size() == kPendingMax / 4);
  // Another one is served, and the first may wait for what somebody else asks.
  bed.ask(make_query({.name = "www.example"}), "192.168.1.10");
  bed.ask(make_query({.name = "www.example"}), "192.168.1.66");
  CHECK(bed.told.empty());
  CHECK(bed.forwarder.counters().misses == kPendingMax / 4 + 1);
  // Its share is free again with the answers.
  bed.pass(seconds(2));
  bed.told.clear();
  bed.ask(make_query({.name = "again.example"}), "192.168.1.66");
  CHECK(bed.told.empty());
  CHECK(bed.forwarder.counters().over_share == 1);
}

TEST_CASE("dns/forwarder: one client is a quarter of those who wait", "[F53]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  for (size_t i = 0; i <= kWaitersOfClientMax; ++i)
    bed.ask(make_query({.name = "www.example"}), "192.168.1.66");
  CHECK(bed.forwarder.counters().over_share == 1);
  CHECK(bed.forwarder.pending().waiters() == kWaitersMax / 4);
  bed.ask(make_query({.name = "www.example"}), "192.168.1.10");
  CHECK(bed.forwarder.pending().waiters() == kWaitersMax / 4 + 1);
}

TEST_CASE("dns/forwarder: without servers nobody waits") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({}), bed.now);
  bed.ask(make_query({.name = "www.example", .udp_bytes = 1232}));
  CHECK(describe(bed.take_told().message) == "SERVFAIL ede 22");
  bed.forwarder.set_learned_servers({{Ipv4Address(192, 0, 2, 53), 53, ""}}, bed.now);
  bed.ask(make_query({.name = "www.example"}));
  CHECK(bed.sent.size() == 1);
}

TEST_CASE("dns/forwarder: sockets that fail cost no more than a silent server") {
  DnsBed bed;
  bed.sends_fail = true;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  bed.ask(make_query({.name = "www.example"}));
  bed.pass(milliseconds(1900));
  CHECK(describe(bed.take_told().message) == "SERVFAIL");
}

TEST_CASE("dns/forwarder: names that are blocked are told not to exist") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  Name bad = *parse_name("ads.example");
  Hooks hooks;
  hooks.blocks = [bad](const Name& name) { return is_within(name.key(), bad.key()); };
  bed.forwarder.set_hooks(std::move(hooks));
  bed.ask(make_query({.name = "x.ads.example", .udp_bytes = 1232}));
  CHECK(describe(bed.take_told().message) == "NXDOMAIN ede 15: | x.ads.example 5 SOA 5");
  CHECK(bed.sent.empty());
}

TEST_CASE("dns/forwarder: a validator sees answers with DO and has the last word") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  Verdict verdict = Verdict::secure;
  Hooks hooks;
  hooks.validate = [&](const Question&, Bytes answer, const Hooks::Judged& done) {
    done(verdict, answer);
  };
  bed.forwarder.set_hooks(std::move(hooks));
  bed.ask(make_query({.name = "good.example", .udp_bytes = 1232, .wants_dnssec = true}));
  answer_next(bed, "good.example 60 A 198.51.100.10; good.example 60 RRSIG x");
  CHECK(describe(bed.take_told().message) ==
        "NOERROR ad: good.example 60 A 198.51.100.10; good.example 60 RRSIG x");
  bed.ask(make_query({.name = "good.example"}));
  answer_next(bed, "good.example 60 A 198.51.100.10; good.example 60 RRSIG x");
  CHECK(describe(bed.take_told().message) == "NOERROR: good.example 60 A 198.51.100.10");
  verdict = Verdict::bogus;
  bed.ask(make_query({.name = "bad.example", .udp_bytes = 1232}));
  answer_next(bed, "bad.example 60 A 198.51.100.10");
  CHECK(describe(bed.take_told().message) == "SERVFAIL ede 6");
  CHECK(bed.forwarder.counters().bogus == 1);
  verdict = Verdict::failed;
  bed.ask(make_query({.name = "bad.example", .udp_bytes = 1232}));
  answer_next(bed, "bad.example 60 A 198.51.100.10");
  CHECK(describe(bed.take_told().message) == "SERVFAIL ede 22");
}

TEST_CASE("dns/forwarder: what the validator has judged is told, not what came", "[P25]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  std::vector<uint8_t> other;
  Hooks hooks;
  hooks.validate = [&](const Question&, Bytes answer, const Hooks::Judged& done) {
    other.assign(answer.begin(), answer.end());
    other.back() = 99;  // of the address
    done(Verdict::secure, other);
  };
  bed.forwarder.set_hooks(std::move(hooks));
  bed.ask(make_query({.name = "good.example"}));
  answer_next(bed, "good.example 60 A 198.51.100.10");
  CHECK(describe(bed.take_told().message) == "NOERROR: good.example 60 A 198.51.100.99");
}

TEST_CASE("dns/forwarder: queries are logged by choice") {
  DnsBed bed;
  Settings settings = DnsBed::settings({"192.0.2.53"});
  bed.forwarder.configure(settings, bed.now);
  bed.ask(make_query({.name = "localhost"}));
  CHECK(bed.logged.empty());
  settings.logs_queries = true;
  bed.forwarder.configure(settings, bed.now);
  bed.ask(make_query({.name = "localhost"}));
  bed.ask(make_query({.name = "www.example"}));
  answer_next(bed, "www.example 60 A 198.51.100.10");
  bed.ask(make_query({.name = "www.example"}));
  CHECK(bed.logged == std::vector<std::string>{"192.168.1.10 localhost A local",
                                               "192.168.1.10 www.example A asked",
                                               "192.168.1.10 www.example A hit"});
}

}  // namespace postern::test
