// SPDX-License-Identifier: BSD-3-Clause
#include "cli/lab/network.h"

#include <utility>

#include "cli/lab/process.h"
#include "cli/lab/topology.h"

namespace postern::cli {
namespace {

namespace fs = std::filesystem;

// `ip` inside a host of the lab.
Result<void> ip(std::string_view lab, std::string_view host,
                const std::vector<std::string>& words) {
  Argv command{"ip", "-n", netns_name(lab, host)};
  command.insert(command.end(), words.begin(), words.end());
  Result<std::string> done = run(command);
  if (!done) return std::move(done).error();
  return {};
}

Result<void> in_host(std::string_view lab, std::string_view host, const Argv& words) {
  Argv command{"ip", "netns", "exec", netns_name(lab, host)};
  command.insert(command.end(), words.begin(), words.end());
  Result<std::string> done = run(command);
  if (!done) return std::move(done).error();
  return {};
}

// A namespace that is quiet (nothing is sent that nobody asked for) and does not limit the rate of
// its ICMP answers, so that tests see all of them.
Result<void> add_host(std::string_view lab, const LabHost& host) {
  Result<std::string> added = run({"ip", "netns", "add", netns_name(lab, host.name)});
  if (!added) return std::move(added).error();
  Result<void> set = in_host(
      lab, host.name,
      {"sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
       "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000",
       "net.ipv4.icmp_msgs_burst=10000", "net.ipv4.conf.all.rp_filter=0",
       "net.ipv4.conf.default.rp_filter=0", "net.ipv4.ping_group_range=0 2147483647",
       std::string("net.ipv4.ip_forward=") + (host.forwards ? "1" : "0")});
  if (!set) return set;
  Result<void> up = ip(lab, host.name, {"link", "set", "lo", "up"});
  if (!up || host.name != kLabSwitch) return up;
  return ip(lab, host.name,
            {"link", "add", "switch", "up", "type", "bridge", "mcast_snooping", "0"});
}

// Both ends send frames that are complete, as a wire has them: what the kernel leaves to the
// hardware (checksums, segmentation) would reach the gateway undone.
Result<void> finish_end(std::string_view lab, const LabEnd& end) {
  Argv offloads{"ethtool", "-K", std::string(end.device)};
  for (const char* offload : {"tx", "tso", "gso", "gro"}) {
    offloads.insert(offloads.end(), {offload, "off"});
  }
  Result<void> done = in_host(lab, end.host, offloads);
  if (!done) return done;
  std::vector<std::string> up{"link", "set", std::string(end.device), "up"};
  if (end.host == kLabSwitch) up.insert(up.end(), {"master", "switch"});
  return ip(lab, end.host, up);
}

Result<void> add_wire(std::string_view lab, const LabWire& wire) {
  Result<void> done =
      ip(lab, wire.a.host,
         {"link", "add", "name", std::string(wire.a.device), "address", std::string(wire.a.mac),
          "type", "veth", "peer", "name", std::string(wire.b.device), "address",
          std::string(wire.b.mac), "netns", netns_name(lab, wire.b.host)});
  if (!done) return done;
  done = finish_end(lab, wire.a);
  if (!done) return done;
  return finish_end(lab, wire.b);
}

}  // namespace

std::string netns_name(std::string_view lab, std::string_view host) {
  return "postern-" + std::string(lab) + "-" + std::string(host);
}

fs::path netns_path(std::string_view lab, std::string_view host) {
  return fs::path("/run/netns") / netns_name(lab, host);
}

std::vector<fs::path> netns_paths(std::string_view lab) {
  std::vector<fs::path> paths;
  for (const LabHost& host : lab_hosts())
    paths.push_back(netns_path(lab, host.name));
  return paths;
}

Result<void> build_network(std::string_view lab) {
  for (const LabHost& host : lab_hosts()) {
    Result<void> done = add_host(lab, host);
    if (!done) return done;
  }
  for (const LabWire& wire : lab_wires()) {
    Result<void> done = add_wire(lab, wire);
    if (!done) return done;
  }
  for (const LabAddress& one : lab_addresses()) {
    Result<void> done =
        ip(lab, one.host,
           {"address", "add", std::string(one.address), "dev", std::string(one.device)});
    if (!done) return done;
  }
  for (const LabRoute& route : lab_routes()) {
    Result<void> done =
        ip(lab, route.host, {"route", "add", std::string(route.to), "via", std::string(route.via)});
    if (!done) return done;
  }
  return {};
}

Result<void> remove_network(std::string_view lab) {
  Result<void> outcome;
  for (const LabHost& host : lab_hosts()) {
    if (!fs::exists(netns_path(lab, host.name))) continue;
    Result<std::string> done = run({"ip", "netns", "delete", netns_name(lab, host.name)});
    if (!done) outcome = std::move(done).error();
  }
  return outcome;
}

}  // namespace postern::cli
