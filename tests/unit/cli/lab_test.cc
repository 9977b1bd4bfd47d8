// SPDX-License-Identifier: BSD-3-Clause
#include "cli/lab/lab.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "cli/lab/network.h"
#include "cli/lab/process.h"
#include "cli/lab/topology.h"

namespace postern::cli {
namespace {

std::set<std::string> ends_of_wires() {
  std::set<std::string> ends;
  for (const LabWire& wire : lab_wires()) {
    for (const LabEnd& end : {wire.a, wire.b}) {
      ends.insert(std::string(end.host) + " " + std::string(end.device));
    }
  }
  return ends;
}

}  // namespace

TEST_CASE(
    "cli/lab: the picture is consistent: wires join hosts, addresses and taps lie on wires.") {
  std::set<std::string> macs;
  for (const LabWire& wire : lab_wires()) {
    for (const LabEnd& end : {wire.a, wire.b}) {
      CHECK(find_lab_host(end.host) != nullptr);
      CHECK(macs.insert(std::string(end.mac)).second);
    }
  }
  const std::set<std::string> ends = ends_of_wires();
  CHECK(ends.size() == 2 * lab_wires().size());
  for (const LabAddress& one : lab_addresses()) {
    CHECK(ends.count(std::string(one.host) + " " + std::string(one.device)) == 1);
  }
  for (const LabTap& tap : lab_taps()) {
    CHECK(ends.count(std::string(tap.host) + " " + std::string(tap.device)) == 1);
  }
}

TEST_CASE("cli/lab: the gateway's kernel has no address and does not forward.") {
  for (const LabAddress& one : lab_addresses())
    CHECK(one.host != kLabGateway);
  CHECK_FALSE(find_lab_host(kLabGateway)->forwards);
}

TEST_CASE("cli/lab: a name that could leave its directory or be too long is refused.") {
  CHECK(Lab::named("lab").has_value());
  CHECK(Lab::named("demo2")->directory() == "/run/postern-lab/demo2");
  for (const char* name : {"", "..", "a/b", "Lab", "a-b", "abcdefghijklm"}) {
    CHECK_FALSE(Lab::named(name).has_value());
  }
  CHECK(netns_name("lab", "client") == "postern-lab-client");
}

TEST_CASE("cli/lab: a command that fails is quoted with what it said.") {
  CHECK(run({"echo", "hello"}).value() == "hello\n");
  const auto failed = run({"sh", "-c", "echo oh; exit 3"});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().text == "sh -c echo oh; exit 3: oh");
  CHECK_FALSE(run({"no-such-command-here"}).has_value());
}

TEST_CASE("cli/lab: a process is known by its number and its time of start.") {
  const ProcessId self = identify(::getpid());
  CHECK(is_running(self));
  CHECK_FALSE(is_running({self.pid, self.started + 1}));
  CHECK_FALSE(is_running(identify(0)));
}

}  // namespace postern::cli
