// SPDX-License-Identifier: BSD-3-Clause
// Queries that are signed with TSIG (RFC 8945), for which there is no key here.
#include <catch2/catch.hpp>

#include "services/dns/forwarder.h"
#include "support/dns_bed.h"

namespace postern::test {
namespace {

using namespace dns;

constexpr size_t kCountAt = 11;  // of additional records, the low octet
constexpr size_t kRecordBytes = 5 + 10;

// A key "key", the algorithm "alg", a MAC of four octets.
const Octets kTsig = {3,  'k', 'e', 'y', 0,   0, 250,  0,    255,  0,    0,    0, 0, 0,
                      25, 3,   'a', 'l', 'g', 0, 0,    0,    0x65, 0x43, 0x21, 0, 1, 44,
                      0,  4,   9,   9,   9,   9, 0x12, 0x34, 0,    0,    0,    0};

Octets with(Octets query, const Octets& record) {
  query.insert(query.end(), record.begin(), record.end());
  ++query[kCountAt];
  return query;
}

}  // namespace

TEST_CASE("dns/forwarder: who signs is told that the key is unknown, and nobody is asked",
          "[RFC8945-5.2]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  for (uint16_t udp_bytes : {uint16_t{0}, uint16_t{1232}}) {
    Octets query = with(make_query({.name = "www.example", .udp_bytes = udp_bytes}), kTsig);
    bed.ask(query);
    Octets told = bed.take_told().message;
    REQUIRE(told.size() > kHeaderBytes);
    CHECK((told[3] & 15) == rcode::not_authorized);
    CHECK(Octets(told.begin(), told.begin() + 2) == Octets(query.begin(), query.begin() + 2));
    RecordWalk walk(told, kHeaderBytes + 13 + 4);
    Record record;
    Record last;
    while (walk.next(record))
      last = record;
    CHECK_FALSE(walk.is_broken());
    CHECK(walk.position() == told.size());
    REQUIRE(last.type == type::tsig);
    CHECK(Octets(told.begin() + static_cast<ptrdiff_t>(last.owner),
                 told.begin() + static_cast<ptrdiff_t>(last.fixed)) ==
          Octets(kTsig.begin(), kTsig.begin() + 5));
    // The algorithm and times as they came, no MAC, BADKEY.
    Octets expected(kTsig.begin() + kRecordBytes, kTsig.begin() + kRecordBytes + 13);
    expected.insert(expected.end(), {0, 0, query[0], query[1], 0, 17, 0, 0});
    CHECK(Octets(told.begin() + static_cast<ptrdiff_t>(last.data), told.end()) == expected);
  }
  CHECK(bed.sent.empty());
  CHECK(bed.forwarder.counters().refused == 2);
}

TEST_CASE("dns/forwarder: a broken signature is a broken query", "[RFC8945-5.1]") {
  DnsBed bed;
  bed.forwarder.configure(DnsBed::settings({"192.0.2.53"}), bed.now);
  const Octets query = make_query({.name = "www.example"});
  auto told_for = [&](const Octets& asked) {
    bed.ask(asked);
    return describe(bed.take_told().message);
  };
  CHECK(told_for(with(with(query, kTsig), kTsig)) == "FORMERR");  // two
  const Octets other = {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
  CHECK(told_for(with(with(query, kTsig), other)) == "FORMERR");  // not the last
  Octets answer = with(query, kTsig);
  std::swap(answer[7], answer[kCountAt]);
  CHECK(told_for(answer) == "FORMERR");  // in another section
  for (size_t at : {size_t{8}, size_t{12}, size_t{15}, size_t{29}, kTsig.size() - 1}) {
    Octets broken = kTsig;
    broken[at] ^= 0x40;  // class, TTL, algorithm, length of the MAC, length of other data
    CHECK(told_for(with(query, broken)) == "FORMERR");
  }
  for (size_t size = kRecordBytes; size < kTsig.size(); ++size) {
    Octets cut(kTsig.begin(), kTsig.begin() + static_cast<ptrdiff_t>(size));
    cut[14] = static_cast<uint8_t>(size - kRecordBytes);
    CHECK(told_for(with(query, cut)) == "FORMERR");
  }
  CHECK(bed.sent.empty());
}

}  // namespace postern::test
