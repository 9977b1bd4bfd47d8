// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/port_pool.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace postern {
namespace {

constexpr Ipv4Address kOutside(203, 0, 113, 1), kSecond(203, 0, 113, 2);
const std::vector<uint16_t> kNoReserved;

ExternalPortPool::Settings settings_of(WorkerId worker, unsigned workers, uint64_t seed = 42) {
  ExternalPortPool::Settings settings;
  settings.worker = worker;
  settings.shards = Shards(workers);
  settings.random_seed = seed;
  settings.addresses_max = 4;
  return settings;
}

}  // namespace

TEST_CASE("nat/port_pool: a free port keeps its number", "[RFC4787-REQ3]") {
  ExternalPortPool pool(settings_of(0, 1));
  auto port = GENERATE(as<uint16_t>{}, 1, 80, 1023, 1024, 5000, 65535);
  CHECK(pool.allocate(protocol::udp, kOutside, port, kNoReserved) == port);
  CHECK(pool.allocate(protocol::tcp, kOutside, port, kNoReserved) == port);
  CHECK(pool.allocate(protocol::udp, kSecond, port, kNoReserved) == port);
  CHECK(pool.in_use(protocol::udp, kOutside) == 1);
}

TEST_CASE("nat/port_pool: another port keeps range and parity", "[RFC4787-REQ3a][RFC4787-REQ4]") {
  ExternalPortPool pool(settings_of(0, 1));
  auto preferred = GENERATE(as<uint16_t>{}, 80, 443, 5000, 5001);
  REQUIRE(pool.claim(protocol::udp, kOutside, preferred));
  for (int i = 0; i < 100; ++i) {
    auto port = pool.allocate(protocol::udp, kOutside, preferred, kNoReserved);
    REQUIRE(port);
    CHECK(*port % 2 == preferred % 2);
    CHECK((*port < 1024) == (preferred < 1024));
    CHECK(*port != preferred);
    CHECK(*port != 0);
  }
}

TEST_CASE("nat/port_pool: when its parity runs out any port of the range is given",
          "[RFC4787-REQ4]") {
  auto settings = settings_of(0, 1);
  settings.first_port = 40000;
  settings.last_port = 40009;
  ExternalPortPool pool(settings);
  std::set<uint16_t> ports;
  for (int i = 0; i < 5; ++i)
    ports.insert(*pool.allocate(protocol::udp, kOutside, 5000, {}));
  for (uint16_t port : ports)
    CHECK(port % 2 == 0);
  for (int i = 0; i < 5; ++i)
    ports.insert(*pool.allocate(protocol::udp, kOutside, 5000, {}));
  CHECK(ports.size() == 10);
  CHECK(*ports.begin() == 40000);
  CHECK(*ports.rbegin() == 40009);
  CHECK_FALSE(pool.allocate(protocol::udp, kOutside, 5000, {}));
  pool.release(protocol::udp, kOutside, 40003);
  CHECK(pool.allocate(protocol::udp, kOutside, 5000, {}) == 40003);
}

TEST_CASE("nat/port_pool: a privileged port falls back to the high range, never the other way",
          "[RFC4787-REQ3a]") {
  ExternalPortPool pool(settings_of(0, 1));
  std::set<uint16_t> low;
  for (int i = 0; i < 1023; ++i)
    low.insert(*pool.allocate(protocol::tcp, kOutside, 22, {}));
  CHECK(*low.rbegin() == 1023);
  CHECK(low.size() == 1023);
  CHECK(pool.allocate(protocol::tcp, kOutside, 22, {}) >= 1024);
  for (uint16_t port = 1; port < 1024; ++port)
    pool.release(protocol::tcp, kOutside, port);
  for (int i = 0; i < 64511; ++i)
    REQUIRE(pool.allocate(protocol::tcp, kOutside, 2000, {}).value_or(0) >= 1024);
  CHECK_FALSE(pool.allocate(protocol::tcp, kOutside, 2000, {}));
}

