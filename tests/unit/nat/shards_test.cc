// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/shards.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <vector>

namespace postern {
namespace {

// Toeplitz as the specification of receive side scaling has it: bit by bit, any input, a key of
// bytes.
uint32_t toeplitz_of(const std::vector<uint8_t>& key, const std::vector<uint8_t>& input) {
  const auto key_bit = [&](size_t at) { return key.at(at / 8) >> (7 - at % 8) & 1u; };
  uint32_t hash = 0;
  for (size_t bit = 0; bit < input.size() * 8; ++bit) {
    if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0) continue;
    for (unsigned i = 0; i < 32; ++i)
      hash ^= key_bit(bit + i) << (31 - i);
  }
  return hash;
}

std::vector<uint8_t> key_of(uint16_t period) {
  std::vector<uint8_t> key(52);
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<uint8_t>(i % 2 == 0 ? period >> 8 : period);
  return key;
}

std::vector<uint8_t> bytes_of(Ipv4Address address) {
  return {static_cast<uint8_t>(address.number >> 24), static_cast<uint8_t>(address.number >> 16),
          static_cast<uint8_t>(address.number >> 8), static_cast<uint8_t>(address.number)};
}

// A source address alone, or a destination port alone, in a tuple of IPv4 with ports.
std::vector<uint8_t> tuple_with(size_t at, const std::vector<uint8_t>& field) {
  std::vector<uint8_t> tuple(12);
  std::copy(field.begin(), field.end(), tuple.begin() + static_cast<std::ptrdiff_t>(at));
  return tuple;
}

// The most and the least that a worker has, in percent of a fair share.
std::pair<double, double> shares(const std::vector<unsigned>& counts) {
  double sum = 0;
  for (unsigned count : counts)
    sum += count;
  const double fair = sum / static_cast<double>(counts.size());
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  return {100 * *least / fair, 100 * *most / fair};
}

constexpr unsigned kPortsFrom = 1024;

}  // namespace

TEST_CASE("nat/shards: hosts and ports have the shard that a NIC's hash gives them") {
  const auto host_key = key_of(kHostHashKey), port_key = key_of(kPortHashKey);
  std::mt19937 random(7);
  unsigned wrong = 0;
  for (int i = 0; i < 5000; ++i) {
    const Ipv4Address host(static_cast<uint32_t>(random()));
    const auto port = static_cast<uint16_t>(random());
    const std::vector<uint8_t> wire = {static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port)};
    const uint32_t host_hash = toeplitz_of(host_key, tuple_with(0, bytes_of(host)));
    const uint32_t port_hash = toeplitz_of(port_key, tuple_with(10, wire));
    for (unsigned table : {64u, 128u}) {
      wrong += host_hash % table != Shards::shard_of(host) % table;
      wrong += port_hash % table != Shards::shard_of_port(port) % table;
    }
    // Wherever a NIC has the field, on a border of 16 bits.
    wrong += toeplitz_of(host_key, bytes_of(host)) != host_hash;
    wrong += toeplitz_of(host_key, tuple_with(6, bytes_of(host))) != host_hash;
    wrong += toeplitz_of(port_key, wire) != port_hash;
    wrong += toeplitz_of(port_key, tuple_with(4, wire)) != port_hash;
  }
  CHECK(wrong == 0);
}

TEST_CASE("nat/shards: a NIC's table of any size leads to the owner") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 4u, 5u, 8u, 16u, 48u, 64u);
  const unsigned size = GENERATE(64u, 128u, 256u, 512u, 2048u);
  const Shards shards(workers, std::min(size, Shards::kCountMax));
  std::vector<WorkerId> table(size);
  for (unsigned i = 0; i < size; ++i)
    table[i] = shards.worker_of(i);
  unsigned wrong = 0;
  for (uint32_t port = 0; port < 65536; ++port) {
    const auto number = static_cast<uint16_t>(port);
    wrong += table[toeplitz(kPortHashKey, number) % size] != shards.slice_of(number);
    const Ipv4Address host(0x0A000000 + port);
    const auto word = static_cast<uint16_t>(host.number ^ host.number >> 16);
    wrong += table[toeplitz(kHostHashKey, word) % size] != shards.owner_of(host);
  }
  CHECK(wrong == 0);
  CHECK(std::ranges::all_of(table, [&](WorkerId worker) { return worker < workers; }));
}

TEST_CASE("nat/shards: 64 neighbouring external ports belong together") {
  const Shards shards(GENERATE(2u, 3u, 8u, 64u));
  unsigned apart = 0;
  for (uint32_t port = 0; port < 65536; ++port) {
    const auto first = static_cast<uint16_t>(port & ~63u);
    apart += shards.slice_of(static_cast<uint16_t>(port)) != shards.slice_of(first);
  }
  CHECK(apart == 0);
}

TEST_CASE("nat/shards: external ports are dealt out evenly, in small ranges too", "[P05]") {
  const unsigned workers = GENERATE(2u, 3u, 4u, 5u, 6u, 7u, 8u, 16u);
  const unsigned count = GENERATE(64u, 128u);
  if (workers * 8 > count) return;  // too few shards for that
  const Shards shards(workers, count);
  std::vector<unsigned> ports(workers);
  for (uint32_t port = kPortsFrom; port < 65536; ++port)
    ++ports[shards.slice_of(static_cast<uint16_t>(port))];
  CAPTURE(workers, count);
  CHECK(shares(ports).first >= 90);
  CHECK(shares(ports).second <= 110);
  std::set<WorkerId> owners;
  const uint32_t range = 64 * Shards::kCountMax / count * std::bit_ceil(workers);
  for (uint32_t port = 40000 / range * range; port < 40000 / range * range + range; ++port)
    owners.insert(shards.slice_of(static_cast<uint16_t>(port)));
  CHECK(owners.size() == workers);
}

TEST_CASE("nat/shards: hosts inside are spread evenly, however they are numbered", "[P05]") {
  const unsigned workers = GENERATE(2u, 4u, 8u);
  const unsigned count = GENERATE(64u, 128u);
  const Shards shards(workers, count);
  struct Network {
    Ipv4Address first;
    uint32_t hosts, step;
  };
  const Network network = GENERATE(
      Network{Ipv4Address(192, 168, 1, 0), 256, 1}, Network{Ipv4Address(192, 168, 1, 64), 16, 1},
      Network{Ipv4Address(10, 0, 0, 0), 65536, 1}, Network{Ipv4Address(10, 1, 0, 1), 256, 256},
      Network{Ipv4Address(172, 16, 8, 10), 1024, 4}, Network{Ipv4Address(10, 0, 0, 0), 1024, 2},
      Network{Ipv4Address(100, 64, 0, 5), 4096, 16});
  std::vector<unsigned> hosts(workers);
  for (uint32_t i = 0; i < network.hosts; ++i)
    ++hosts[shards.owner_of(Ipv4Address(network.first.number + i * network.step))];
  CAPTURE(workers, count, network.first.number, network.step);
  CHECK(shares(hosts).first >= 90);
  CHECK(shares(hosts).second <= 110);
}

TEST_CASE("nat/shards: two hosts together have the sum of their shards") {
  const Shards shards(4);
  const Ipv4Address a(192, 168, 1, 7), b(10, 9, 0, 5);
  CHECK((Shards::shard_of(a) ^ Shards::shard_of(b)) ==
        Shards::shard_of(Ipv4Address(a.number ^ b.number)));
  CHECK(shards.count() == 128);
  CHECK(Shards(4) == shards);
  CHECK_FALSE(Shards(4, 64) == shards);
}

}  // namespace postern
