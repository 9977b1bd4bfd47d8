// SPDX-License-Identifier: BSD-3-Clause
// postern show remote
#include <fmt/format.h>

#include "cli/show.h"

namespace postern::cli {
namespace {

void print_remote(const Json& result, const Globals& globals) {
  if (!result.value("enabled", false)) {
    fmt::print("nobody may administer over the network; see `postern status`\n");
    return;
  }
  fmt::print("key        {}\nlistening  {}\nlog-ins    {} refused, {} connections refused before\n",
             cell(result, "key"), cell(result, "listening"), cell(result, "denied"),
             cell(result, "refused"));
  if (result.value("sessions", Json::array()).empty()) return;
  Table table({{"WHO"}, {"ROLE"}, {"FROM"}, {"BY"}, {"SINCE"}});
  for (const Json& row : result["sessions"]) {
    table.add({cell(row, "who"), cell(row, "role"), cell(row, "from"), cell(row, "by"),
               local_time(row, "since")});
  }
  fmt::print("\n{}", table.to_text(!globals.no_header));
}

}  // namespace

void add_show_remote(Command& show, const Globals& globals) {
  show.add("remote", "administration over the network: this gateway's key, who is logged in")
      .runs([&globals] {
        return ask_and_show(globals, {{"command", "show remote"}},
                            [&](const Json& result) { print_remote(result, globals); });
      });
}

}  // namespace postern::cli