TEST_CASE("nat/port_pool: ports outside the configured range are not given out") {
  auto settings = settings_of(0, 1);
  settings.first_port = 32768;
  settings.last_port = 40000;
  ExternalPortPool pool(settings);
  CHECK(pool.allocate(protocol::udp, kOutside, 5000, {}).value() >= 32768);
  CHECK(pool.allocate(protocol::udp, kOutside, 50000, {}).value() <= 40000);
  CHECK(pool.allocate(protocol::udp, kOutside, 500, {}) == 500);
  pool.set_range(50000, 50001);
  CHECK(pool.allocate(protocol::udp, kOutside, 5001, {}) == 50001);
}

TEST_CASE("nat/port_pool: reserved ports are passed over") {
  auto settings = settings_of(0, 1);
  settings.first_port = 40000;
  settings.last_port = 40127;
  ExternalPortPool pool(settings);
  std::vector<uint16_t> reserved;
  for (uint16_t port = 40000; port < 40126; ++port)
    reserved.push_back(port);
  CHECK(pool.allocate(protocol::udp, kOutside, 40001, reserved) == 40127);
  CHECK(pool.allocate(protocol::udp, kOutside, 40001, reserved) == 40126);
  CHECK_FALSE(pool.allocate(protocol::udp, kOutside, 40001, reserved));
  CHECK(pool.claim(protocol::udp, kOutside, 40001));
}

TEST_CASE("nat/port_pool: claimed ports are taken and released ports are free") {
  ExternalPortPool pool(settings_of(2, 4));
  CHECK(pool.claim(protocol::tcp, kOutside, 64));
  CHECK_FALSE(pool.claim(protocol::tcp, kOutside, 64));
  CHECK_FALSE(pool.claim(protocol::tcp, kOutside, 63));  // worker 0's
  CHECK(pool.in_use(protocol::tcp, kOutside) == 1);
  pool.release(protocol::tcp, kOutside, 64);
  CHECK(pool.in_use(protocol::tcp, kOutside) == 0);
  CHECK(pool.claim(protocol::tcp, kOutside, 64));
}

TEST_CASE("nat/port_pool: protocols without port or query id have none") {
  ExternalPortPool pool(settings_of(0, 1));
  CHECK_FALSE(pool.allocate(protocol::gre, kOutside, 5000, {}));
  CHECK_FALSE(pool.claim(protocol::esp, kOutside, 5000));
}

TEST_CASE("nat/port_pool: an address without ports in use gives its room to another", "[P05]") {
  auto settings = settings_of(0, 1);
  settings.addresses_max = 1;
  ExternalPortPool pool(settings);
  constexpr uint8_t kAll[] = {protocol::tcp, protocol::udp, protocol::icmp};
  for (uint8_t proto : kAll)
    REQUIRE(pool.allocate(proto, kOutside, 7, {}) == 7);
  CHECK_FALSE(pool.allocate(protocol::tcp, kSecond, 7, {}));
  pool.release(protocol::udp, kOutside, 7);
  CHECK(pool.allocate(protocol::tcp, kSecond, 7, {}) == 7);
  CHECK(pool.in_use(protocol::tcp, kOutside) == 1);
  CHECK(pool.in_use(protocol::udp, kOutside) == 0);
  CHECK_FALSE(pool.allocate(protocol::udp, kOutside, 7, {}));
}

TEST_CASE("nat/port_pool: the choice is random and depends on the seed", "[RFC6056][RFC7857-9]") {
  ExternalPortPool one(settings_of(0, 1, 1)), two(settings_of(0, 1, 2));
  one.claim(protocol::udp, kOutside, 5000);
  two.claim(protocol::udp, kOutside, 5000);
  std::map<uint16_t, unsigned> per_block;  // 4096 ports each
  unsigned same = 0, neighbours = 0;
  uint16_t last = 0;
  constexpr unsigned kDraws = 4000;
  for (unsigned i = 0; i < kDraws; ++i) {
    uint16_t a = *one.allocate(protocol::udp, kOutside, 5000, {});
    same += a == *two.allocate(protocol::udp, kOutside, 5000, {});
    neighbours += a - last == 2;
    last = a;
    ++per_block[a >> 12];
    one.release(protocol::udp, kOutside, a);
  }
  CHECK(same < 10);
  CHECK(neighbours < 10);
  CHECK(per_block.size() == 16);
  for (auto [block, draws] : per_block)
    CHECK(draws > kDraws / 16 / 2);
}

