// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_version(Section& file) {
  auto field = file.find("version");
  if (!field) return;
  uint32_t version = 0;
  // A plain number other than 1 is not out of bounds but of another version of Postern.
  const Node& node = field->node;
  bool other = node.kind == NodeKind::scalar && !node.quoted && node.text != "1" &&
               !node.text.empty() && node.text.find_first_not_of("0123456789") == std::string::npos;
  if (other) {
    field->error("version " + printable(node.text) + " is not known; this program reads version 1");
  } else {
    file.number("version", version);
  }
}

}  // namespace

void parse_match(Section& section, std::string_view key, std::vector<std::string>& items) {
  section.strings(key, items);
  if (items.size() == 1 && items[0] == "any") items.clear();
}

Parsed parse_file(const Node& root, Report& report) {
  Parsed parsed;
  if (root.kind != NodeKind::map) {
    report.error(root.mark, "",
                 root.kind == NodeKind::null
                     ? "the file is empty; at least version and interfaces are needed"
                     : "expected a map of keys and values");
    return parsed;
  }
  Model& model = parsed.model;
  const bool yaml_sound = report.errors() == 0;
  Section file(report, root, "", kFile);
  parse_version(file);
  if (auto section = file.section("system")) parse_system(*section, model.system);
  size_t errors = report.errors();
  if (auto field = file.find("interfaces")) parse_interfaces(*field, model.interfaces);
  parsed.interfaces_sound = yaml_sound && report.errors() == errors;
  for (const Field& field : file.find_sections("routes")) {
    errors = report.errors();
    Section section(report, field.node, field.path, kRouteSection);
    parse_route(section, model.routes.emplace_back());
    parsed.routes_sound.push_back(yaml_sound && report.errors() == errors);
  }
  errors = report.errors();
  if (auto section = file.section("objects")) parse_objects(*section, model.objects);
  parsed.objects_sound = yaml_sound && report.errors() == errors;
  if (auto section = file.section("nat")) parse_nat(*section, model.nat);
  if (auto section = file.section("filter")) parse_filter(*section, parsed);
  if (auto section = file.section("services")) parse_services(*section, model.services);
  if (auto section = file.section("users")) parse_users(*section, model.users);
  if (auto section = file.section("admin")) parse_admin(*section, model.admin);
  if (auto section = file.section("logging")) parse_logging(*section, model.logging);
  for (const Field& field : file.find_sections("tests")) {
    Section section(report, field.node, field.path, kPolicyTestSection);
    parse_policy_test(section, model.tests.emplace_back());
  }
  file.finish();
  parsed.sound = report.errors() == 0;
  return parsed;
}

}  // namespace postern::config
