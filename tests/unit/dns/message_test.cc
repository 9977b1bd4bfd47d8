// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/message.h"

#include <catch2/catch.hpp>

#include "support/dns_bed.h"

namespace postern::dns {
namespace {

using test::make_query;
using test::Octets;

Octets from(std::initializer_list<unsigned> values) {
  Octets octets;
  for (unsigned value : values)
    octets.push_back(static_cast<uint8_t>(value));
  return octets;
}

Octets query_with(size_t at, uint8_t value, uint16_t udp_bytes = 0) {
  Octets query = make_query({.name = "www.example", .udp_bytes = udp_bytes});
  query[at] = value;
  return query;
}

struct BadName {
  const char* what;
  Octets message;  // the name begins at 0
};

}  // namespace

TEST_CASE("dns/message: names are read with their compression", "[RFC1035-4.1.4]") {
  // 0: example, 9: www + pointer to 0, 15: pointer to 9
  Octets message = test::wire_name("example");
  for (uint8_t octet : from({3, 'w', 'w', 'W', 0xC0, 0, 0xC0, 9}))
    message.push_back(octet);
  Name name;
  CHECK(read_name(message, 0, name) == 9u);
  CHECK(to_text(name) == "example");
  CHECK(read_name(message, 9, name) == 15u);
  CHECK(to_text(name) == "wwW.example");
  CHECK(read_name(message, 15, name) == 17u);
  name.make_lower();
  CHECK(to_text(name) == "www.example");
  CHECK(skip_name(message, 9) == 15u);
}

// A name has 127 labels at most, and who compresses has one at least in front of a pointer. Without
// a limit every name of a message of 64 KiB may cost 8,000 steps.
TEST_CASE("dns/message: a name leads through as many pointers as it may have labels",
          "[RFC1035-4.1.4]") {
  Octets message = from({0});
  auto add_pointers = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) {
      size_t to = message.size() < 2 ? 0 : message.size() - 2;
      message.push_back(static_cast<uint8_t>(0xC0 | to >> 8));
      message.push_back(static_cast<uint8_t>(to));
    }
    return message.size() - 2;
  };
  Name name;
  CHECK(read_name(message, add_pointers(128), name).has_value());
  CHECK_FALSE(read_name(message, add_pointers(1), name).has_value());
  CHECK_FALSE(read_name(message, add_pointers(8000), name).has_value());
}

TEST_CASE("dns/message: broken names are refused", "[RFC1035-4.1.4][RFC1035-2.3.4]") {
  Octets too_long;
  for (int i = 0; i < 4; ++i) {
    too_long.push_back(63);
    too_long.insert(too_long.end(), 63, 'a');
  }
  too_long.push_back(0);
  const BadName kBad[] = {
      {"nothing", {}},
      {"no end", from({3, 'w', 'w', 'w'})},
      {"label beyond the end", from({5, 'w', 'w', 0})},
      {"pointer to itself", from({0xC0, 0})},
      {"pointer forward", from({0xC0, 2, 0})},
      {"half a pointer", from({0xC0})},
      {"label type 01", from({0x41, 0, 0})},
      {"label type 10", from({0x80, 0, 0})},
      {"257 octets", too_long},
  };
  for (const BadName& bad : kBad) {
    INFO(bad.what);
    Name name;
    CHECK(!read_name(bad.message, 0, name));
  }
  // Two pointers that lead to each other.
  Name name;
  CHECK(!read_name(from({0xC0, 2, 0xC0, 0}), 2, name));
  CHECK(!read_name(from({1, 'a', 0xC0, 0}), 0, name));
}

TEST_CASE("dns/message: a name of 255 octets is the longest", "[RFC1035-2.3.4]") {
  Octets longest;
  for (int i = 0; i < 3; ++i) {
    longest.push_back(63);
    longest.insert(longest.end(), 63, 'a');
  }
  longest.push_back(61);
  longest.insert(longest.end(), 61, 'b');
  longest.push_back(0);
  Name name;
  CHECK(read_name(longest, 0, name) == 255u);
  CHECK(name.size() == kNameBytesMax);
  CHECK(!name.append(Bytes(longest).first(1)));
}

TEST_CASE("dns/message: names as people write them") {
  CHECK(to_text(*parse_name("WWW.Example.")) == "www.example");
  CHECK(parse_name(".")->is_root());
  CHECK(to_text(Name()) == ".");
  for (const char* bad : {"", "a..b", "..", "a b", "a.b..", "\xC3\xA4.example", "a/b"}) {
    INFO(bad);
    CHECK(!parse_name(bad));
  }
  CHECK(!parse_name(std::string(64, 'a')));
}

TEST_CASE("dns/message: reverse names", "[RFC1035-3.5]") {
  CHECK(to_text(reverse_zone({Ipv4Address(192, 0, 2, 1), 32})) == "1.2.0.192.in-addr.arpa");
  CHECK(to_text(reverse_zone({Ipv4Address(10, 20, 0, 0), 16})) == "20.10.in-addr.arpa");
  CHECK(address_of_reverse(*parse_name("1.2.0.192.in-addr.arpa")) == Ipv4Address(192, 0, 2, 1));
  for (const char* other : {"2.0.192.in-addr.arpa", "0.1.2.0.192.in-addr.arpa", "in-addr.arpa",
                            "256.2.0.192.in-addr.arpa", "01.2.0.192.in-addr.arpa",
                            "a.2.0.192.in-addr.arpa", "1.2.0.192.ip6.arpa", "www.example"}) {
    INFO(other);
    CHECK(!address_of_reverse(*parse_name(other)));
  }
}

