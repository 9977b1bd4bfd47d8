// SPDX-License-Identifier: BSD-3-Clause
// Tree of the file -> Model. Form only: each value is what its key asks for. Whether names exist
// and fields agree with each other is for validate.h.
//
// Each parse_ function fills what it can and reports all that is wrong. Thread: control.
#pragma once

#include <cstddef>
#include <vector>

#include "control/config/model.h"
#include "control/config/report.h"
#include "control/config/section.h"
#include "control/config/yaml.h"

namespace postern::config {

struct Parsed {
  Model model;
  // Of each rule of the model, which entry of filter.rules it comes from (templates are several).
  std::vector<size_t> rule_entries;
  // No error in these sections, or in the whole file: checks that rest on them make sense.
  bool interfaces_sound = false;
  std::vector<bool> routes_sound;  // each route by itself
  bool objects_sound = false;
  bool sound = false;
};

Parsed parse_file(const Node& root, Report& report);

// One for each section of the file; parse_interfaces takes the value of the key "interfaces".
void parse_system(Section& section, System& system);
void parse_admin(Section& section, Admin& admin);
void parse_remote(Section& section, AdminRemote& remote);
void parse_logging(Section& section, Logging& logging);
void parse_ipfix(Section& section, Ipfix& ipfix);
// "192.0.2.9" or "192.0.2.9:514"; without a port `port` stays as it is.
void parse_target(const Field& field, Ipv4Address& address, uint16_t& port);
void parse_metrics(Section& section, Metrics& metrics);
void parse_interfaces(const Field& field, std::vector<Interface>& interfaces);
void parse_route(Section& section, Route& route);
void parse_objects(Section& section, Objects& objects);
void parse_nat(Section& section, Nat& nat);
void parse_filter(Section& section, Parsed& parsed);
void parse_services(Section& section, Services& services);
void parse_dns(Section& section, Dns& dns);
void parse_dhcp(Section& section, Dhcp& dhcp);
void parse_portal(Section& section, Portal& portal);
void parse_http(Section& section, Http& http);
void parse_mail(Section& section, Mail& mail);
// Its keys relay, fetch and etrn.
void parse_mail_remote(Section& section, Mail& mail);
void parse_users(Section& section, Users& users);
void parse_rule(Section& section, FilterRule& rule);
// What tests of configurations and of templates have in common: in, protocol, from, to, verdict and
// rule.
void parse_test_packet(Section& section, TestPacket& packet);
void parse_policy_test(Section& section, PolicyTest& test);

// A list of items in which "any" alone means the same as no list.
void parse_match(Section& section, std::string_view key, std::vector<std::string>& items);

}  // namespace postern::config
