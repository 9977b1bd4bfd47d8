// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/templates.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "control/config/load.h"

namespace postern::config {
namespace {

std::string all_text(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings)
    out += to_text(finding, "x") + "\n";
  return out;
}

Loaded load_rules(const std::string& rules) {
  return load(
      "version: 1\ninterfaces: { wan: { port: kernel:eth0, zone: external, "
      "address: 203.0.113.1/24 } }\nfilter:\n  rules:\n" +
      rules);
}

}  // namespace

TEST_CASE("config/templates: every text is a template", "[F24]") {
  for (std::string_view text : template_texts()) {
    Report report;
    auto item = parse_template(text, report);
    INFO(text.substr(0, 100) << all_text(report.take()));
    CHECK(item);
  }
  CHECK(builtin_templates().size() == template_texts().size());
  CHECK(std::is_sorted(builtin_templates().begin(), builtin_templates().end(),
                       [](const Template& a, const Template& b) { return a.name < b.name; }));
}

TEST_CASE("config/templates: every file of conf/templates is built in", "[F24]") {
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(POSTERN_SOURCE_ROOT "/conf/templates")) {
    std::string name = entry.path().stem();
    INFO(name);
    CHECK(std::any_of(builtin_templates().begin(), builtin_templates().end(),
                      [&](const Template& t) { return t.name == name; }));
    ++files;
  }
  CHECK(files == builtin_templates().size());
}

TEST_CASE("config/templates: every template loads on the sample gateway", "[F24]") {
  for (const Template& item : builtin_templates()) {
    Loaded loaded = load(template_sample(item));
    INFO(item.name << "\n" << all_text(loaded.findings));
    CHECK(loaded.ok());
    CHECK(loaded.model.filter.rules.size() == item.rules.size());
    CHECK_FALSE(item.tests.empty());
  }
}

TEST_CASE("config/templates: tests name rules and interfaces that exist", "[F24]") {
  for (const Template& item : builtin_templates()) {
    Model model = load(template_sample(item)).model;
    for (const TemplateTest& test : item.tests) {
      INFO(item.name << " line " << test.mark.line);
      for (const std::string& end : {test.in, test.out}) {
        CHECK((end == "wan" || end == "lan" || end == "gateway"));
      }
      CHECK(
          std::any_of(model.filter.rules.begin(), model.filter.rules.end(), [&](const auto& rule) {
            return test.rule.empty()
                       ? test.verdict == RuleAction::drop
                       : rule.name == item.name + "/" + test.rule && rule.action == test.verdict;
          }));
    }
  }
}

TEST_CASE("config/templates: a use stands for the template's rules in place", "[F24]") {
  Loaded loaded = load_rules(
      "    - { name: first, service: tcp/1, action: drop }\n"
      "    - { template: dns-guard, with: { servers: [192.0.2.53, 198.51.100.53], clients: wan } "
      "}\n"
      "    - { template: lan-broadcast, name: office, enabled: false,\n"
      "        with: { lan: 192.168.1.0/24, broadcast: [192.168.1.255, 192.168.2.255] } }\n");
  INFO(all_text(loaded.findings));
  REQUIRE(loaded.ok());
  const auto& rules = loaded.model.filter.rules;
  REQUIRE(rules.size() == 6);
  CHECK(rules[1].name == "dns-guard/named");
  CHECK(rules[1].from_template == "dns-guard");
  CHECK(rules[1].mark.line == 6);
  CHECK(rules[1].to == std::vector<std::string>{"192.0.2.53", "198.51.100.53"});
  CHECK(rules[1].in == std::vector<std::string>{"wan"});
  CHECK(rules[2].action == RuleAction::deny);
  CHECK(rules[5].name == "office/broadcast");
  CHECK_FALSE(rules[5].enabled);
  CHECK(rules[5].to ==
        std::vector<std::string>{"255.255.255.255", "192.168.1.255", "192.168.2.255"});
}

TEST_CASE("config/templates: wrong uses are refused with the parameter at fault", "[F24]") {
  auto refused = [](const std::string& use) {
    return all_text(load_rules("    - " + use + "\n").findings);
  };
  CHECK(refused("{ template: dns-gard }") ==
        "x:5:19: error: filter.rules[0].template: unknown template 'dns-gard'; did you mean "
        "'dns-guard'?\n");
  CHECK_THAT(refused("{ template: dns-guard }"),
             Catch::Contains("parameter 'servers' of template dns-guard is missing"));
  CHECK_THAT(refused("{ template: dns-guard, with: { servers: 10.0.0.1/8 } }"),
             Catch::Contains("filter.rules[0].with.servers: '10.0.0.1/8' has host bits"));
  CHECK_THAT(refused("{ template: igmp, with: { log: yes } }"),
             Catch::Contains("with.log: 'yes' is ambiguous in YAML: write true or false"));
  CHECK_THAT(refused("{ template: igmp, with: { lgo: true } }"),
             Catch::Contains("template igmp has no parameter 'lgo'; did you mean 'log'?"));
  CHECK_THAT(refused("{ template: igmp }\n    - { template: igmp }"),
             Catch::Contains("rule igmp/drop: give the second use a name of its own"));
  CHECK_THAT(refused("{ template: dns-guard, with: { servers: nobody } }"),
             Catch::Contains("unknown name 'nobody'"));
}

}  // namespace postern::config
