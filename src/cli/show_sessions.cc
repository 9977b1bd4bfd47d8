// SPDX-License-Identifier: BSD-3-Clause
// postern show sessions, mappings
#include <cstdio>
#include <memory>

#include "cli/exit_code.h"
#include "cli/show.h"
#include "control/config/items.h"

namespace postern::cli {
namespace {

struct Options {
  std::string host;
  std::string protocol;
  uint32_t limit = 100;
};

bool is_protocol(const std::string& text) {
  return config::parse_number(text, 255) || config::is_service_keyword(text);
}

Json request_for(const char* command, const Options& options) {
  return {{"command", command},
          {"host", options.host},
          {"protocol", options.protocol},
          {"limit", options.limit}};
}

std::string flow(const Json& row, const char* direction) {
  Json flow = row.value(direction, Json::object());
  return cell(flow, "source") + " > " + cell(flow, "destination");
}

// How many rows there are beyond those that were shown.
void print_rest(const Json& result, const Globals& globals) {
  int64_t more = number(result, "matching") - number(result, "shown");
  if (more > 0 && !globals.no_header) std::printf("%ld more; see --limit\n", more);
}

void print_sessions(const Json& result, const Globals& globals) {
  Table table({{"PROTO"},
               {"STATE"},
               {"IN"},
               {"OUT"},
               {"ORIGINAL"},
               {"REPLY"},
               {"RULE"},
               {"AGE", Align::right},
               {"EXPIRES", Align::right},
               {"PACKETS", Align::right},
               {"BYTES", Align::right}});
  for (const Json& row : result.value("sessions", Json::array())) {
    table.add({cell(row, "protocol"), cell(row, "state"), cell(row, "in"), cell(row, "out"),
               flow(row, "original"), flow(row, "reply"), cell(row, "rule"),
               duration_text(number(row, "age_s")), duration_text(number(row, "expires_s")),
               std::to_string(number(row, "original_packets") + number(row, "reply_packets")),
               std::to_string(number(row, "original_bytes") + number(row, "reply_bytes"))});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  print_rest(result, globals);
}

void print_mappings(const Json& result, const Globals& globals) {
  Table table({{"PROTO"},
               {"INTERNAL"},
               {"EXTERNAL"},
               {"REMOTE"},
               {"MAPPING"},
               {"FILTERING"},
               {"SESSIONS", Align::right},
               {"AGE", Align::right}});
  for (const Json& row : result.value("mappings", Json::array())) {
    table.add({cell(row, "protocol"), cell(row, "internal"), cell(row, "external"),
               cell(row, "remote"), cell(row, "mapping"), cell(row, "filtering"),
               cell(row, "sessions"), duration_text(number(row, "age_s"))});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
  print_rest(result, globals);
}

using Print = void (*)(const Json& result, const Globals& globals);

void add_dump(Command& show, const Globals& globals, const std::string& name,
              const std::string& help, Print print) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command = show.add(name, help);
  command.option("--host", options->host, "only those of this address, on any side");
  command.option("--protocol", options->protocol, "only this protocol: tcp, udp, icmp, a number");
  command.option("--limit", options->limit, "at most so many rows (100)");
  command.runs([options, &globals, name, print] {
    if (!options->protocol.empty() && !is_protocol(options->protocol)) {
      report({ErrorCode::failed, "--protocol: `" + options->protocol +
                                     "` is no protocol; tcp, udp, icmp, esp or 0-255"},
             globals);
      return static_cast<int>(kUsage);
    }
    std::string request = "show " + name;
    return ask_and_show(globals, request_for(request.c_str(), *options),
                        [&](const Json& result) { print(result, globals); });
  });
}

}  // namespace

void add_show_sessions(Command& show, const Globals& globals) {
  add_dump(show, globals, "sessions",
           "who talks to whom, both directions as on the wire; counts are since each one began",
           print_sessions);
  add_dump(show, globals, "mappings", "inside endpoints and the external ones they stand behind",
           print_mappings);
}

}  // namespace postern::cli
