// SPDX-License-Identifier: BSD-3-Clause
// postern show logins, postern logout USER|ADDRESS
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/show.h"

namespace postern::cli {
namespace {

void print_logins(const Json& result, const Globals& globals) {
  if (!result.value("enabled", false)) {
    std::puts("services.portal is not configured");
    return;
  }
  Table table({{"USER"},
               {"ADDRESS"},
               {"GROUPS"},
               {"SINCE"},
               {"IDLE", Align::right},
               {"LEFT", Align::right}});
  for (const Json& row : result.value("logins", Json::array())) {
    const bool has_end = row.contains("left_s") && row["left_s"].is_number();
    table.add({cell(row, "user"), cell(row, "address"), cell(row, "groups"),
               local_time(row, "since"), duration_text(number(row, "idle_s")),
               has_end ? duration_text(number(row, "left_s")) : "-"});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  if (globals.no_header) return;
  std::printf("page at %s\n", cell(result, "listening").c_str());
}

}  // namespace

void add_show_logins(Command& show, const Globals& globals) {
  show.add("logins", "who is logged in at the log-in page, and where").runs([&globals] {
    return ask_and_show(globals, {{"command", "show logins"}},
                        [&](const Json& result) { print_logins(result, globals); });
  });
}

void add_logout(Command& root, const Globals& globals) {
  auto subject = std::make_shared<std::string>();  // the parser writes, the body reads
  root.add("logout", "end the log-in of a user everywhere, or of whoever is at an address")
      .argument("USER|ADDRESS", *subject, "a name, or the address of a host")
      .runs([subject, &globals] {
        return ask_and_show(
            globals, {{"command", "logout"}, {"subject", *subject}},
            [](const Json& result) { std::printf("%s\n", result.value("text", "done").c_str()); });
      });
}

}  // namespace postern::cli
