// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/padding.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::dns {
namespace {

using Message = std::vector<uint8_t>;

// A query for NAME.example with an OPT record, whose data is `data`.
Message query(size_t name_length, const Message& data = {}) {
  Message message = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  message.push_back(static_cast<uint8_t>(name_length));
  message.insert(message.end(), name_length, 'a');
  const Message rest = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0,
                        1, 0,   0,   41,  4,   208, 0,   0,   0, 0, 0, data.size() > 0};
  message.insert(message.end(), rest.begin(), rest.end() - 1);
  message.push_back(static_cast<uint8_t>(data.size()));
  message.insert(message.end(), data.begin(), data.end());
  return message;
}

TEST_CASE("dns/padding: queries become a multiple of 128 octets", "[RFC8467-4.1][RFC7830]") {
  for (size_t length = 1; length <= 63; ++length) {
    for (size_t data : {0, 5, 70}) {
      Message option(data);
      if (data > 0) option = {0, 10, 0, static_cast<uint8_t>(data - 4)};  // a cookie
      option.resize(data);
      const Message before = query(length, option);
      Message padded = before;
      REQUIRE(pad_query(padded));
      CHECK(padded.size() % 128 == 0);
      CHECK(padded.size() >= before.size() + 4);
      CHECK(padded.size() < before.size() + 4 + 128);
      // The option lies behind what was there, and the record's length says so.
      const size_t opt = before.size() - data - 2;
      CHECK(static_cast<size_t>(padded[opt] << 8 | padded[opt + 1]) == padded.size() - opt - 2);
      CHECK(padded[before.size() + 1] == 12);
      padded.resize(before.size());
      padded[opt] = before[opt];
      padded[opt + 1] = before[opt + 1];
      CHECK(padded == before);
    }
  }
}

TEST_CASE("dns/padding: a query without EDNS, or padded already, stays as it is", "[RFC7830]") {
  Message plain = query(3);
  plain.resize(plain.size() - 11);
  plain[11] = 0;
  Message padded = query(3, {0, 12, 0, 1, 0});
  for (Message message : {plain, padded}) {
    const Message before = message;
    CHECK_FALSE(pad_query(message));
    CHECK(message == before);
  }
}

TEST_CASE("dns/padding: broken messages stay as they are", "[RFC7830]") {
  const Message good = query(3);
  for (size_t length = 0; length < good.size(); ++length) {
    Message cut(good.begin(), good.begin() + static_cast<long>(length));
    CHECK_FALSE(pad_query(cut));
    CHECK(cut.size() == length);
  }
  Message longer = good;
  longer.push_back(0);
  Message many = good;
  many[4] = many[5] = 0xFF;
  Message label = good;
  label[12] = 0x80;
  Message huge = good;
  huge[huge.size() - 2] = 0xFF;
  for (Message message : {longer, many, label, huge})
    CHECK_FALSE(pad_query(message));
}

}  // namespace
}  // namespace postern::dns
