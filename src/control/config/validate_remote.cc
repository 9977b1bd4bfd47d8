// SPDX-License-Identifier: BSD-3-Clause
// admin.remote: who may connect, and whether the filter lets them.
#include <algorithm>

#include "control/config/listening.h"
#include "control/config/needs.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "admin.remote";
constexpr uint8_t kTcp = 6;

// F61: the world outside does not even get to the handshake.
void validate_external(Check& check, const AdminRemote& remote, const Interface& interface) {
  if (remote.from.empty()) {
    check.report.error_at(
        std::string(kPath) + ".listen",
        quote(interface.name) + " is external; list the addresses of administrators in from");
    return;
  }
  const Nat& nat = check.model.nat;
  const bool is_given_out = remote.port >= nat.first_port && remote.port <= nat.last_port &&
                            std::find(nat.reserved_ports.begin(), nat.reserved_ports.end(),
                                      remote.port) == nat.reserved_ports.end();
  if (is_given_out) {
    check.report.warning_at(std::string(kPath) + ".listen",
                            "port " + std::to_string(remote.port) +
                                " may be a mapping's as well; add it to nat.reserved_ports");
  }
}

void warn_of_rules(Check& check, const AdminRemote& remote) {
  std::vector<Need> needs;
  for (const Interface& interface : check.model.interfaces) {
    if (!listens_on(listening_of(remote), interface)) continue;
    needs.push_back({&interface, kTcp, remote.port, std::string(kPath)});
  }
  if (needs.empty())
    check.report.warning_at(std::string(kPath), "there is no interface to listen on");
  meet_by_rules(check, needs);
  for (const Need& need : needs) {
    if (need.is_met) continue;
    check.report.warning_at(need.path, "no rule lets administrators in by " + need.asker->name +
                                           "; add one with in: " + need.asker->name +
                                           ", out: gateway, service: tcp/" +
                                           std::to_string(need.port) + ", log: true");
  }
}

}  // namespace

void validate_remote(Check& check) {
  if (!check.model.admin.remote) return;
  const AdminRemote& remote = *check.model.admin.remote;
  const std::string path(kPath);
  check.require_items(ItemKind::address, remote.from, path + ".from");
  for (size_t i = 0; i < remote.listen.size(); ++i) {
    std::string place = item_path(path + ".listen", i, remote.listen.size());
    const Interface* interface = check.require_interface(remote.listen[i], place);
    if (interface && interface->zone == Zone::external) {
      validate_external(check, remote, *interface);
    }
  }
  const bool is_judged = remote.enabled && check.report.errors() == 0;
  if (is_judged && check.model.filter.posture == Posture::normal) warn_of_rules(check, remote);
}

}  // namespace postern::config
