// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/engine.h"

#include <catch2/catch.hpp>
#include <set>

#include "unit/dhcp/engine_bed.h"

namespace postern::dhcp {
namespace {

using test::Built;
using test::EngineBed;

Scope small_lan(unsigned addresses) {
  Scope scope = EngineBed::lan();
  Ipv4Address first(192, 168, 1, 100);
  scope.ranges = {{first, Ipv4Address(first.number + addresses - 1)}};
  return scope;
}

Settings with(Scope scope) {
  Settings settings = EngineBed::office();
  settings.scopes = {std::move(scope)};
  return settings;
}

}  // namespace

TEST_CASE("dhcp/engine: a client gets an address in two exchanges", "[RFC2131-3.1][F46]") {
  EngineBed bed;
  auto offer = bed.offered(1);
  REQUIRE(offer);
  CHECK(bed.stored.empty());  // an offer promises nothing
  const auto* ack = bed.say(EngineBed::select(1, *offer).done());
  REQUIRE(ack);
  CHECK(ack->message.type == MessageType::ack);
  CHECK(ack->message.header.yiaddr == *offer);
  CHECK(ack->message.header.xid == 1);
  CHECK(ack->message.number32(option::lease_time) == 3600);
  CHECK(ack->message.number32(option::renewal_time) == 1800);
  CHECK(ack->message.number32(option::rebinding_time) == 3150);
  CHECK(ack->message.number32(option::subnet_mask) == 0xFFFFFF00);
  CHECK(ack->message.address(option::server_id) == EngineBed::kServer);
  CHECK(ack->message.address(option::routers) == EngineBed::kServer);
  CHECK(ack->reply.after_store);
  CHECK(bed.stored.at(*offer).state == LeaseState::bound);
  CHECK(bed.log == std::vector<std::string>{"reply", "store", "reply"});
}

TEST_CASE("dhcp/engine: 250 clients get as many addresses, none excluded", "[F46]") {
  Scope scope = EngineBed::lan();
  scope.ranges = {{Ipv4Address(192, 168, 1, 2), Ipv4Address(192, 168, 1, 254)}};
  scope.excluded = {{Ipv4Address(192, 168, 1, 50), Ipv4Address(192, 168, 1, 51)}};
  EngineBed bed(with(scope));
  std::set<Ipv4Address> given;
  for (unsigned client = 1; client <= 251; ++client) {
    auto address = bed.lease(client);
    REQUIRE(address);
    CHECK(scope.ranges[0].contains(*address));
    CHECK_FALSE(scope.excluded[0].contains(*address));
    CHECK(given.insert(*address).second);
  }
  CHECK_FALSE(bed.lease(300));
  CHECK(bed.engine.counters().exhausted == 1);
}

TEST_CASE("dhcp/engine: a client comes back to its address", "[RFC2131-4.3.1][F46]") {
  EngineBed bed;
  auto address = bed.lease(1);
  CHECK(bed.lease(1) == address);  // before its end
  bed.pass(3600);
  CHECK(bed.engine.leases().find(*address)->state == LeaseState::expired);
  for (unsigned other = 2; other < 20; ++other)
    CHECK(bed.lease(other) != address);
  CHECK(bed.lease(1) == address);
  // From an empty table, too: the search begins at a place of the client's own.
  EngineBed empty;
  CHECK(empty.lease(1) == address);
}

TEST_CASE("dhcp/engine: an address asked for is given where it is free", "[RFC2131-4.3.1]") {
  EngineBed bed;
  Ipv4Address wanted(192, 168, 1, 177);
  auto ask = EngineBed::discover(1).address(option::requested_address, wanted);
  CHECK(bed.say(ask.done())->message.header.yiaddr == wanted);
  auto other = EngineBed::discover(2).address(option::requested_address, wanted);
  CHECK(bed.say(other.done())->message.header.yiaddr != wanted);
  Ipv4Address outside(192, 168, 1, 7);
  auto no = EngineBed::discover(3).address(option::requested_address, outside);
  CHECK(bed.say(no.done())->message.header.yiaddr != outside);
}

TEST_CASE("dhcp/engine: renewing, rebooting and rebinding clients keep their address",
          "[RFC2131-4.3.2]") {
  EngineBed bed;
  auto address = bed.lease(1);
  bed.pass(1800);
  CHECK(bed.answer(EngineBed::renew(1, *address)) == MessageType::ack);
  CHECK(bed.stored.at(*address).ends_s == bed.now.unix_s + 3600);
  CHECK(bed.sent.back().reply.way == Reply::Way::hardware);
  CHECK(bed.sent.back().reply.to == *address);
  CHECK(bed.answer(EngineBed::reboot(1, *address)) == MessageType::ack);
  bed.pass(4000);
  CHECK(bed.answer(EngineBed::renew(1, *address)) == MessageType::ack);
}

TEST_CASE("dhcp/engine: what is not the client's is refused at once", "[RFC2131-4.3.2][F46]") {
  EngineBed bed;
  auto address = bed.lease(1);
  CHECK(bed.answer(EngineBed::renew(2, *address)) == MessageType::nak);
  CHECK(bed.sent.back().reply.way == Reply::Way::broadcast);
  CHECK(bed.answer(EngineBed::select(2, *address)) == MessageType::nak);
  CHECK(bed.answer(EngineBed::reboot(2, *address)) == MessageType::nak);
  CHECK(bed.answer(EngineBed::reboot(2, {10, 0, 0, 9})) == MessageType::nak);
  CHECK(bed.answer(EngineBed::reboot(2, {192, 168, 1, 150})) == MessageType::nak);
  CHECK(bed.answer(EngineBed::renew(2, {192, 168, 1, 7})) == MessageType::nak);
  // An older server's client keeps what is free.
  CHECK(bed.answer(EngineBed::renew(2, {192, 168, 1, 150})) == MessageType::ack);

  Scope scope = EngineBed::lan();
  scope.authoritative = false;
  EngineBed guest(with(scope));
  CHECK(guest.answer(EngineBed::reboot(2, {10, 0, 0, 9})) == MessageType::none);
}

TEST_CASE("dhcp/engine: a client that chose another server frees its offer", "[RFC2131-4.3.2]") {
  EngineBed bed;
  auto offer = bed.offered(1);
  CHECK(bed.answer(EngineBed::select(1, *offer, {192, 168, 1, 250})) == MessageType::none);
  CHECK(bed.engine.leases().find(*offer) == nullptr);
}

TEST_CASE("dhcp/engine: offers lapse", "[RFC2131-4.3.1]") {
  EngineBed bed;
  auto offer = bed.offered(1);
  CHECK(bed.engine.leases().find(*offer) != nullptr);
  bed.pass(30);
  CHECK(bed.engine.leases().size() == 0);
  CHECK(bed.answer(EngineBed::select(1, *offer)) == MessageType::ack);  // late, but still free
}

TEST_CASE("dhcp/engine: a released address goes to others last", "[RFC2131-4.3.4][F46]") {
  EngineBed bed(with(small_lan(3)));
  auto first = bed.lease(1);
  auto release =
      Built(MessageType::release, 1).ciaddr(*first).address(option::server_id, EngineBed::kServer);
  auto forged =
      Built(MessageType::release, 9).ciaddr(*first).address(option::server_id, EngineBed::kServer);
  bed.say(forged.done());
  CHECK(bed.stored.at(*first).state == LeaseState::bound);
  bed.say(release.done());
  CHECK(bed.stored.at(*first).state == LeaseState::released);
  CHECK(bed.lease(2) != first);
  CHECK(bed.lease(3) != first);
  CHECK(bed.lease(4) == first);
}

TEST_CASE("dhcp/engine: a declined address rests for minutes", "[RFC2131-4.3.3][P22]") {
  EngineBed bed(with(small_lan(1)));
  auto address = bed.lease(1);
  auto by_another = Built(MessageType::decline, 2).address(option::requested_address, *address);
  bed.say(by_another.done());
  CHECK(bed.stored.at(*address).state == LeaseState::bound);
  auto decline = Built(MessageType::decline, 1).address(option::requested_address, *address);
  bed.say(decline.done());
  CHECK(bed.stored.at(*address).state == LeaseState::declined);
  CHECK_FALSE(bed.lease(1));
  bed.pass(600);
  CHECK(bed.stored.empty());
  CHECK(bed.lease(1) == address);
}

TEST_CASE("dhcp/engine: INFORM is answered without a lease", "[RFC2131-4.3.5]") {
  EngineBed bed;
  const auto* ack = bed.say(Built(MessageType::inform, 1).ciaddr({192, 168, 1, 7}).done());
  REQUIRE(ack);
  CHECK(ack->message.type == MessageType::ack);
  CHECK(ack->message.header.yiaddr.is_unspecified());
  CHECK_FALSE(ack->message.has(option::lease_time));
  CHECK(ack->message.address(option::routers) == EngineBed::kServer);
  CHECK(ack->reply.to == Ipv4Address(192, 168, 1, 7));
  CHECK(bed.engine.leases().size() == 0);
  CHECK(bed.say(Built(MessageType::inform, 1).ciaddr({10, 9, 9, 9}).done()) == nullptr);
}

TEST_CASE("dhcp/engine: an exhausted pool is told once a minute, and renewals go on",
          "[F46][P22]") {
  EngineBed bed(with(small_lan(2)));
  auto first = bed.lease(1);
  REQUIRE(bed.lease(2));
  for (unsigned client = 3; client < 13; ++client)
    CHECK_FALSE(bed.offered(client));
  CHECK(bed.engine.counters().exhausted == 10);
  CHECK(bed.remarks.size() == 1);
  CHECK(bed.answer(EngineBed::renew(1, *first)) == MessageType::ack);
  bed.pass(60);
  CHECK_FALSE(bed.offered(20));
  REQUIRE(bed.remarks.size() == 2);
  CHECK(bed.remarks[1].find("10 requests refused") != std::string::npos);
}

TEST_CASE("dhcp/engine: offers that nobody takes up do not exhaust a pool", "[F46]") {
  EngineBed bed(with(small_lan(8)));
  for (unsigned client = 1; client <= 8; ++client)
    REQUIRE(bed.offered(client));
  CHECK_FALSE(bed.offered(9));
  bed.pass_ms(3000);
  CHECK(bed.lease(9));
}

TEST_CASE("dhcp/engine: newcomers get short leases while a pool is short", "[F46]") {
  EngineBed bed(with(small_lan(64)));
  for (unsigned client = 1; client <= 64; ++client)
    REQUIRE(bed.lease(client));
  CHECK(bed.sent.back().message.number32(option::lease_time) == 600);
  auto first = bed.lease(1);
  CHECK(bed.sent.back().message.number32(option::lease_time) == 3600);
  CHECK(first);
}

TEST_CASE("dhcp/engine: a client that shouts is not heard beyond its rate", "[F46]") {
  EngineBed bed;
  for (int i = 0; i < 100; ++i)
    bed.say(EngineBed::discover(1).done());
  CHECK(bed.engine.counters().offers == 20);
  CHECK(bed.engine.counters().rate_limited == 80);
  CHECK(bed.lease(2));
  bed.pass(1);
  CHECK(bed.lease(1));
}

TEST_CASE("dhcp/engine: bad messages are counted and not answered", "[RFC2131-2]") {
  EngineBed bed;
  CHECK(bed.say({1, 2, 3}) == nullptr);
  CHECK(bed.say(Built(MessageType::discover).at(0, {2}).done()) == nullptr);
  CHECK(bed.say(Built(MessageType::ack).done()) == nullptr);
  CHECK(bed.say(Built(MessageType::request).done()) == nullptr);
  CHECK(bed.engine.counters().malformed == 4);
  CHECK(bed.say(EngineBed::discover(1).done(), 9) == nullptr);
  CHECK(bed.engine.counters().no_scope == 1);
}

TEST_CASE("dhcp/engine: leases outlive a restart", "[F46]") {
  EngineBed before;
  auto first = before.lease(1);
  auto second = before.lease(2);
  EngineBed after;
  std::vector<Lease> leases;
  for (const auto& [address, lease] : before.stored)
    leases.push_back(lease);
  after.engine.load(leases, after.now);
  CHECK(after.engine.leases().count(LeaseState::bound) == 2);
  CHECK(after.answer(EngineBed::renew(2, *second)) == MessageType::ack);
  CHECK(after.answer(EngineBed::renew(3, *first)) == MessageType::nak);
  CHECK(after.lease(1) == first);
}

TEST_CASE("dhcp/engine: a reload keeps leases, and moves those that no longer fit", "[F46]") {
  EngineBed bed;
  auto address = bed.lease(1);
  bed.engine.configure(EngineBed::office(), bed.now);
  CHECK(bed.answer(EngineBed::renew(1, *address)) == MessageType::ack);
  Scope other = EngineBed::lan();
  other.ranges = {{Ipv4Address(192, 168, 1, 10), Ipv4Address(192, 168, 1, 19)}};
  bed.engine.configure(with(other), bed.now);
  CHECK(bed.answer(EngineBed::renew(1, *address)) == MessageType::nak);
  auto moved = bed.lease(1);
  REQUIRE(moved);
  CHECK(other.ranges[0].contains(*moved));
  CHECK(bed.stored.at(*address).state == LeaseState::released);
}

}  // namespace postern::dhcp
