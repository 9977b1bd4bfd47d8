// SPDX-License-Identifier: BSD-3-Clause
// Cross-field rules of a parsed file: names exist, networks do not overlap, ranges fit.
//
// One Check for the whole run holds the name tables; the validate_ functions each go through one
// section and report everything they find at the place in the file. Thread: control.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/config/load.h"
#include "control/config/parse.h"
#include "control/config/report.h"
#include "control/config/resolve.h"

namespace postern::config {

enum class ItemKind { address, service, time };

class Check {
 public:
  Check(const Parsed& parsed, Report& report);

  const Parsed& parsed;
  const Model& model;
  Report& report;
  Resolver resolver;

  // nullptr when there is no such interface.
  const Interface* find_interface(std::string_view name) const;
  // The interface that has `address` as its own, or on one of its networks; disabled ones count
  // not.
  const Interface* owner_of(Ipv4Address address) const;
  const Interface* network_of(Ipv4Address address) const;

  // Reports an interface that does not exist; nullptr then.
  const Interface* require_interface(const std::string& name, const std::string& path);
  void require_interfaces(const std::vector<std::string>& names, const std::string& path);
  // Reports names of objects that do not exist, and "gateway" where it has no meaning.
  void require_items(ItemKind kind, const std::vector<std::string>& items, const std::string& path,
                     bool gateway_allowed = false);

  // Objects of the kind that nothing refers to.
  std::vector<const Object*> unused(ItemKind kind) const;
  const std::vector<Object>& objects(ItemKind kind) const;
  std::optional<size_t> find_object(ItemKind kind, std::string_view name) const;

 private:
  struct Names {
    std::unordered_map<std::string_view, size_t> index;
    std::vector<std::string_view> list;
    std::vector<bool> used;
  };
  void report_unknown_item(ItemKind kind, const std::string& item, const std::string& path);

  Names kinds_[3];
  std::vector<std::string_view> interface_names_;
};

// "path[i]" in a list of several, "path" for a single element.
std::string item_path(const std::string& path, size_t index, size_t count);
bool is_object_name(ItemKind kind, std::string_view item);
// What keeps `address` from being a host's; empty when nothing does.
std::string_view host_fault(Ipv4Address address);

// Everything below.
void validate(const Parsed& parsed, Report& report);

void validate_system(Check& check);
void validate_logging(Check& check);
void validate_ipfix(Check& check);
void validate_interfaces(Check& check);
void validate_routes(Check& check);
void validate_objects(Check& check);
void validate_nat(Check& check);
void validate_port_maps(Check& check);
void validate_filter(Check& check);
void validate_dns(Check& check);
void validate_dhcp(Check& check);
void validate_tests(Check& check);
void validate_remote(Check& check);
void validate_portal(Check& check);
void validate_http(Check& check);
// A part of it.
void validate_http_rules(Check& check, const Http& http);
void validate_mail(Check& check);
// Parts of it.
void validate_mail_users(Check& check, const Mail& mail);
void validate_mail_relay(Check& check, const Mail& mail);
void validate_mail_remote(Check& check, const Mail& mail);
void validate_users(Check& check);
void validate_metrics(Check& check);
// After all others, which mark what they use.
void validate_unused(Check& check);

}  // namespace postern::config
