// SPDX-License-Identifier: BSD-3-Clause
// Reservations, layers of options, relays, PXE, BOOTP, probes and names.
#include <catch2/catch.hpp>

#include "unit/dhcp/engine_bed.h"

namespace postern::dhcp {
namespace {

using test::Built;
using test::EngineBed;
using test::mac_of;

constexpr Ipv4Address kReserved{192, 168, 1, 20};

Option text_option(uint8_t code, std::string_view text) {
  return {code, std::vector<uint8_t>(text.begin(), text.end())};
}

Reservation reserved(Ipv4Address address) {
  Reservation reservation;
  reservation.address = address;
  return reservation;
}

Settings with(Scope scope) {
  Settings settings = EngineBed::office();
  settings.scopes = {std::move(scope)};
  return settings;
}

}  // namespace

TEST_CASE("dhcp/engine: reservations by MAC, client identifier and host name", "[F46]") {
  Scope scope = EngineBed::lan();
  scope.reservations = {reserved(kReserved), reserved({192, 168, 1, 21}),
                        reserved({192, 168, 1, 101})};
  scope.reservations[0].mac = mac_of(7);
  scope.reservations[0].name = "printer";
  scope.reservations[1].client_id = {0, 'a', 'b'};
  scope.reservations[2].host_name = "pc3";
  EngineBed bed(with(scope));
  CHECK(bed.lease(7) == kReserved);
  CHECK(bed.names.at("printer") == kReserved);
  auto by_id = EngineBed::discover(8).option(option::client_id, {0, 'a', 'b'});
  CHECK(bed.say(by_id.done())->message.header.yiaddr == Ipv4Address(192, 168, 1, 21));
  auto by_name = EngineBed::discover(9).text(option::host_name, "PC3");
  CHECK(bed.say(by_name.done())->message.header.yiaddr == Ipv4Address(192, 168, 1, 101));
  // Nobody else gets them, asked for or not.
  auto thief = EngineBed::discover(10).address(option::requested_address, {192, 168, 1, 101});
  CHECK(bed.say(thief.done())->message.header.yiaddr != Ipv4Address(192, 168, 1, 101));
  CHECK(bed.answer(EngineBed::select(10, kReserved)) == MessageType::nak);
}

TEST_CASE("dhcp/engine: a client moves to what is reserved for it at its renewal", "[F46]") {
  EngineBed bed;
  auto address = bed.lease(7);
  Scope scope = EngineBed::lan();
  scope.reservations = {reserved(kReserved)};
  scope.reservations[0].mac = mac_of(7);
  bed.engine.configure(with(scope), bed.now);
  CHECK(bed.answer(EngineBed::renew(7, *address)) == MessageType::nak);
  CHECK(bed.lease(7) == kReserved);
}

TEST_CASE("dhcp/engine: options come from the most special layer", "[P23][F46]") {
  Settings settings = EngineBed::office();
  settings.defaults.options = {text_option(15, "default"), text_option(40, "default"),
                               text_option(17, "default"), text_option(14, "default")};
  Scope& scope = settings.scopes[0];
  scope.profile.options = {text_option(15, "scope"), text_option(40, "scope"),
                           text_option(17, "scope")};
  scope.profile.lease_s = 1000;
  ClientClass phones;
  phones.name = "phones";
  phones.vendor_class = "phone";
  phones.profile.options = {text_option(15, "class"), text_option(40, "class")};
  phones.profile.lease_s = 500;
  settings.classes = {phones};
  scope.reservations = {reserved(kReserved)};
  scope.reservations[0].mac = mac_of(7);
  scope.reservations[0].profile.options = {text_option(15, "host")};
  EngineBed bed(settings);
  auto ask = EngineBed::discover(7).text(option::vendor_class, "phone-9");
  const auto* offer = bed.say(ask.done());
  CHECK(offer->message.text(15) == "host");
  CHECK(offer->message.text(40) == "class");
  CHECK(offer->message.text(17) == "scope");
  CHECK(offer->message.text(14) == "default");
  CHECK(offer->message.number32(option::lease_time) == 500);
  offer = bed.say(EngineBed::discover(8).done());
  CHECK(offer->message.text(40) == "scope");
  CHECK(offer->message.number32(option::lease_time) == 1000);
}

TEST_CASE("dhcp/engine: a parameter list selects, in its order", "[RFC2131-4.3.1][RFC2132-9.8]") {
  Settings settings = EngineBed::office();
  settings.defaults.options = {text_option(15, "d"), text_option(40, "n")};
  EngineBed bed(settings);
  auto ask = EngineBed::discover(1).option(option::parameter_list, {3, 15, 1, 99, 15});
  const auto* offer = bed.say(ask.done());
  CHECK(offer->message.text(15) == "d");
  CHECK(offer->message.has(option::routers));
  CHECK_FALSE(offer->message.has(40));
}

TEST_CASE("dhcp/engine: UEFI and BIOS clients get different files", "[RFC4578-2][P23]") {
  Settings settings = EngineBed::office();
  ClientClass uefi, bios;
  uefi.architectures = {7, 9};
  uefi.profile.boot_file = "boot.efi";
  uefi.profile.boot_server = {192, 168, 1, 5};
  bios.architectures = {0};
  bios.profile.boot_file = "boot.0";
  settings.classes = {uefi, bios};
  EngineBed bed(settings);
  auto pxe = [&](unsigned client, uint8_t architecture) {
    return bed.say(EngineBed::discover(client)
                       .text(option::vendor_class, "PXEClient:Arch:00007:UNDI:003000")
                       .option(option::architecture, {0, architecture})
                       .done());
  };
  const auto* offer = pxe(1, 7);
  CHECK(offer->message.file() == "boot.efi");
  CHECK(offer->message.header.siaddr == Ipv4Address(192, 168, 1, 5));
  CHECK(pxe(2, 0)->message.file() == "boot.0");
  CHECK(bed.say(EngineBed::discover(3).done())->message.file().empty());
}

TEST_CASE("dhcp/engine: a relayed client is served from the scope of its relay",
          "[RFC2131-4.1][RFC3046-2.2][RFC3527-3]") {
  Settings settings = EngineBed::office();
  Scope remote = EngineBed::branch();
  remote.probe = false;
  settings.scopes.push_back(remote);
  EngineBed bed(settings);
  auto ask =
      EngineBed::discover(1).giaddr({10, 5, 0, 1}).option(option::relay_agent, {1, 2, 'p', '1'});
  const auto* offer = bed.say(ask.done());
  REQUIRE(offer);
  Ipv4Address address = offer->message.header.yiaddr;
  CHECK(remote.ranges[0].contains(address));
  CHECK(offer->reply.way == Reply::Way::routed);
  CHECK(offer->reply.to == Ipv4Address(10, 5, 0, 1));
  CHECK(offer->reply.port == kServerPort);
  CHECK(offer->message.find(option::relay_agent).size() == 4);
  REQUIRE(bed.answer(EngineBed::select(1, address).giaddr({10, 5, 0, 1})) == MessageType::ack);
  // It renews from there without the relay.
  REQUIRE(bed.answer(EngineBed::renew(1, address)) == MessageType::ack);
  CHECK(bed.sent.back().reply.way == Reply::Way::routed);
  CHECK(bed.sent.back().reply.to == address);
  CHECK(bed.sent.back().reply.port == kClientPort);
  // The relay may name another subnet than its own address.
  remote.relays.push_back({Ipv4Address(172, 16, 0, 1), 32});
  settings.scopes.back() = remote;
  bed.engine.configure(settings, bed.now);
  auto selected = EngineBed::discover(2)
                      .giaddr({172, 16, 0, 1})
                      .option(option::relay_agent, {5, 4, 10, 5, 0, 0});
  CHECK(remote.ranges[0].contains(bed.say(selected.done())->message.header.yiaddr));
  CHECK(bed.say(EngineBed::discover(3).giaddr({172, 16, 0, 1}).done()) == nullptr);
}

TEST_CASE("dhcp/engine: what the relay said goes back to it, with a refusal as well",
          "[RFC3046-2.2]") {
  Settings settings = EngineBed::office();
  Scope remote = EngineBed::branch();
  remote.probe = false;
  settings.scopes.push_back(remote);
  EngineBed bed(settings);
  const std::vector<uint8_t> said = {1, 2, 'p', '1', 2, 3, 'r', 'e', 'm'};
  for (const Built& built : {EngineBed::discover(1), EngineBed::reboot(2, {192, 168, 1, 100})}) {
    Built relayed = built;
    relayed.giaddr({10, 5, 0, 1}).option(option::relay_agent, said);
    const auto* reply = bed.say(relayed.done());
    REQUIRE(reply);
    auto echoed = reply->message.find(option::relay_agent);
    CHECK(std::vector<uint8_t>(echoed.begin(), echoed.end()) == said);
    CHECK(reply->reply.to == Ipv4Address(10, 5, 0, 1));
  }
}

TEST_CASE("dhcp/engine: an address behind a relay is asked for by echo before it is offered",
          "[RFC2131-2.2][P22]") {
  Settings settings = EngineBed::office();
  Scope remote = EngineBed::branch();
  settings.scopes.push_back(remote);
  EngineBed bed(settings);
  CHECK(bed.say(EngineBed::discover(1).giaddr({10, 5, 0, 1}).done()) == nullptr);
  REQUIRE(bed.echoed.size() == 1);
  CHECK(bed.probed.empty());
  Ipv4Address squatted = bed.echoed[0];
  bed.engine.address_seen(EngineBed::kLan, squatted, mac_of(99), bed.now);  // ARP says nothing
  bed.engine.echo_seen({10, 5, 0, 99}, bed.now);  // nobody has asked for it
  CHECK(bed.echoed.size() == 1);
  bed.engine.echo_seen(squatted, bed.now);
  CHECK(bed.stored.at(squatted).state == LeaseState::declined);
  REQUIRE(bed.echoed.size() == 2);
  Ipv4Address next = bed.echoed[1];
  CHECK(next != squatted);
  // Twice without an answer, and the offer goes out: the client waits for half a second.
  bed.pass_ms(260);
  CHECK(bed.echoed.size() == 3);
  CHECK(bed.sent.empty());
  bed.pass_ms(260);
  REQUIRE(bed.sent.size() == 1);
  CHECK(bed.sent[0].message.header.yiaddr == next);
  CHECK(bed.sent[0].reply.to == Ipv4Address(10, 5, 0, 1));
}

TEST_CASE("dhcp/engine: nobody updates other name servers, and the client is told so",
          "[RFC4702-4]") {
  struct Row {
    uint8_t sent;
    uint8_t told;
  };
  // S -> N and O; N -> N; E is kept; what must be zero is not sent back.
  const Row rows[] = {{0, 8}, {1, 10}, {4, 12}, {5, 14}, {8, 8}, {0xF2, 8}};
  for (const Row& row : rows) {
    EngineBed bed;
    std::vector<uint8_t> name = {row.sent, 0, 7, 4, 'd', 'e', 's', 'k'};
    auto expected = name;
    expected[0] = row.told;
    expected[1] = expected[2] = 255;
    const auto* offer = bed.say(EngineBed::discover(1).option(option::client_fqdn, name).done());
    REQUIRE(offer);
    auto told = offer->message.find(option::client_fqdn);
    CHECK(std::vector<uint8_t>(told.begin(), told.end()) == expected);
  }
  EngineBed bed;
  CHECK_FALSE(bed.say(EngineBed::discover(1).done())->message.has(option::client_fqdn));
  auto cut = EngineBed::discover(2).option(option::client_fqdn, {1, 0});
  CHECK_FALSE(bed.say(cut.done())->message.has(option::client_fqdn));
}

TEST_CASE("dhcp/engine: BOOTP clients get what is reserved, or an address for ever",
          "[RFC1534-2]") {
  Scope scope = EngineBed::lan();
  scope.reservations = {reserved(kReserved)};
  scope.reservations[0].mac = mac_of(7);
  EngineBed bed(with(scope));
  const auto* reply = bed.say(Built(MessageType::none, 7).done());
  REQUIRE(reply);
  CHECK(reply->message.type == MessageType::none);
  CHECK(reply->message.header.yiaddr == kReserved);
  CHECK_FALSE(reply->message.has(option::lease_time));
  CHECK(reply->message.number32(option::subnet_mask) == 0xFFFFFF00);
  CHECK(bed.stored.at(kReserved).ends_s == kNever);
  CHECK(bed.say(Built(MessageType::none, 8).done()) == nullptr);
  scope.bootp = Bootp::pool;
  bed.engine.configure(with(scope), bed.now);
  CHECK(bed.say(Built(MessageType::none, 8).done()) != nullptr);
  scope.bootp = Bootp::off;
  bed.engine.configure(with(scope), bed.now);
  CHECK(bed.say(Built(MessageType::none, 7).done()) == nullptr);
}

TEST_CASE("dhcp/engine: an address is probed before it is offered", "[RFC2131-3.1][P22]") {
  Scope scope = EngineBed::lan();
  scope.probe = true;
  EngineBed bed(with(scope));
  CHECK_FALSE(bed.offered(1));
  REQUIRE(bed.probed.size() == 1);
  Ipv4Address first = bed.probed[0];
  bed.pass_ms(160);
  CHECK(bed.probed.size() == 2);
  bed.pass_ms(160);
  REQUIRE(bed.sent.size() == 1);
  CHECK(bed.sent[0].message.header.yiaddr == first);
  CHECK(bed.answer(EngineBed::select(1, first)) == MessageType::ack);
  // Known to be free or its own: no second probe.
  CHECK(bed.offered(1) == first);
}

TEST_CASE("dhcp/engine: a squatter's address is skipped and rests", "[P22]") {
  Scope scope = EngineBed::lan();
  scope.probe = true;
  EngineBed bed(with(scope));
  bed.offered(1);
  Ipv4Address squatted = bed.probed[0];
  bed.engine.address_seen(9, squatted, mac_of(99), bed.now);               // another link
  bed.engine.address_seen(EngineBed::kLan, squatted, mac_of(1), bed.now);  // the client itself
  CHECK(bed.probed.size() == 1);
  bed.engine.address_seen(EngineBed::kLan, squatted, mac_of(99), bed.now);
  REQUIRE(bed.probed.size() == 2);
  CHECK(bed.probed[1] != squatted);
  CHECK(bed.stored.at(squatted).state == LeaseState::declined);
  REQUIRE(bed.remarks.size() == 1);
  CHECK(bed.remarks[0].find("02:00:00:00:00:63") != std::string::npos);
  bed.pass_ms(160);
  bed.pass_ms(160);
  REQUIRE(bed.sent.size() == 1);
  CHECK(bed.sent[0].message.header.yiaddr == bed.probed[1]);
  bed.pass(600);
  CHECK(bed.engine.leases().find(squatted) == nullptr);
}

TEST_CASE("dhcp/engine: a name is told before the ACK and withdrawn at the end", "[C09]") {
  EngineBed bed;
  auto offer = bed.offered(1);
  bed.log.clear();
  bed.say(EngineBed::select(1, *offer).text(option::host_name, "PC1.office.example").done());
  CHECK(bed.log == std::vector<std::string>{"store", "name", "reply"});
  CHECK(bed.names.at("pc1") == *offer);
  // The first one keeps it.
  auto second = bed.offered(2);
  bed.say(EngineBed::select(2, *second).text(option::host_name, "pc1").done());
  CHECK(bed.names.at("pc1") == *offer);
  CHECK(bed.engine.counters().name_taken == 1);
  // A new name takes the place of the old one.
  bed.say(EngineBed::renew(1, *offer).text(option::host_name, "pc9").done());
  CHECK(bed.names.size() == 1);
  CHECK(bed.names.at("pc9") == *offer);
  bed.pass(3600);
  CHECK(bed.names.empty());
}

TEST_CASE("dhcp/engine: names that are none are left out", "[RFC1123-2.1][RFC4702-3]") {
  CHECK(clean_host_name("PC-1.office.example") == "pc-1");
  for (const char* bad : {"", "-a", "a-", "a_b", "a b", ".a", "\xc3\xa4"})
    CHECK(clean_host_name(bad).empty());
  CHECK(clean_host_name(std::string(64, 'a')).empty());
  Message message;
  REQUIRE(message.read(EngineBed::discover(1)
                           .option(option::client_fqdn, {4, 0, 0, 3, 'p', 'c', '2', 0})
                           .text(option::host_name, "pc1")
                           .done()) == MessageFault::none);
  CHECK(client_host_name(message) == "pc2");
  REQUIRE(message.read(EngineBed::discover(1)
                           .option(option::client_fqdn, {4, 0, 0, 63, 'p'})
                           .text(option::host_name, "pc1")
                           .done()) == MessageFault::none);
  CHECK(client_host_name(message) == "pc1");
}

TEST_CASE("dhcp/engine: an identifier made of type and MAC is the MAC", "[RFC2131-2]") {
  EngineBed bed;
  auto address = bed.lease(1);
  auto with_id = EngineBed::discover(1).option(option::client_id, {1, 2, 0, 0, 0, 0, 1});
  CHECK(bed.say(with_id.done())->message.header.yiaddr == *address);
  auto other_id = EngineBed::discover(1).option(option::client_id, {0, 'x'});
  CHECK(bed.say(other_id.done())->message.header.yiaddr != *address);
}

TEST_CASE("dhcp/engine: the reply goes where the client can hear it", "[RFC2131-4.1]") {
  EngineBed bed;
  CHECK(bed.say(EngineBed::discover(1).done())->reply.way == Reply::Way::hardware);
  CHECK(bed.sent.back().reply.mac == mac_of(1));
  CHECK(bed.sent.back().reply.to == bed.sent.back().message.header.yiaddr);
  CHECK(bed.say(EngineBed::discover(2).broadcast().done())->reply.way == Reply::Way::broadcast);
  CHECK(bed.say(EngineBed::discover(3).at(1, {6, 8}).done())->reply.way == Reply::Way::broadcast);
}

}  // namespace postern::dhcp
