// SPDX-License-Identifier: BSD-3-Clause
// postern show WHAT
#include "cli/show.h"

#include <cstdio>
#include <ctime>

#include "cli/commands.h"

namespace postern::cli {

void add_show(Command& root, const Globals& globals) {
  Command show = root.add("show", "show live state");
  add_show_interfaces(show, globals);
  add_show_sessions(show, globals);
  add_show_rules(show, globals);
  add_show_config(show, globals);
  add_show_dns(show, globals);
  add_show_cache(show, globals);
  add_show_mail(show, globals);
  add_show_leases(show, globals);
  add_show_logins(show, globals);
  add_show_captures(show, globals);
  add_show_talkers(show, globals);
  add_show_ports(show, globals);
  add_show_remote(show, globals);
}

std::string cell(const Json& row, const char* key) {
  auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_string()) return or_dash(found->get<std::string>());
  if (found->is_array()) {
    std::string list;
    for (const Json& item : *found)
      list +=
          (list.empty() ? "" : ",") + (item.is_string() ? item.get<std::string>() : item.dump());
    return or_dash(list);
  }
  return found->dump();
}

int64_t number(const Json& row, const char* key) {
  auto found = row.find(key);
  return found != row.end() && found->is_number() ? found->get<int64_t>() : 0;
}

std::string local_time(const Json& row, const char* key) {
  std::string utc = cell(row, key);
  std::tm parts = {};
  if (strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return utc;
  std::time_t at = timegm(&parts);
  localtime_r(&at, &parts);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &parts));
}

void print_table(const Table& table, const Json& result, const Globals& globals) {
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  if (result.contains("since") && !globals.no_header) {
    std::printf("counters since %s\n", local_time(result, "since").c_str());
  }
}

}  // namespace postern::cli
