// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/client_lease.h"

#include <catch2/catch.hpp>

#include "unit/dhcp/build_message.h"

namespace postern::dhcp {
namespace {

using test::Built;

constexpr Ipv4Address kServer{203, 0, 113, 1};
constexpr Ipv4Address kMask{255, 255, 255, 0};

Built ack(Ipv4Address address = {203, 0, 113, 77}) {
  return Built(MessageType::ack, 7).at(0, {kBootReply}).at(16, Built::bytes_of(address));
}
Built good() {
  return ack()
      .address(option::server_id, kServer)
      .address(option::subnet_mask, kMask)
      .address(option::lease_time, Ipv4Address(3600));
}
Result<ClientLease> read(const Built& built) {
  Message message;
  REQUIRE(message.read(built.done()) == MessageFault::none);
  return read_lease(message);
}

}  // namespace

TEST_CASE("dhcp/client_lease: address, routes, servers and times", "[RFC2131-4.4.1]") {
  auto lease =
      read(good()
               .option(option::routers, {203, 0, 113, 254, 203, 0, 113, 253})
               .option(option::dns_servers, {192, 0, 2, 53, 192, 0, 2, 53, 198, 51, 100, 53})
               .address(option::renewal_time, Ipv4Address(600))
               .address(option::rebinding_time, Ipv4Address(900)));
  REQUIRE(lease);
  CHECK(to_text(lease->address) == "203.0.113.77/24");
  CHECK(lease->server == kServer);
  CHECK(lease->routes == std::vector<ClasslessRoute>{{0, 0, Ipv4Address(203, 0, 113, 254).number}});
  CHECK(lease->dns_servers.size() == 2);
  CHECK(lease->lease_s == 3600);
  CHECK(lease->renew_s == 600);
  CHECK(lease->rebind_s == 900);
}

TEST_CASE("dhcp/client_lease: classless routes stand in for routers", "[RFC3442-2]") {
  auto lease = read(good()
                        .option(option::routers, {203, 0, 113, 254})
                        .option(option::classless_routes, {0, 203, 0, 113, 1,  //
                                                           12, 172, 16, 203, 0, 113, 2}));
  REQUIRE(lease);
  REQUIRE(lease->routes.size() == 2);
  CHECK(lease->routes[0].via == Ipv4Address(203, 0, 113, 1).number);
  CHECK(lease->routes[1].length == 12);
  // A broken option counts for nothing.
  lease = read(good()
                   .option(option::routers, {203, 0, 113, 254})
                   .option(option::classless_routes, {33, 1, 2, 3, 4, 5, 6}));
  REQUIRE(lease);
  REQUIRE(lease->routes.size() == 1);
  CHECK(lease->routes[0].via == Ipv4Address(203, 0, 113, 254).number);
}

TEST_CASE("dhcp/client_lease: routes that cannot be are left out", "[RFC3442-2]") {
  auto lease = read(good().option(option::classless_routes,
                                  {0,  198, 51,  100, 1,       // router on another network
                                   0,  203, 0,   113, 77,      // the client itself
                                   0,  203, 0,   113, 255,     // a broadcast address
                                   0,  0,   0,   0,   0,       // the wire itself
                                   1,  128, 203, 0,   113, 1,  // half of everything
                                   8,  127, 203, 0,   113, 1,  // loopback
                                   8,  224, 203, 0,   113, 1,  // multicast
                                   16, 198, 18,  203, 0,   113, 1, 16, 198, 18, 203, 0, 113, 2}));
  REQUIRE(lease);
  CHECK(lease->routes ==
        std::vector<ClasslessRoute>{{Ipv4Address(198, 18, 0, 0).number, 16, kServer.number}});
}

TEST_CASE("dhcp/client_lease: lists end where the limits are", "[RFC2131-4.4.1]") {
  std::vector<uint8_t> routes;
  for (uint8_t i = 0; i < 200; ++i) {
    for (uint8_t byte : std::initializer_list<uint8_t>{24, 198, 18, i, 203, 0, 113, 1})
      routes.push_back(byte);
  }
  ClientLease lease = read(good()).value();
  lease.routes = decode_routes(routes);
  for (uint8_t i = 1; i < 100; ++i)
    lease.dns_servers.push_back(Ipv4Address(192, 0, 2, i));
  auto good = checked(lease);
  REQUIRE(good);
  CHECK(good->routes.size() == kClientRoutesMax);
  CHECK(good->dns_servers.size() == kClientServersMax);
}

TEST_CASE("dhcp/client_lease: without a netmask the class of the address has it",
          "[RFC2131-4.4.1]") {
  auto length = [](Ipv4Address address) {
    auto lease = read(ack(address)
                          .address(option::server_id, kServer)
                          .address(option::lease_time, Ipv4Address(60)));
    return lease ? lease->address.length : 0;
  };
  CHECK(length({10, 1, 2, 3}) == 8);
  CHECK(length({172, 16, 2, 3}) == 16);
  CHECK(length({203, 0, 113, 3}) == 24);
}

TEST_CASE("dhcp/client_lease: what is refused says why", "[RFC2131-4.4.1]") {
  auto why = [](const Built& built) {
    auto lease = read(built);
    return lease ? std::string() : lease.error().text;
  };
  auto with_mask = [](Ipv4Address mask, Ipv4Address address = {203, 0, 113, 77}) {
    return ack(address)
        .address(option::server_id, kServer)
        .address(option::lease_time, Ipv4Address(3600))
        .address(option::subnet_mask, mask);
  };
  auto with_time = [](uint32_t lease_s) {
    return ack()
        .address(option::server_id, kServer)
        .address(option::subnet_mask, kMask)
        .address(option::lease_time, Ipv4Address(lease_s));
  };
  for (Ipv4Address address :
       {Ipv4Address(), Ipv4Address(0, 1, 2, 3), Ipv4Address(127, 0, 0, 1),
        Ipv4Address(224, 0, 0, 9), Ipv4Address(240, 0, 0, 1), Ipv4Address(255, 255, 255, 255)}) {
    CHECK_THAT(why(with_mask(kMask, address)), Catch::EndsWith("is no address for a host"));
  }
  CHECK(why(with_mask(kMask, {203, 0, 113, 0})) == "203.0.113.0/24 is no address for a host");
  CHECK(why(with_mask(kMask, {203, 0, 113, 255})) == "203.0.113.255/24 is no address for a host");
  for (Ipv4Address mask : {Ipv4Address(), Ipv4Address(255, 0, 255, 0), Ipv4Address(0, 0, 0, 255),
                           Ipv4Address(254, 0, 0, 0)}) {
    CHECK(why(with_mask(mask)) == "its netmask is none");
  }
  CHECK(why(with_mask({255, 255, 255, 255})).empty());
  CHECK(why(with_mask({255, 255, 255, 254})).empty());
  CHECK(why(with_time(0)) == "it holds for 0 s only");
  CHECK(why(with_time(19)) == "it holds for 19 s only");
  CHECK(why(with_time(20)).empty());
  CHECK(why(ack().address(option::server_id, kServer).address(option::subnet_mask, kMask)) ==
        "it holds for 0 s only");
  CHECK(why(ack().address(option::lease_time, Ipv4Address(60))) ==
        "its server does not say who it is");
}

TEST_CASE("dhcp/client_lease: times out of order become those of the protocol", "[RFC2131-4.4.5]") {
  auto times = [](uint32_t lease_s, uint32_t renew_s, uint32_t rebind_s) {
    ClientLease lease = read(good()).value();
    lease.lease_s = lease_s;
    lease.renew_s = renew_s;
    lease.rebind_s = rebind_s;
    lease = checked(lease).value();
    return std::vector<uint32_t>{lease.renew_s, lease.rebind_s};
  };
  using Times = std::vector<uint32_t>;
  CHECK(times(3600, 0, 0) == Times{1800, 3150});
  CHECK(times(3600, 100, 200) == Times{100, 200});
  CHECK(times(3600, 3000, 2000) == Times{1800, 2000});
  CHECK(times(3600, 4000, 5000) == Times{1800, 3150});
  CHECK(times(3600, 1, 2) == Times{1800, 3150});
  CHECK(times(20, 0, 0) == Times{10, 18});
  CHECK(times(kLeaseForever, 1, 2) == Times{kLeaseForever, kLeaseForever});
}

}  // namespace postern::dhcp
