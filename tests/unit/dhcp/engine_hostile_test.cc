// SPDX-License-Identifier: BSD-3-Clause
// Hosts that mean harm: what belongs to others stays theirs.
#include "unit/dhcp/engine_bed.h"

namespace postern::dhcp::test {
namespace {

constexpr LinkId kGuests = 2;

// The network of the office and one of guests, each on a link of its own.
Settings with_guests() {
  Settings settings = EngineBed::office();
  Scope guests = EngineBed::lan();
  guests.name = "guests";
  guests.link = kGuests;
  guests.subnet = {Ipv4Address(10, 9, 0, 0), 24};
  guests.server = Ipv4Address(10, 9, 0, 1);
  guests.ranges = {{Ipv4Address(10, 9, 0, 100), Ipv4Address(10, 9, 0, 199)}};
  settings.own_addresses.push_back(guests.server);
  settings.scopes.push_back(guests);
  return settings;
}

}  // namespace

TEST_CASE("dhcp/engine: a made-up relay opens no network of another link", "[F46]") {
  EngineBed bed(with_guests());
  Ipv4Address relay(192, 168, 1, 77);
  CHECK(bed.say(EngineBed::discover(1).giaddr(relay).done(), kGuests) == nullptr);
  Ipv4Address wanted(192, 168, 1, 150);
  CHECK(bed.say(EngineBed::select(1, wanted).giaddr(relay).done(), kGuests) == nullptr);
  auto selected = EngineBed::discover(2)
                      .giaddr({10, 9, 0, 7})
                      .option(option::relay_agent, {5, 4, 192, 168, 1, 0});
  CHECK(bed.say(selected.done(), kGuests) == nullptr);
  CHECK(bed.engine.leases().size() == 0);
  CHECK(bed.engine.counters().no_scope == 3);
  // One on the link itself serves it.
  CHECK(bed.say(EngineBed::discover(1).giaddr(relay).done()) != nullptr);
}

TEST_CASE("dhcp/engine: only a known relay relays, by the link that leads to it",
          "[F46][RFC2131-4.1][RFC3046-2.2]") {
  Settings settings = with_guests();
  Scope branch = EngineBed::branch();
  branch.probe = false;
  const Ipv4Address uplink(192, 168, 1, 254), stranger(192, 168, 1, 77);
  branch.relays = {{uplink, 32}, branch.subnet};
  settings.scopes.push_back(branch);
  EngineBed bed(settings);
  auto relayed = [](unsigned client, Ipv4Address giaddr) {
    return EngineBed::discover(client).giaddr(giaddr).done();
  };
  const auto inside = EngineBed::kRelay;
  CHECK(bed.say_from(inside, relayed(1, inside)) != nullptr);
  CHECK(bed.say_from(uplink, relayed(2, inside)) != nullptr);
  CHECK(bed.engine.leases().size() == 2);

  CHECK(bed.say_from(stranger, relayed(3, inside)) == nullptr);
  CHECK(bed.say_from({}, relayed(4, inside)) == nullptr);
  CHECK(bed.say_from(inside, relayed(5, inside), kGuests) == nullptr);
  // A server is no means to send datagrams to whoever is named as the relay.
  auto victim = EngineBed::discover(6)
                    .giaddr({203, 0, 113, 9})
                    .option(option::relay_agent, {5, 4, 10, 5, 0, 0});
  CHECK(bed.say_from(uplink, victim.done()) == nullptr);
  CHECK(bed.engine.counters().unknown_relay == 4);
  CHECK(bed.engine.leases().size() == 2);
  REQUIRE(bed.remarks.size() == 1);  // one a minute
  CHECK(bed.remarks[0] ==
        "dhcp: 192.168.1.77 says to be the relay 10.5.0.1 of branch and is none that is known; "
        "relays of the scope lists them");
  bed.pass(61);
  CHECK(bed.say_from(stranger, relayed(3, inside)) == nullptr);
  CHECK(bed.remarks.size() == 2);
}

TEST_CASE("dhcp/engine: a listed relay is believed for the networks behind it", "[F46]") {
  Settings settings = EngineBed::office();
  Scope branch = EngineBed::branch();
  branch.probe = false;
  const Ipv4Address listed(192, 168, 1, 254), inside = EngineBed::kRelay;
  branch.relays = {{listed, 32}};
  settings.scopes.push_back(branch);
  EngineBed bed(settings);
  auto ask = EngineBed::discover(1).giaddr(inside).done();
  CHECK(bed.say_from(inside, ask) == nullptr);  // in the network, but not listed
  CHECK(bed.say_from(listed, ask) != nullptr);
  CHECK(bed.engine.counters().unknown_relay == 1);
}

TEST_CASE("dhcp/engine: who renews from behind a relay speaks from there", "[F46]") {
  Settings settings = EngineBed::office();
  Scope branch = EngineBed::branch();
  branch.probe = false;
  settings.scopes.push_back(branch);
  EngineBed bed(settings);
  auto relayed = EngineBed::discover(1).giaddr(EngineBed::kRelay);
  Ipv4Address address = bed.say(relayed.done())->message.header.yiaddr;
  REQUIRE(bed.answer(EngineBed::select(1, address).giaddr(EngineBed::kRelay)) == MessageType::ack);
  auto release = Built(MessageType::release, 1).ciaddr(address).done();
  bed.say_from({192, 168, 1, 77}, release);
  CHECK(bed.stored[address].state == LeaseState::bound);
  bed.say_from(address, release);
  CHECK(bed.stored[address].state == LeaseState::released);
}

TEST_CASE("dhcp/engine: a lease is given back and declined from its own network only",
          "[RFC2131-4.3.3][RFC2131-4.3.4]") {
  EngineBed bed(with_guests());
  Ipv4Address address = *bed.lease(1);
  bed.say(Built(MessageType::release, 1).ciaddr(address).done(), kGuests);
  CHECK(bed.stored[address].state == LeaseState::bound);
  auto decline = Built(MessageType::decline, 1).address(option::requested_address, address);
  bed.say(decline.done(), kGuests);
  CHECK(bed.stored[address].state == LeaseState::bound);
  bed.say(decline.done());
  CHECK(bed.stored[address].state == LeaseState::declined);
}

TEST_CASE("dhcp/engine: an old offer of an address takes nothing from a new one", "[F46]") {
  Settings settings = EngineBed::office();
  Ipv4Address only(192, 168, 1, 100);
  settings.scopes[0].ranges = {{only, only}};
  EngineBed bed(settings);
  REQUIRE(bed.offered(1) == only);
  bed.pass(31);
  REQUIRE(bed.offered(2) == only);
  CHECK_FALSE(bed.offered(3));
  CHECK(bed.answer(EngineBed::select(2, only)) == MessageType::ack);
}

TEST_CASE("dhcp/engine: an old offer beyond the limit takes nothing from a new one", "[F46]") {
  Settings settings = EngineBed::office();
  settings.messages_per_second = 0;
  Ipv4Address only(192, 168, 1, 100);
  settings.scopes[0].ranges = {{only, only}};
  EngineBed bed(settings);
  for (size_t i = 0; i < Engine::kOffersMax; ++i) {
    REQUIRE(bed.offered(1 + i % 200) == only);
    bed.pass(31);
  }
  REQUIRE(bed.offered(201) == only);
  CHECK(bed.engine.leases().count(LeaseState::offered) == 1);
  CHECK(bed.answer(EngineBed::select(201, only)) == MessageType::ack);
  CHECK(bed.engine.leases().count(LeaseState::bound) == 1);
}

TEST_CASE("dhcp/engine: an identifier is as long as one option at most", "[F46]") {
  EngineBed bed;
  auto of = [](size_t more) {
    return EngineBed::discover(1)
        .option(option::client_id, std::vector<uint8_t>(255, 'x'))
        .option(option::client_id, std::vector<uint8_t>(more, 'y'))
        .done();
  };
  CHECK(bed.say(of(0)) != nullptr);
  CHECK(bed.say(of(1)) == nullptr);
  CHECK(bed.engine.counters().malformed == 1);
}

TEST_CASE("dhcp/engine: what one host declines does not fill the log", "[F46][F67]") {
  EngineBed bed;
  for (unsigned client = 1; client <= 100; ++client) {
    Ipv4Address address = *bed.lease(client);
    auto decline = Built(MessageType::decline, client).address(option::requested_address, address);
    bed.say(decline.done());
  }
  CHECK(bed.engine.counters().conflicts == 100);
  CHECK(bed.remarks.size() == 10);
  CHECK(bed.remarks.back().ends_with("more within a minute are counted alone"));
  bed.pass(660);
  auto decline = Built(MessageType::decline, 1);
  Ipv4Address address = *bed.lease(1);
  bed.say(decline.address(option::requested_address, address).done());
  CHECK(bed.remarks.size() == 11);
}

}  // namespace postern::dhcp::test
