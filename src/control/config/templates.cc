// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/templates.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/assert.h"
#include "control/config/items.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

// In the order of the words of parameters.*.type.
constexpr Type kParameterTypes[] = {Type::address_item, Type::interface_item, Type::service_item,
                                    Type::time_item, Type::boolean};

void parse_parameter(Section& section, TemplateParameter& parameter) {
  if (auto field = section.find("type")) {
    if (auto word = read_word(*field)) parameter.type = kParameterTypes[*word];
  }
  section.string("description", parameter.description);
  section.boolean("required", parameter.required);
  if (auto field = section.find("default")) parameter.fallback = field->node;
  section.finish();
}

void parse_test(Section& section, TemplateTest& test) {
  parse_test_packet(section, test);
  section.string("out", test.out);
  section.finish();
}

// `node` as a YAML flow value; values of templates are words and lists and maps of them.
std::string flow_text(const Node& node) {
  if (node.kind == NodeKind::scalar) return node.text;
  bool map = node.kind == NodeKind::map;
  std::string out = map ? "{" : "[";
  for (const Entry& entry : node.entries) {
    out += out.size() > 1 ? ", " : " ";
    if (map) out += entry.key + ": ";
    out += flow_text(entry.value);
  }
  return out + (map ? " }" : " ]");
}

using Values = std::vector<std::pair<std::string_view, const Node*>>;

const Node* const* find_value(const Values& values, const Node& node) {
  if (node.kind != NodeKind::scalar || node.text.empty() || node.text[0] != '$') return nullptr;
  std::string_view name = std::string_view(node.text).substr(1);
  for (const auto& value : values) {
    if (value.first == name) return &value.second;
  }
  return nullptr;
}

// A copy of `node` with the values in place, all of it marked `mark`.
Node substitute(const Node& node, const Values& values, Mark mark) {
  Node copy{node.kind, node.quoted, mark, node.text, {}};
  for (const Entry& entry : node.entries) {
    const Node* const* value = find_value(values, entry.value);
    if (!value) {
      copy.entries.push_back({entry.key, mark, substitute(entry.value, values, mark)});
    } else if (*value && node.kind == NodeKind::list && (*value)->kind == NodeKind::list) {
      for (const Entry& element : (*value)->entries) {
        copy.entries.push_back({"", mark, substitute(element.value, {}, mark)});
      }
    } else if (*value) {
      copy.entries.push_back({entry.key, mark, substitute(**value, {}, mark)});
    }
  }
  return copy;
}

// Checks the value of a parameter as the key that uses it will.
void check_value(const TemplateParameter& parameter, const Field& field) {
  KeySpec spec{.key = parameter.name, .type = parameter.type, .help = "", .list = true};
  Field typed{field.node, spec, field.path, field.report};
  if (parameter.type == Type::boolean) {
    read_boolean(typed);
    return;
  }
  for (const Field& item : list_of(typed))
    read_string(item);
}

// The values of a use, defaults included; nullopt after an error was reported.
std::optional<Values> collect_values(const Template& item, const Field& use, const Node* with) {
  size_t errors = use.report.errors();
  std::string path = join(use.path, "with");
  Values values;
  if (with && !expect_map(use.report, *with, path)) return std::nullopt;
  for (const TemplateParameter& parameter : item.parameters) {
    const Node* given = with ? find_entry(*with, parameter.name) : nullptr;
    if (given) {
      check_value(parameter, {*given, use.spec, join(path, parameter.name), use.report});
    } else if (parameter.required) {
      use.report.error(with ? with->mark : use.node.mark, path,
                       "parameter '" + parameter.name + "' of template " + item.name +
                           " is missing: " + parameter.description);
    }
    const Node* fallback = parameter.fallback ? &*parameter.fallback : nullptr;
    values.emplace_back(parameter.name, given ? given : fallback);
  }
  std::vector<std::string_view> known;
  for (const auto& value : values)
    known.push_back(value.first);
  for (const Entry& entry : with ? with->entries : std::vector<Entry>()) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    use.report.error(
        entry.mark, join(path, entry.key),
        "template " + item.name + " has no parameter " + quote(entry.key) + hint(entry.key, known));
  }
  if (use.report.errors() != errors) return std::nullopt;
  return values;
}

}  // namespace

