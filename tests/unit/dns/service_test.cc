// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/service.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::dns {

TEST_CASE("dns/service: a hosts file that cannot be read is told, once", "[F47]") {
  boost::asio::io_context context;
  std::vector<std::string> told;
  Service::Report report;
  report.warn = [&](const std::string& line) { told.push_back(line); };
  Service service(context, std::move(report));
  Settings settings;
  settings.hosts_files = {"/nonexistent/hosts"};
  REQUIRE(service.apply(settings, {}));
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "/nonexistent/hosts cannot be read");
  REQUIRE(service.apply(settings, {}));
  CHECK(told.size() == 1);
}

}  // namespace postern::dns
