// SPDX-License-Identifier: BSD-3-Clause
// filter: posture and the ordered rules.
#include "base/limits.h"
#include "control/config/parse.h"
#include "control/config/templates.h"

namespace postern::config {

void parse_rule(Section& section, FilterRule& rule) {
  rule.mark = section.node().mark;
  section.string("name", rule.name);
  section.string("description", rule.description);
  section.boolean("enabled", rule.enabled);
  parse_match(section, "in", rule.in);
  parse_match(section, "out", rule.out);
  parse_match(section, "from", rule.from);
  parse_match(section, "to", rule.to);
  parse_match(section, "to_original", rule.to_original);
  parse_match(section, "service", rule.service);
  section.strings("users", rule.users);
  section.word("tcp", rule.tcp);
  section.word("scope", rule.scope);
  section.strings("when", rule.when);
  section.word("action", rule.action);
  section.boolean("log", rule.log);
  section.boolean("alert", rule.alert);
  section.boolean("emergency", rule.emergency);
  section.finish();
}

void parse_filter(Section& section, Parsed& parsed) {
  Filter& filter = parsed.model.filter;
  if (auto field = section.find("order"); field && field->node.text == "sorted") {
    field->error("'sorted' is not part of this version; write 'listed' or remove the key");
  } else if (field) {
    read_word(*field);
  }
  section.word("posture", filter.posture);
  section.boolean("log_default", filter.log_default);
  for (const Field& field : section.find_sections("rules")) {
    if (filter.rules.size() > kRulesMax) break;  // reported by validate
    if (find_entry(field.node, kTemplateUseSection.keys[0].key)) {
      parse_template_use(field, filter.rules);
    } else {
      Section entry(field.report, field.node, field.path, kRuleSection);
      parse_rule(entry, filter.rules.emplace_back());
    }
    parsed.rule_entries.resize(filter.rules.size(), field.index);
  }
  section.finish();
}

}  // namespace postern::config
