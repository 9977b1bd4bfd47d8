// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dns_control.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "control/loop.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

// The service with a server that never answers, and no listener.
struct Bed {
  const int silent = socket(AF_INET, SOCK_DGRAM, 0);
  test::TemporaryDirectory directory;
  Loop loop;
  ErrorLog log;
  DnsControl dns{loop, log, directory.path()};
  config::Model model;
  Policy policy;

  Bed() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(silent, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    model.services.dns.emplace();
    model.services.dns->servers = {"127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
  }
  ~Bed() { close(silent); }
  Result<void> follow() {
    return dns.follow(model, policy, [](InterfaceId) { return std::string(); });
  }
  void turn() {
    loop.context().restart();
    loop.context().poll();
  }
};

}  // namespace

// As the proxy does: the first of those that want a page failed, the next one asks for itself.
TEST_CASE("control/dns_control: who is told that the service ends may ask again", "[F56]") {
  Bed bed;
  REQUIRE(bed.follow());
  std::vector<std::string> told;
  std::vector<bool> asked;
  OwnQuestions::Found found = [&](const Result<OwnQuestions::Addresses>& addresses) {
    REQUIRE_FALSE(addresses);
    told.push_back(addresses.error().text);
    asked.push_back(bed.dns.find_addresses("away.example", found));
  };
  REQUIRE(bed.dns.find_addresses("away.example", found));
  REQUIRE(bed.dns.find_addresses("away.example", found));
  bed.model.services.dns.reset();
  REQUIRE(bed.follow());
  bed.turn();
  CHECK(told == std::vector<std::string>(2, "the DNS service ends"));
  CHECK(asked == std::vector<bool>(2, false));  // there is nobody to ask
  CHECK(bed.dns.service() == nullptr);
}

TEST_CASE("control/dns_control: a service that begins again is asked at once", "[F56]") {
  Bed bed;
  std::vector<std::string> told;
  const OwnQuestions::Found found = [&](const Result<OwnQuestions::Addresses>& addresses) {
    told.push_back(addresses ? to_text(addresses->front()) : addresses.error().text);
  };
  CHECK_FALSE(bed.dns.find_addresses("here.example", found));
  bed.model.services.dns->records = {{"here.example", Ipv4Address(198, 51, 100, 7)}};
  REQUIRE(bed.follow());
  REQUIRE(bed.dns.find_addresses("away.example", found));
  bed.model.services.dns->enabled = false;
  REQUIRE(bed.follow());
  bed.model.services.dns->enabled = true;
  REQUIRE(bed.follow());
  REQUIRE(bed.dns.find_addresses("here.example", found));
  bed.turn();
  CHECK(told == std::vector<std::string>{"the DNS service ends", "198.51.100.7"});
}

}  // namespace postern
