// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/lease_memory.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

KeptLease kept() {
  KeptLease lease;
  lease.mac = {{2, 0, 0, 0, 0, 7}};
  lease.asked_at = 1'700'000'000;
  lease.lease.address = *parse_prefix("203.0.113.77/24");
  lease.lease.server = *parse_ipv4("203.0.113.1");
  lease.lease.routes = {{0, 0, lease.lease.server.number}};
  lease.lease.dns_servers = {{192, 0, 2, 53}};
  lease.lease.lease_s = 3600;
  lease.lease.renew_s = 1800;
  lease.lease.rebind_s = 3000;
  return lease;
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = to_text(KeptLeases{{"wan", kept()}});
  size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("control/lease_memory: what is written is read again", "[RFC2131-3.2]") {
  KeptLeases read = read_kept_leases(to_text(KeptLeases{{"wan", kept()}}));
  REQUIRE(read.size() == 1);
  CHECK(read["wan"].mac == kept().mac);
  CHECK(read["wan"].asked_at == kept().asked_at);
  CHECK(read["wan"].lease == kept().lease);
  CHECK(read_kept_leases(to_text(KeptLeases{})).empty());
}

TEST_CASE("control/lease_memory: what is left of a lease", "[RFC2131-3.2]") {
  KeptLease lease = kept();
  CHECK(lease.left_s(lease.asked_at) == 3600);
  CHECK(lease.left_s(lease.asked_at + 3599) == 1);
  CHECK(lease.left_s(lease.asked_at + 3600) == 0);
  CHECK(lease.left_s(lease.asked_at - 1) == 0);  // the clock was set back
  lease.lease.lease_s = dhcp::kLeaseForever;
  CHECK(lease.left_s(lease.asked_at + 100'000'000) == dhcp::kLeaseForever);
}

TEST_CASE("control/lease_memory: a damaged file is no lease", "[RFC2131-3.2]") {
  for (const char* text : {"", "x", "[]", "{", "{\"wan\": 1}", "{\"wan\": {}}", "null"})
    CHECK(read_kept_leases(text).empty());
  CHECK(read_kept_leases(with("203.0.113.77/24", "127.0.0.1/8")).empty());
  CHECK(read_kept_leases(with("203.0.113.77/24", "203.0.113.255/24")).empty());
  CHECK(read_kept_leases(with("203.0.113.77/24", "203.0.113.77/99")).empty());
  CHECK(read_kept_leases(with("\"lease_s\": 3600", "\"lease_s\": -5")).empty());
  CHECK(read_kept_leases(with("\"lease_s\": 3600", "\"lease_s\": 1e99")).empty());
  CHECK(read_kept_leases(with("\"lease_s\": 3600", "\"lease_s\": 99999999999")).empty());
  CHECK(read_kept_leases(with("02:00:00:00:00:07", "02")).empty());
  auto without_route = read_kept_leases(with("0.0.0.0/0", "nonsense"));
  REQUIRE(without_route.size() == 1);
  CHECK(without_route["wan"].lease.routes.empty());
  CHECK(read_kept_leases(with("\"server\": \"203.0.113.1\"", "\"server\": 5")).empty());
}

}  // namespace postern
