// SPDX-License-Identifier: BSD-3-Clause
// The tables of NAT allocate in their constructors and never again.
#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "dataplane/nat/fragment.h"
#include "dataplane/nat/mapping.h"
#include "dataplane/nat/port_pool.h"
#include "dataplane/nat/session.h"
#include "dataplane/packet/parse.h"
#include "support/alloc_guard.h"
#include "support/packet_builder.h"

namespace postern {
namespace {

using test::AllocGuard;
using test::Frame;
using test::udp;

constexpr HashSeed kSeed{{1, 2}};

}  // namespace

TEST_CASE("nat: sessions, mappings and ports come and go without an allocation") {
  constexpr uint32_t kCapacity = 256;
  SessionTable sessions({kCapacity, 64, 100, 200}, kSeed);
  MappingTable mappings(kCapacity, kSeed);
  ExternalPortPool::Settings settings;
  settings.addresses_max = 4;
  ExternalPortPool ports(settings);
  const std::vector<uint16_t> reserved = {8080};
  std::array<uint32_t, kCapacity> mapping_of{};
  std::mt19937 random(3);
  unsigned made = 0, ended = 0;
  AllocGuard guard;
  for (uint32_t step = 0; step < 50'000; ++step) {
    Instant now = Instant{} + milliseconds(20 * step);
    Endpoint inside{Ipv4Address(192, 168, 1, random() % 80), static_cast<uint16_t>(random())};
    Endpoint remote{Ipv4Address(198, 51, 100, random() % 8), 443};
    Ipv4Address outside(203, 0, 113, random() % 6);
    auto port = ports.allocate(protocol::tcp, outside, inside.port, reserved);
    Mapping mapping;
    mapping.protocol = protocol::tcp;
    mapping.internal = inside;
    if (port) mapping.external = {outside, *port};
    uint32_t index = port ? mappings.create(mapping) : kNone;
    Session session;
    session.key[0] = {inside.address.wire(), remote.address.wire(), be16(inside.port),
                      be16(remote.port), protocol::tcp};
    session.key[1] = {remote.address.wire(), outside.wire(), be16(remote.port),
                      be16(port.value_or(0)), protocol::tcp};
    session.tcp = TcpState::syn_sent;
    session.timeout = TimeoutClass::tcp_transitory;
    SessionTable::Inserted inserted;
    if (index != kNone) inserted = sessions.insert(WholeSession{session, {}}, now);
    if (inserted.index != kNone) {
      mapping_of[inserted.index] = index;
      ++made;
    } else {
      if (index != kNone) mappings.erase(index);
      if (port) ports.release(protocol::tcp, outside, *port);
    }
    uint32_t gone = sessions.next_expired(now, Timeouts{});
    if (gone == kNone && sessions.size() > kCapacity / 2) gone = sessions.victim();
    if (gone == kNone) continue;
    Endpoint external = mappings.at(mapping_of[gone]).external;
    sessions.erase(gone);
    mappings.erase(mapping_of[gone]);
    ports.release(protocol::tcp, external.address, external.port);
    ++ended;
  }
  CHECK(guard.allocations() == 0);
  CHECK(made > 10'000);
  CHECK(ended > 10'000);
}

TEST_CASE("nat: fragments are followed without an allocation") {
  FragmentTable table(kSeed);
  auto build = [](uint16_t offset) {
    return udp("192.168.1.10:5000", "198.51.100.7:53").fragment(offset, true).payload(64).build();
  };
  Frame first_frame = build(0), later_frame = build(72);
  Packet first = first_frame.packet(), later = later_frame.packet();
  REQUIRE(parse_ipv4(first) == DropReason::none);
  REQUIRE(parse_ipv4(later) == DropReason::none);
  std::array<Packet, 32> out;
  size_t released = 0;
  AllocGuard guard;
  for (uint32_t step = 0; step < 20'000; ++step) {
    Instant now = Instant{} + milliseconds(step);
    first.identification = later.identification = static_cast<uint16_t>(step * 7);
    table.admit(later, now);
    if (step % 3 != 0) table.admit(first, now);
    released += table.release(out) + table.expire(now, out);
  }
  CHECK(guard.allocations() == 0);
  CHECK(released > 10'000);
}

}  // namespace postern
