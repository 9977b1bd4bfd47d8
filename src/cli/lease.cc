// SPDX-License-Identifier: BSD-3-Clause
// postern show leases, postern lease release|reserve ADDRESS, postern lease import FILE
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/show.h"
#include "cli/trial.h"

namespace postern::cli {
namespace {

struct Options {
  std::string subject;
  bool no_save = false;
};

void print_leases(const Json& result, const Globals& globals) {
  Table table({{"ADDRESS"}, {"STATE"}, {"CLIENT"}, {"NAME"}, {"SCOPE"}, {"ENDS"}});
  for (const Json& row : result.value("leases", Json::array())) {
    bool has_end = row.contains("ends") && row["ends"].is_string();
    table.add({cell(row, "address"), cell(row, "state"), cell(row, "client"),
               cell(row, "host_name"), cell(row, "scope"),
               has_end ? local_time(row, "ends") : "never"});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  for (const Json& scope : result.value("scopes", Json::array())) {
    if (globals.no_header) break;
    std::printf("%s: %s of %s addresses used\n", cell(scope, "name").c_str(),
                cell(scope, "used").c_str(), cell(scope, "addresses").c_str());
  }
}

void print_text(const Json& result) {
  std::printf("%s\n", result.value("text", "done").c_str());
}

int import_file(const std::string& file, const Globals& globals) {
  auto text = read_input(file);
  if (!text) return report(text.error(), globals);
  return ask_and_show(globals, {{"command", "lease import"}, {"text", *text}}, print_text);
}

}  // namespace

void add_show_leases(Command& show, const Globals& globals) {
  show.add("leases", "addresses that the DHCP server has given").runs([&globals] {
    return ask_and_show(globals, {{"command", "show leases"}},
                        [&](const Json& result) { print_leases(result, globals); });
  });
}

void add_lease(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command lease = root.add("lease", "end or keep an address of the DHCP server");
  lease.add("release", "end a lease; its client gets another address, or the same again")
      .argument("ADDRESS", options->subject, "the address")
      .runs([options, &globals] {
        return ask_and_show(globals, {{"command", "lease release"}, {"address", options->subject}},
                            print_text);
      });
  lease.add("reserve", "make a lease a reservation of the configuration")
      .argument("ADDRESS", options->subject, "the address")
      .flag("--no-save", options->no_save, "in force only, not in the daemon's file")
      .runs([options, &globals] {
        auto response = call(globals, {{"command", "lease reserve"},
                                       {"address", options->subject},
                                       {"save", !options->no_save}});
        return response ? finish_change(*response, "", globals) : report(response.error(), globals);
      });
  lease.add("import", "take over the leases of dnsmasq or ISC dhcpd")
      .argument("FILE", options->subject, "their lease file")
      .runs([options, &globals] { return import_file(options->subject, globals); });
}

}  // namespace postern::cli
