// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/keyed_hash.h"

#include <catch2/catch.hpp>
#include <string>
#include <type_traits>

#include "services/dhcp/lease_table.h"
#include "services/dns/local_names.h"

namespace postern::io {

TEST_CASE("io/keyed_hash: it is SipHash-2-4", "[F46]") {
  HashKey key;
  std::string octets;
  for (uint8_t i = 0; i < 16; ++i) {
    key.octets[i] = i;
    if (i < 15) octets += static_cast<char>(i);
  }
  // The example of the paper "SipHash: a fast short-input PRF", appendix A.
  CHECK(keyed_hash(octets, key) == 0xa129ca6149be45e5);
}

TEST_CASE("io/keyed_hash: the key of the process is not known beforehand", "[F46]") {
  const std::string client = "a client's identifier";
  CHECK(KeyedHash()(client) == KeyedHash()(client));
  CHECK(KeyedHash()(client) != KeyedHash()("another one"));
  CHECK(KeyedHash()(client) != keyed_hash(client, HashKey{}));
}

TEST_CASE("io/keyed_hash: tables of what strangers choose use it", "[F46][F47]") {
  CHECK(std::is_same_v<dhcp::LeaseTable::Clients::hasher, KeyedHash>);
  CHECK(std::is_same_v<dns::KeyMap<int>::hasher, KeyedHash>);
}

}  // namespace postern::io