std::optional<Template> parse_template(std::string_view text, Report& report) {
  auto root = read_yaml(text, report);
  if (!root || !expect_map(report, *root, "")) return std::nullopt;
  Template item;
  Section file(report, *root, "", kTemplateFile);
  file.string("template", item.name);
  file.string("description", item.description);
  if (auto field = file.find("parameters"); field && expect_map(report, field->node, field->path)) {
    for (const Entry& entry : field->node.entries) {
      Section section(report, entry.value, join(field->path, entry.key), *field->spec.section);
      TemplateParameter& parameter = item.parameters.emplace_back();
      parameter.name = entry.key;
      parse_parameter(section, parameter);
    }
  }
  for (const Field& field : file.find_sections("rules"))
    item.rules.push_back(field.node);
  item.sample = "{}";
  if (auto field = file.find("sample")) item.sample = flow_text(field->node);
  for (const Field& field : file.find_sections("tests")) {
    Section section(report, field.node, field.path, *field.spec.section);
    parse_test(section, item.tests.emplace_back());
  }
  file.finish();
  if (report.errors() > 0) return std::nullopt;
  return item;
}

const std::vector<Template>& builtin_templates() {
  // Parsed once and kept: the text is part of the program, and every load may need it.
  static const std::vector<Template> templates = [] {
    std::vector<Template> all;
    for (std::string_view text : template_texts()) {
      Report report;
      auto item = parse_template(text, report);
      for (const Finding& finding : report.take()) {
        std::fprintf(stderr, "%s\n", to_text(finding, text.substr(0, 120)).c_str());
      }
      POSTERN_ASSERT(item.has_value());
      all.push_back(std::move(*item));
    }
    std::sort(all.begin(), all.end(),
              [](const Template& a, const Template& b) { return a.name < b.name; });
    return all;
  }();
  return templates;
}

const Template* find_template(std::string_view name) {
  for (const Template& item : builtin_templates()) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

std::string template_sample(const Template& item) {
  return "version: 1\n"
         "interfaces:\n"
         "  wan: { port: kernel:wan0, zone: external, address: 203.0.113.1/24 }\n"
         "  lan: { port: kernel:lan0, zone: internal, address: 192.168.1.1/24 }\n"
         "routes: [ { to: default, via: 203.0.113.254 } ]\n"
         "nat: { source: [ { out: wan, action: masquerade } ] }\n"
         "filter: { rules: [ { template: " +
         item.name + ", with: " + item.sample + " } ] }\n";
}

void parse_template_use(const Field& field, std::vector<FilterRule>& rules) {
  Section section(field.report, field.node, field.path, kTemplateUseSection);
  std::string name;
  std::string prefix;
  bool enabled = true;
  section.string("template", name);
  section.string("name", prefix);
  section.boolean("enabled", enabled);
  auto with = section.find("with");
  section.finish();
  const Template* item = find_template(name);
  if (!item) {
    std::vector<std::string_view> known;
    for (const Template& one : builtin_templates())
      known.push_back(one.name);
    auto place = section.find("template");
    if (!name.empty()) place->error("unknown template " + quote(name) + hint(name, known));
    return;
  }
  auto values = collect_values(*item, field, with ? &with->node : nullptr);
  if (!values) return;
  for (const Node& rule : item->rules) {
    Node filled = substitute(rule, *values, field.node.mark);
    Section entry(field.report, filled, field.path, kRuleSection);
    parse_rule(entry, rules.emplace_back());
    rules.back().name = (prefix.empty() ? name : prefix) + "/" + rules.back().name;
    rules.back().enabled = rules.back().enabled && enabled;
    rules.back().from_template = name;
  }
}

}  // namespace postern::config