TEST_CASE("dns/message: zones hold what is below them") {
  auto is_in = [](const char* name, const char* zone) {
    return is_within(parse_name(name)->key(), parse_name(zone)->key());
  };
  CHECK(is_in("www.corp.example", "corp.example"));
  CHECK(is_in("corp.example", "corp.example"));
  CHECK(is_in("x", "."));
  CHECK_FALSE(is_in("notcorp.example", "corp.example"));
  CHECK_FALSE(is_in("example", "corp.example"));
}

TEST_CASE("dns/message: a query is read with its EDNS", "[RFC6891-6.1.3][RFC3225-3]") {
  Query query;
  Octets plain = make_query({.name = "WWW.example", .id = 77});
  REQUIRE(parse_query(plain, query) == QueryFault::none);
  CHECK(query.id == 77);
  CHECK(to_text(query.name) == "www.example");
  CHECK(query.type == type::a);
  CHECK(query.recursion_desired());
  CHECK_FALSE(query.has_edns);
  CHECK(query.udp_bytes == 512);
  CHECK(query.question_end() == plain.size());

  Octets edns = make_query({.name = "a", .udp_bytes = 1232, .wants_dnssec = true});
  REQUIRE(parse_query(edns, query) == QueryFault::none);
  CHECK(query.has_edns);
  CHECK(query.wants_dnssec);
  CHECK(query.udp_bytes == 1232);
  // Less than 512 means 512 (RFC 6891 section 6.2.3).
  REQUIRE(parse_query(make_query({.name = "a", .udp_bytes = 100}), query) == QueryFault::none);
  CHECK(query.udp_bytes == 512);
}

TEST_CASE("dns/message: bad queries are told apart",
          "[RFC9619-4][RFC6891-6.1.1][RFC6891-6.1.3][RFC1035-4.1.1]") {
  struct Row {
    const char* what;
    Octets message;
    QueryFault fault;
  };
  Octets two_questions = query_with(5, 2);
  Octets more = test::wire_name("x");
  more.insert(more.end(), {0, 1, 0, 1});
  two_questions.insert(two_questions.end(), more.begin(), more.end());
  Octets two_opts = make_query({.name = "a", .udp_bytes = 1232});
  two_opts.insert(two_opts.end(), two_opts.end() - 11, two_opts.end());
  two_opts[11] = 2;
  Octets version = make_query({.name = "a", .udp_bytes = 1232});
  version[version.size() - 5] = 1;
  Octets opt_owner = make_query({.name = "a", .udp_bytes = 1232});
  opt_owner.insert(opt_owner.end() - 11, {1, 'x'});
  Octets opt_in_answer = make_query({.name = "a", .udp_bytes = 1232});
  opt_in_answer[7] = 1;
  opt_in_answer[11] = 0;
  const Octets good = make_query({.name = "www.example"});
  const Row kRows[] = {
      {"empty", {}, QueryFault::not_a_query},
      {"eleven octets", Octets(good.begin(), good.begin() + 11), QueryFault::not_a_query},
      {"an answer", query_with(2, 0x80), QueryFault::not_a_query},
      {"opcode 1", query_with(2, 1 << 3), QueryFault::not_implemented},
      {"opcode 5", query_with(2, 5 << 3), QueryFault::not_implemented},
      {"no question", query_with(5, 0), QueryFault::format_error},
      {"two questions", two_questions, QueryFault::format_error},
      {"header alone", Octets(good.begin(), good.begin() + 12), QueryFault::format_error},
      {"no type", Octets(good.begin(), good.end() - 4), QueryFault::format_error},
      {"half a class", Octets(good.begin(), good.end() - 1), QueryFault::format_error},
      {"compressed question", query_with(12, 0xC0), QueryFault::format_error},
      {"a record that is not there", query_with(11, 1), QueryFault::format_error},
      {"many records that are not there", query_with(6, 0xFF), QueryFault::format_error},
      {"two OPT records", two_opts, QueryFault::format_error},
      {"an OPT record with a name", opt_owner, QueryFault::format_error},
      {"an OPT record as answer", opt_in_answer, QueryFault::format_error},
      {"EDNS version 1", version, QueryFault::bad_version},
      {"a good one", good, QueryFault::none},
  };
  for (const Row& row : kRows) {
    INFO(row.what);
    Query query;
    CHECK(parse_query(row.message, query) == row.fault);
  }
}

TEST_CASE("dns/message: a writer stops at the end of its room") {
  std::array<uint8_t, 5> room = {};
  Writer writer(room);
  writer.u16(1);
  writer.u32(2);
  CHECK(writer.is_full());
  CHECK(writer.size() == 2);
  writer.u8(3);
  CHECK(writer.size() == 2);
}

}  // namespace postern::dns
