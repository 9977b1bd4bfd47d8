// SPDX-License-Identifier: BSD-3-Clause
// The shipped files and the key tables against each other and against the model.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "control/config/keys.h"
#include "control/config/load.h"
#include "control/config/report.h"
#include "control/config/yaml.h"

namespace postern::config {
namespace {

std::string read_conf(const std::string& name) {
  std::ifstream file(POSTERN_SOURCE_ROOT "/conf/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string all_text(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings)
    out += to_text(finding, "x") + "\n";
  return out;
}

// Every "path.key" that the tables describe.
void collect_described(const SectionSpec& section, std::set<std::string>& out) {
  for (const KeySpec& key : section.keys) {
    out.insert(join(section.path, key.key));
    if (key.section) collect_described(*key.section, out);
    if (key.instead) collect_described(*key.instead, out);
  }
}

// Every "path.key" that a file has, in the words of the tables.
void collect_present(const Node& node, const SectionSpec& section, std::set<std::string>& out) {
  for (const Entry& entry : node.entries) {
    out.insert(join(section.path, entry.key));
    const KeySpec* key = find_key(section, entry.key);
    if (!key || !key->section) continue;
    if (key->type == Type::section || key->type == Type::sharing_guard) {
      collect_present(entry.value, *key->section, out);
      continue;
    }
    for (const Entry& one : entry.value.entries) {
      bool other = key->instead && find_entry(one.value, key->instead->keys[0].key);
      collect_present(one.value, other ? *key->instead : *key->section, out);
    }
  }
}

// Without this key there is no such section.
bool is_required(const KeySpec& key) {
  return key.required;
}

// All defaults of `section` as YAML flow entries: "mtu: 1500, mss_clamp: auto".
std::string defaults_of(const SectionSpec& section) {
  std::string out;
  for (const KeySpec& key : section.keys) {
    std::string value(key.fallback);
    if (key.type == Type::section) {
      if (std::any_of(key.section->keys.begin(), key.section->keys.end(), is_required)) continue;
      value = "{ " + defaults_of(*key.section) + " }";
    }
    if (!value.empty()) out += (out.empty() ? "" : ", ") + std::string(key.key) + ": " + value;
  }
  return out;
}

// What is added to the entries of skeleton(), and sections beside them.
struct Extra {
  std::string interface, source, one_to_one, map, rule, rest;
};

// A file in which each kind of entry stands once, with only what is required and `extra`.
std::string skeleton(const Extra& extra) {
  bool is_plain = extra.rest.empty();
  return "version: 1\ninterfaces: { wan: { port: kernel:eth0, zone: external, address: "
         "203.0.113.2/24" +
         extra.interface + " } }\nnat: { source: [ { out: wan" + extra.source +
         " } ],\n  one_to_one: [ { external: 203.0.113.9, internal: 10.0.0.9, on: wan" +
         extra.one_to_one + " } ],\n  port_maps: [ { on: wan, service: tcp/1, to: 10.0.0.8" +
         extra.map + " } ]" + (is_plain ? "" : ", " + defaults_of(kNatSection)) +
         " }\nfilter: { rules: [ { name: r, action: drop" + extra.rule + " } ]" +
         (is_plain ? "" : ", " + defaults_of(kFilterSection)) + " }\n" + extra.rest;
}

}  // namespace

TEST_CASE("config/samples: the shipped files load without a finding") {
  auto name = GENERATE("gateway.yaml", "minimal.yaml");
  Loaded loaded = load(read_conf(name));
  INFO(name << "\n" << all_text(loaded.findings));
  CHECK(loaded.findings.empty());
}

TEST_CASE("config/samples: gateway.yaml shows every key") {
  std::set<std::string> described;
  collect_described(kFile, described);
  Report report;
  auto root = read_yaml(read_conf("gateway.yaml"), report);
  REQUIRE(root);
  std::set<std::string> present;
  collect_present(*root, kFile, present);
  for (const std::string& key : described) {
    INFO(key);
    CHECK(present.count(key) == 1);
  }
}

TEST_CASE("config/samples: the defaults of the tables are those of the model") {
  auto defaults = [](const SectionSpec& section) { return ", " + defaults_of(section); };
  auto entry = [](std::string_view key) { return *find_key(kNatSection, key)->section; };
  std::string rest = "system: { " + defaults_of(kSystemSection) + " }\nlogging: { " +
                     defaults_of(kLoggingSection) + " }\n";
  Loaded plain = load(skeleton({}));
  Loaded written = load(skeleton({defaults(kInterfaceSection), defaults(entry("source")),
                                  defaults(entry("one_to_one")), defaults(entry("port_maps")),
                                  defaults(kRuleSection), rest}));
  INFO(all_text(plain.findings) << all_text(written.findings));
  CHECK(plain.ok());
  CHECK(written.ok());
  CHECK(plain.model == written.model);
}

TEST_CASE("config/samples: the defaults of a flow collector are those of the model") {
  Extra plain, written;
  plain.rest = "logging: { ipfix: { collector: 192.0.2.9 } }\n";
  written.rest =
      "logging: { ipfix: { collector: 192.0.2.9, " + defaults_of(kIpfixSection) + " } }\n";
  const Loaded both[] = {load(skeleton(plain)), load(skeleton(written))};
  INFO(all_text(both[0].findings) << all_text(both[1].findings));
  CHECK(both[0].ok());
  CHECK(both[1].ok());
  CHECK(both[0].model == both[1].model);
  REQUIRE(both[0].model.logging.ipfix);
  CHECK(both[0].model.logging.ipfix->port == 4739);
}

TEST_CASE("config/samples: every key has help, and bounds where it has numbers") {
  std::set<const SectionSpec*> seen;
  auto walk = [&](const SectionSpec& section, auto& self) -> void {
    if (!seen.insert(&section).second) return;
    for (const KeySpec& key : section.keys) {
      INFO(section.path << " " << key.key);
      CHECK_FALSE(key.help.empty());
      if (key.type == Type::number || key.type == Type::duration) CHECK(key.max >= key.min);
      if (key.type == Type::word) CHECK_FALSE(key.words.empty());
      if (key.section) self(*key.section, self);
      if (key.instead) self(*key.instead, self);
    }
  };
  walk(kFile, walk);
  CHECK(seen.size() >= 18);
}

}  // namespace postern::config
