// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/client.h"

#include <catch2/catch.hpp>

#include "unit/dhcp/client_bed.h"

namespace postern::dhcp {
namespace {

using test::ClientBed;
using State = Client::State;

// Of the server identifier, in the answers of the bed: behind magic and message type.
constexpr size_t kServerAt = kHeaderBytes + 4 + 3 + 2;

}  // namespace

TEST_CASE("dhcp/client: discover, request, probe, then the address is its own", "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.pass_ms(100);
  REQUIRE(bed.said.size() == 1);
  CHECK(bed.last().type == MessageType::discover);
  CHECK(bed.last().header.mac() == test::mac_of(7));
  CHECK(bed.last().find(option::client_id).size() == 7);
  CHECK_FALSE(bed.last().has(option::requested_address));
  const uint32_t xid = bed.last().header.xid;
  bed.hear(MessageType::offer);
  CHECK(bed.state() == State::requesting);
  CHECK(bed.last().type == MessageType::request);
  CHECK(bed.last().header.xid == xid);
  CHECK(bed.last().header.ciaddr.is_unspecified());
  CHECK(bed.last().address(option::requested_address) == ClientBed::kAddress);
  CHECK(bed.last().address(option::server_id) == ClientBed::kServer);
  bed.hear(MessageType::ack);
  CHECK(bed.state() == State::probing);
  CHECK(bed.leases.empty());
  bed.pass_ms(900);
  CHECK(bed.state() == State::bound);
  CHECK(bed.probed == std::vector<Ipv4Address>(3, ClientBed::kAddress));
  REQUIRE(bed.leases.size() == 1);
  CHECK(bed.leases[0].address == Prefix{ClientBed::kAddress, 24});
  CHECK(bed.confirmed[0]);
}

TEST_CASE("dhcp/client: an address that somebody has is declined, and another one looked for later",
          "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.pass_ms(100);
  bed.hear(MessageType::offer);
  bed.hear(MessageType::ack);
  bed.client.address_seen(ClientBed::kAddress, test::mac_of(7), bed.now);  // our own probe
  bed.client.address_seen({203, 0, 113, 9}, test::mac_of(9), bed.now);
  CHECK(bed.state() == State::probing);
  bed.client.address_seen(ClientBed::kAddress, test::mac_of(9), bed.now);
  CHECK(bed.last().type == MessageType::decline);
  CHECK(bed.last().address(option::requested_address) == ClientBed::kAddress);
  CHECK(bed.last().address(option::server_id) == ClientBed::kServer);
  CHECK(bed.last().header.ciaddr.is_unspecified());
  CHECK(bed.remarks.size() == 1);
  const size_t before = bed.said.size();
  bed.pass(9);
  CHECK(bed.said.size() == before);
  bed.pass(2);
  CHECK(bed.last().type == MessageType::discover);
  CHECK_FALSE(bed.last().has(option::requested_address));
  CHECK(bed.leases.empty());
}

TEST_CASE("dhcp/client: what is not answered is repeated after 4 to 64 s, a second more or less",
          "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.pass(300);
  REQUIRE(bed.said.size() > 6);
  for (size_t i = 1; i < bed.said.size(); ++i) {
    const int64_t wait = bed.said[i].at_ms - bed.said[i - 1].at_ms;
    const int64_t middle = 4000 * (int64_t{1} << std::min<size_t>(i - 1, 4));
    CHECK(wait >= middle - 1000);
    CHECK(wait <= middle + 1100);
    CHECK(bed.said[i].message.header.flags == (i % 2 == 1 ? kBroadcastFlag : 0));
  }
  CHECK(bed.last().header.secs >= 200);
}

TEST_CASE("dhcp/client: an offer that its server forgets is left for another one",
          "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.pass_ms(100);
  bed.hear(MessageType::offer);
  bed.pass(70);
  CHECK(bed.last().type == MessageType::discover);
  unsigned requests = 0;
  for (const auto& said : bed.said)
    requests += said.message.type == MessageType::request ? 1 : 0;
  CHECK(requests == 4);
}

TEST_CASE("dhcp/client: renews at half of its time with its server alone", "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind();
  const int64_t bound_ms = bed.now.ns / 1'000'000;
  bed.pass(1801);
  CHECK(bed.state() == State::renewing);
  CHECK(bed.said.back().is_unicast);
  CHECK(bed.said.back().at_ms - bound_ms > 1700'000);
  CHECK(bed.last().header.ciaddr == ClientBed::kAddress);
  CHECK_FALSE(bed.last().has(option::requested_address));
  CHECK_FALSE(bed.last().has(option::server_id));
  bed.hear(bed.answer(MessageType::ack, {203, 0, 113, 78}));  // not the address that it has
  CHECK(bed.state() == State::renewing);
  bed.hear(MessageType::ack);
  CHECK(bed.state() == State::bound);
  CHECK(bed.leases.size() == 2);
  CHECK(bed.losses.empty());
  bed.pass(1600);
  CHECK(bed.state() == State::bound);
}

TEST_CASE("dhcp/client: rebinds with anybody, then gives the address up, then looks for one again",
          "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind();
  bed.pass(3150);
  CHECK(bed.state() == State::rebinding);
  CHECK_FALSE(bed.said.back().is_unicast);
  CHECK(bed.last().header.ciaddr == ClientBed::kAddress);
  CHECK(bed.said.size() < 20);
  CHECK(bed.losses.empty());
  bed.pass(451);
  REQUIRE(bed.losses.size() == 1);
  CHECK(bed.state() == State::selecting);
  CHECK(bed.last().address(option::requested_address) == ClientBed::kAddress);
  CHECK(bed.last().header.ciaddr.is_unspecified());
}

TEST_CASE("dhcp/client: another server may answer while it rebinds", "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind();
  bed.pass(3200);
  REQUIRE(bed.state() == State::rebinding);
  const Ipv4Address other{203, 0, 113, 2};
  bed.hear(bed.answer(MessageType::ack).at(kServerAt, test::Built::bytes_of(other)));
  CHECK(bed.state() == State::bound);
  CHECK(bed.leases.back().server == other);
}

TEST_CASE("dhcp/client: short leases are asked for more often than every minute",
          "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind(20);
  const size_t before = bed.said.size();
  bed.pass(15);
  CHECK(bed.said.size() - before >= 2);
  CHECK(bed.state() == State::renewing);
  bed.pass(6);
  CHECK(bed.losses.size() == 1);
}

TEST_CASE("dhcp/client: a NAK ends the lease at once", "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind();
  bed.pass(1850);
  bed.hear(bed.answer(MessageType::nak, {}));
  REQUIRE(bed.losses.size() == 1);
  bed.pass_ms(100);
  CHECK(bed.last().type == MessageType::discover);
  CHECK_FALSE(bed.last().has(option::requested_address));
}

TEST_CASE("dhcp/client: a server that offers and refuses is asked less and less often",
          "[RFC2131-4.4.1]") {
  ClientBed bed;
  for (int s = 0; s < 600; ++s) {
    bed.pass(1);
    if (bed.state() == State::selecting) bed.hear(MessageType::offer);
    if (bed.state() == State::requesting) bed.hear(bed.answer(MessageType::nak, {}));
  }
  CHECK(bed.said.size() < 40);
  CHECK(bed.said.size() > 10);
}

TEST_CASE("dhcp/client: a remembered lease is asked for again after a restart", "[RFC2131-3.2]") {
  ClientBed before;
  before.bind();
  ClientBed bed;
  bed.client.remember(before.leases[0], seconds(1000), bed.now);
  bed.pass_ms(100);
  CHECK(bed.state() == State::rebooting);
  CHECK(bed.last().type == MessageType::request);
  CHECK(bed.last().address(option::requested_address) == ClientBed::kAddress);
  CHECK_FALSE(bed.last().has(option::server_id));
  CHECK(bed.last().header.ciaddr.is_unspecified());

  SECTION("confirmed: a whole lease") {
    bed.hear(MessageType::ack);
    bed.pass(1);
    CHECK(bed.state() == State::bound);
    CHECK(bed.confirmed == std::vector<bool>{true});
    bed.pass(1500);
    CHECK(bed.state() == State::bound);
  }
  SECTION("refused: another one is looked for") {
    bed.hear(bed.answer(MessageType::nak, {}));
    bed.pass_ms(100);
    CHECK(bed.last().type == MessageType::discover);
    CHECK_FALSE(bed.last().has(option::requested_address));
    CHECK(bed.losses.empty());  // it was never in use
  }
  SECTION("no server: used until its end, while a server is looked for") {
    bed.pass(40);
    REQUIRE(bed.confirmed == std::vector<bool>{false});
    CHECK(bed.client.has_lease());
    bed.pass(300);
    CHECK(bed.state() == State::rebinding);
    bed.pass(660);
    CHECK(bed.losses.size() == 1);
  }
  SECTION("in use by somebody else meanwhile: declined") {
    bed.hear(MessageType::ack);
    bed.client.address_seen(ClientBed::kAddress, test::mac_of(9), bed.now);
    CHECK(bed.last().type == MessageType::decline);
    CHECK(bed.leases.empty());
  }
}

TEST_CASE("dhcp/client: a lease that ends while it is asked for again is not used",
          "[RFC2131-3.2]") {
  ClientBed before;
  before.bind();
  ClientBed bed;
  bed.client.remember(before.leases[0], seconds(5), bed.now);
  bed.pass(60);
  CHECK(bed.leases.empty());
  CHECK(bed.last().type == MessageType::discover);
}

TEST_CASE("dhcp/client: a lease is confirmed when the wire comes back", "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind();
  bed.client.link_came_up(bed.now);
  CHECK(bed.state() == State::rebinding);
  CHECK_FALSE(bed.said.back().is_unicast);
  bed.hear(MessageType::ack);
  CHECK(bed.state() == State::bound);
  CHECK(bed.losses.empty());
}

TEST_CASE("dhcp/client: by hand a lease is given back, and asked for again", "[RFC2131-4.4.6]") {
  ClientBed bed;
  bed.bind();
  bed.client.release(bed.now);
  CHECK(bed.last().type == MessageType::release);
  CHECK(bed.said.back().is_unicast);
  CHECK(bed.last().header.ciaddr == ClientBed::kAddress);
  CHECK(bed.last().address(option::server_id) == ClientBed::kServer);
  CHECK(bed.losses.size() == 1);
  const size_t before = bed.said.size();
  bed.pass(200);
  bed.client.link_came_up(bed.now);
  bed.pass(1);
  CHECK(bed.said.size() == before);
  bed.client.renew(bed.now);
  bed.pass_ms(100);
  CHECK(bed.last().type == MessageType::discover);
  bed.hear(MessageType::offer);
  bed.hear(MessageType::ack);
  bed.pass(1);
  bed.client.renew(bed.now);
  CHECK(bed.state() == State::renewing);
}

TEST_CASE("dhcp/client: the longest lease is renewed by half of its time", "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.random = static_cast<uint32_t>(GENERATE(range(0, 256, 16)));
  bed.bind(kLeaseForever - 1);
  const Instant bound = bed.now;
  constexpr int64_t kHalf = (int64_t{kLeaseForever} - 1) / 2;
  bed.now = bound + seconds(kHalf - kHalf / 30);
  bed.client.tick(bed.now);
  CHECK(bed.state() == State::bound);
  bed.now = bound + seconds(kHalf);
  bed.client.tick(bed.now);
  CHECK(bed.state() == State::renewing);
}

TEST_CASE("dhcp/client: a lease that does not end is never renewed", "[RFC2131-4.4.5]") {
  ClientBed bed;
  bed.bind(kLeaseForever);
  const size_t before = bed.said.size();
  for (int i = 0; i < 1000; ++i) {
    bed.now = bed.now + seconds(86'400);
    bed.client.tick(bed.now);
  }
  CHECK(bed.state() == State::bound);
  CHECK(bed.said.size() == before);
}

TEST_CASE("dhcp/client: what there is an objection to is not asked for", "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.against = "it overlaps the office";
  bed.pass_ms(100);
  bed.hear(MessageType::offer);
  bed.hear(MessageType::offer);
  CHECK(bed.state() == State::selecting);
  REQUIRE(bed.remarks.size() == 1);  // said once a minute
  bed.against.clear();
  bed.hear(MessageType::offer);
  CHECK(bed.state() == State::requesting);
  bed.against = "it overlaps the office";
  bed.hear(MessageType::ack);
  CHECK(bed.state() == State::init);
  CHECK(bed.leases.empty());
}

TEST_CASE("dhcp/client: a lease held is kept when its renewal makes no sense", "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.bind();
  bed.pass(1850);
  bed.hear(bed.answer(MessageType::ack, ClientBed::kAddress, 0));
  CHECK(bed.state() == State::renewing);
  CHECK(bed.losses.empty());
  bed.client.refuse("the file has it", bed.now);
  CHECK(bed.losses == std::vector<std::string>{"the file has it"});
}

TEST_CASE("dhcp/client: what is not for it is passed over", "[RFC2131-4.4.1]") {
  ClientBed bed;
  bed.pass_ms(100);
  auto stays = [&](const std::vector<uint8_t>& bytes) {
    bed.client.receive(bytes, bed.now);
    return bed.state() == State::selecting;
  };
  auto offer = [&] { return bed.answer(MessageType::offer); };
  CHECK(stays({}));
  CHECK(stays(offer().at(4, {9, 9}).done()));  // another xid
  CHECK(stays(offer().at(28, {9}).done()));    // another MAC
  CHECK(stays(offer().at(0, {1}).done()));     // a request
  CHECK(stays(bed.answer(MessageType::ack).done()));
  CHECK(stays(bed.answer(MessageType::nak).done()));
  CHECK_FALSE(stays(offer().done()));
  const auto other = Ipv4Address(203, 0, 113, 2);
  bed.hear(bed.answer(MessageType::ack, {203, 0, 113, 78}));
  CHECK(bed.state() == State::requesting);  // not what was asked for
  bed.hear(bed.answer(MessageType::nak, {}).at(kServerAt, test::Built::bytes_of(other)));

  CHECK(bed.state() == State::requesting);  // of another server
}

}  // namespace postern::dhcp
