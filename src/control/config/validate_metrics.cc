// SPDX-License-Identifier: BSD-3-Clause
// admin.metrics: who may ask, and where.
#include "control/config/needs.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "admin.metrics";
constexpr uint8_t kTcp = 6;

// What is counted says much about a network: it is told inside alone.
void validate_listen(Check& check, const Metrics& metrics, std::vector<Need>& needs) {
  const std::string path = join(kPath, "listen");
  for (size_t i = 0; i < metrics.listen.size(); ++i) {
    const std::string place = item_path(path, i, metrics.listen.size());
    const Interface* interface = check.require_interface(metrics.listen[i], place);
    if (interface == nullptr) continue;
    if (interface->zone == Zone::external) {
      check.report.error_at(
          place, quote(interface->name) + " is external; metrics are told to hosts inside only");
    } else if (interface->enabled && interface->addresses.empty() && !interface->dhcp) {
      check.report.error_at(place, quote(interface->name) + " has no address to ask at");
    } else if (interface->enabled) {
      needs.push_back({interface, kTcp, metrics.port, place});
    }
  }
}

void validate_from(Check& check, const Metrics& metrics) {
  const std::string path = join(kPath, "from");
  check.require_items(ItemKind::address, metrics.from, path);
  if (!metrics.listen.empty() && metrics.from.empty()) {
    check.report.error_at(std::string(kPath),
                          "listen needs from: the addresses of those who may ask");
  } else if (metrics.listen.empty() && !metrics.from.empty()) {
    check.report.warning_at(path, "is for the interfaces of listen, and there are none");
  }
}

}  // namespace

void validate_metrics(Check& check) {
  if (!check.model.admin.metrics) return;
  const Metrics& metrics = *check.model.admin.metrics;
  std::vector<Need> needs;
  validate_listen(check, metrics, needs);
  validate_from(check, metrics);
  if (metrics.listen.empty() && !metrics.loopback) {
    check.report.warning_at(std::string(kPath),
                            "tells nobody: loopback is off and listen is empty");
  }
  if (check.report.errors() > 0 || check.model.filter.posture != Posture::normal) return;
  meet_by_rules(check, needs);
  warn_of_unmet(check, needs);
}

}  // namespace postern::config