TEST_CASE("nat/port_pool: a host gets the same pool address always, hosts spread over all",
          "[RFC4787-REQ2]") {
  std::map<uint32_t, unsigned> hosts_per_address;
  for (uint8_t host = 1; host < 250; ++host) {
    Ipv4Address inside(192, 168, 1, host);
    uint32_t index = ExternalPortPool::paired_index(inside, 4);
    CHECK(index == ExternalPortPool::paired_index(inside, 4));
    ++hosts_per_address[index];
  }
  CHECK(hosts_per_address.size() == 4);
  for (auto [index, hosts] : hosts_per_address)
    CHECK(hosts > 30);
  CHECK(ExternalPortPool::paired_index(kOutside, 1) == 0);
}

TEST_CASE("nat/port_pool: workers never give one port twice and stay in their slices",
          "[RFC4787-REQ3]") {
  unsigned workers = GENERATE(1u, 2u, 3u, 7u, 64u);
  std::vector<std::unique_ptr<ExternalPortPool>> pools;
  for (unsigned w = 0; w < workers; ++w)
    pools.push_back(
        std::make_unique<ExternalPortPool>(settings_of(static_cast<WorkerId>(w), workers, w)));
  std::mt19937 random(workers);
  using External = std::tuple<uint8_t, uint32_t, uint16_t>;
  std::set<External> given;
  std::vector<std::pair<unsigned, External>> held;
  unsigned wrong = 0, refused = 0;
  for (int step = 0; step < 150'000; ++step) {
    if (!held.empty() && random() % 4 == 0) {
      size_t at = random() % held.size();
      auto [worker, external] = held[at];
      auto [proto, address, port] = external;
      pools[worker]->release(proto, Ipv4Address(address), port);
      given.erase(external);
      held[at] = held.back();
      held.pop_back();
      continue;
    }
    unsigned worker = random() % workers;
    uint8_t proto = random() % 2 ? protocol::tcp : protocol::icmp;
    Ipv4Address address = random() % 2 ? kOutside : kSecond;
    auto preferred = static_cast<uint16_t>(random() % 8 == 0 ? random() % 1024 : random());
    auto port = pools[worker]->allocate(proto, address, preferred, kNoReserved);
    if (!port) {
      ++refused;
      continue;
    }
    wrong += Shards(workers).slice_of(*port) != worker || *port == 0;
    wrong += preferred >= 1024 && *port < 1024;
    External external{proto, address.number, *port};
    wrong += !given.insert(external).second;
    held.emplace_back(worker, external);
  }
  CHECK(wrong == 0);
  CHECK(refused == 0);
  uint32_t in_use = 0;
  for (const auto& pool : pools)
    for (uint8_t proto : {protocol::tcp, protocol::icmp})
      for (Ipv4Address address : {kOutside, kSecond})
        in_use += pool->in_use(proto, address);
  CHECK(in_use == held.size());
}

TEST_CASE("nat/port_pool: every port of every slice can be given out, and then none",
          "[RFC4787-REQ3]") {
  unsigned workers = GENERATE(1u, 3u);
  size_t given = 0;
  for (unsigned w = 0; w < workers; ++w) {
    ExternalPortPool pool(settings_of(static_cast<WorkerId>(w), workers));
    while (pool.allocate(protocol::udp, kOutside, 50000, kNoReserved))
      ++given;
    CHECK_FALSE(pool.allocate(protocol::udp, kOutside, 50001, kNoReserved));
  }
  CHECK(given == 65536 - 1024);
}

}  // namespace postern
