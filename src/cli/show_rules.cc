// SPDX-License-Identifier: BSD-3-Clause
// postern show rules, drops
#include <memory>

#include "cli/show.h"

namespace postern::cli {
namespace {

struct RuleOptions {
  bool details = false;
};

struct DropOptions {
  bool all = false;
};

std::string flags_of(const Json& row) {
  std::string flags;
  if (!row.value("enabled", true)) flags += "off ";
  if (row.value("log", false)) flags += "log ";
  if (row.value("emergency", false)) flags += "emergency ";
  if (!flags.empty()) flags.pop_back();
  return or_dash(flags);
}

// F36: the simple view says what a rule is for, the other one what it does.
void print_rules(const Json& result, bool details, const Globals& globals) {
  std::vector<Column> columns = {
      {"#", Align::right},     {"NAME"},    {"ACTION"}, {"FLAGS"}, {"PACKETS", Align::right},
      {"BYTES", Align::right}, {"LAST-HIT"}};
  if (details) {
    columns.push_back({"LINE", Align::right});
    columns.push_back({"MATCH"});
  }
  columns.push_back({"DESCRIPTION"});
  Table table(columns);
  for (const Json& row : result.value("rules", Json::array())) {
    std::vector<std::string> cells = {
        cell(row, "index"),   cell(row, "name"),  cell(row, "action"),        flags_of(row),
        cell(row, "packets"), cell(row, "bytes"), local_time(row, "last_hit")};
    if (details) {
      cells.push_back(cell(row, "line"));
      cells.push_back(cell(row, "match"));
    }
    cells.push_back(cell(row, "description"));
    table.add(std::move(cells));
  }
  Json rest = result.value("default", Json::object());
  std::vector<std::string> cells = {"-",
                                    "default",
                                    cell(rest, "action"),
                                    flags_of(rest),
                                    cell(rest, "packets"),
                                    cell(rest, "bytes"),
                                    local_time(rest, "last_hit")};
  if (details) cells.insert(cells.end(), {"-", "what no rule matches"});
  cells.push_back("posture " + cell(result, "posture"));
  table.add(std::move(cells));
  print_table(table, result, globals);
}

void print_drops(const Json& result, const Globals& globals) {
  Table table({{"REASON"}, {"PACKETS", Align::right}, {"SOURCE"}, {"HELP"}});
  for (const Json& row : result.value("drops", Json::array()))
    table.add({cell(row, "reason"), cell(row, "packets"), cell(row, "source"), cell(row, "help")});
  print_table(table, result, globals);
}

}  // namespace

void add_show_rules(Command& show, const Globals& globals) {
  auto rule_options = std::make_shared<RuleOptions>();  // the parser writes, the body reads
  Command rules = show.add("rules", "the filter as it is in force, with what each rule met");
  rules.flag("--details", rule_options->details,
             "with the line in the file and all that it matches");
  rules.runs([rule_options, &globals] {
    return ask_and_show(globals, {{"command", "show rules"}}, [&](const Json& result) {
      print_rules(result, rule_options->details, globals);
    });
  });
  auto drop_options = std::make_shared<DropOptions>();
  Command drops = show.add("drops", "why packets did not cross");
  drops.flag("--all", drop_options->all, "reasons that never occurred, too");
  drops.runs([drop_options, &globals] {
    return ask_and_show(globals, {{"command", "show drops"}, {"all", drop_options->all}},
                        [&](const Json& result) { print_drops(result, globals); });
  });
}

}  // namespace postern::cli
