// SPDX-License-Identifier: BSD-3-Clause
// services.portal, and rules that need it: nobody logs in from outside, and nobody at all without
// the page (F27).
#include <algorithm>

#include "control/config/user_items.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr int64_t kShortestMs = 5'000;
constexpr std::string_view kPath = "services.portal";

void validate_listen(Check& check, const Portal& portal) {
  const std::string path = join(kPath, "listen");
  for (size_t i = 0; i < portal.listen.size(); ++i) {
    const std::string place = item_path(path, i, portal.listen.size());
    const Interface* interface = check.require_interface(portal.listen[i], place);
    if (interface == nullptr) continue;
    if (interface->zone == Zone::external) {
      check.report.error_at(place, quote(portal.listen[i]) + " is external; people log in inside");
    } else if (interface->enabled && interface->addresses.empty()) {
      check.report.error_at(place, quote(portal.listen[i]) + " has no address for the page");
    }
  }
}

void validate_times(Check& check, const Portal& portal) {
  auto require = [&](std::string_view key, Duration value) {
    if (value.ns == 0 || value >= milliseconds(kShortestMs)) return;
    check.report.error_at(join(kPath, key), "is below 5s; 0s switches it off");
  };
  require("idle_timeout", portal.idle_timeout);
  require("absolute_timeout", portal.absolute_timeout);
  require("heartbeat", portal.heartbeat);
}

// Rules whose users have nowhere to log in.
void validate_rules(Check& check) {
  const Model& model = check.model;
  const bool has_page = model.services.portal && model.services.portal->enabled;
  for (size_t i = 0; i < model.filter.rules.size() && !has_page; ++i) {
    const FilterRule& rule = model.filter.rules[i];
    if (rule.users.empty() || !rule.enabled) continue;
    const std::string path = join("filter.rules", check.parsed.rule_entries[i]);
    check.report.warning_at(rule.from_template.empty() ? join(path, "users") : path,
                            "matches nobody: there is no services.portal to log in at");
    return;
  }
}

}  // namespace

void validate_portal(Check& check) {
  validate_rules(check);
  if (!check.model.services.portal) return;
  const Portal& portal = *check.model.services.portal;
  validate_listen(check, portal);
  validate_times(check, portal);
  if (portal.certificate.empty() != portal.key.empty()) {
    check.report.error_at(join(kPath, portal.key.empty() ? "certificate" : "key"),
                          "a certificate and its key come together");
  }
}

}  // namespace postern::config
