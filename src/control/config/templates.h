// SPDX-License-Identifier: BSD-3-Clause
// Templates: ready-made rule sets (F24), written in conf/templates and compiled into the program.
//
//   - { template: dns-guard, with: { servers: [192.0.2.53, 198.51.100.53] } }
//
// stands for the rules of the template, in place, called "dns-guard/named" and so on. In a
// template, a value "$servers" is replaced by what `with` or the parameter's default says; within a
// list its elements take their place among the others.
//
// Each template brings tests: packets and what the filter must say to them. They are about the
// filter alone (the check of spoofed sources comes before it) and assume this gateway, which
// template_sample() writes down with nothing but the template in its filter:
//
//   internet 198.51.100.0/24 ... 203.0.113.254 --- wan 203.0.113.1/24 (external)
//                                                   lan 192.168.1.1/24 (internal) --- 192.168.1.10
//
// Addresses of a test are the inside ones, as everywhere in the filter. Thread: control.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "control/config/keys.h"
#include "control/config/model.h"
#include "control/config/report.h"
#include "control/config/resolve.h"
#include "control/config/section.h"
#include "control/config/yaml.h"

namespace postern::config {

struct TemplateParameter {
  std::string name;
  std::string description;
  Type type = Type::address_item;  // or interface_item, service_item, time_item, boolean
  bool required = false;
  std::optional<Node> fallback;  // none and not required: the key that uses it is left out
};

// On interfaces of the sample. `rule` is the name within the template; empty: no rule of it, the
// default.
struct TemplateTest : TestPacket {
  std::string out;
};

struct Template {
  std::string name;
  std::string description;
  std::vector<TemplateParameter> parameters;
  std::vector<Node> rules;  // as written, with "$parameter" in them
  std::string sample;       // values for the tests as a YAML flow map: "{ server: 192.0.2.1 }"
  std::vector<TemplateTest> tests;
};

// All templates, sorted by name. Parsed on the first call; a bad template is a broken program.
const std::vector<Template>& builtin_templates();
// nullptr when there is none of this name.
const Template* find_template(std::string_view name);

// A whole configuration file: the sample gateway with this template alone as its filter.
std::string template_sample(const Template& item);

// The texts that builtin_templates() is made of, and how one of them is read.
std::span<const std::string_view> template_texts();
std::optional<Template> parse_template(std::string_view text, Report& report);

// Reads an entry { template: ..., with: ... } and appends its rules.
void parse_template_use(const Field& field, std::vector<FilterRule>& rules);

}  // namespace postern::config
