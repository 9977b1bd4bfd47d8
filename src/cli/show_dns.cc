// SPDX-License-Identifier: BSD-3-Clause
// postern show dns
#include <fmt/format.h>

#include "cli/show.h"

namespace postern::cli {
namespace {

void print_tls(const Json& result, const Globals& globals) {
  if (result.value("tls", Json::array()).empty()) return;
  Table table({{"TLS SERVER"},
               {"OPEN", Align::right},
               {"CONNECTIONS", Align::right},
               {"RESUMED", Align::right},
               {"BROKEN", Align::right},
               {"LAST ERROR"}});
  for (const Json& row : result["tls"]) {
    table.add({cell(row, "server"), cell(row, "open"), cell(row, "connections"),
               cell(row, "resumed"), cell(row, "broken"), cell(row, "error")});
  }
  fmt::print("{}\n", table.to_text(!globals.no_header));
}

void print_block_lists(const Json& result, const Globals& globals) {
  if (result.value("block_lists", Json::array()).empty()) return;
  Table table({{"BLOCK LIST"}, {"NAMES", Align::right}, {"BAD LINES", Align::right}, {"FAULT"}});
  for (const Json& row : result["block_lists"]) {
    bool is_read = row.value("error", "").empty();
    table.add({cell(row, "file"), cell(row, "names"), cell(row, "bad_lines"),
               cell(row, is_read ? "first_bad" : "error")});
  }
  fmt::print("{}\n", table.to_text(!globals.no_header));
}

void print_dns(const Json& result, const Globals& globals) {
  if (!result.value("enabled", false)) {
    fmt::print("services.dns is not configured\n");
    return;
  }
  Json cache = result.value("cache", Json::object());
  fmt::print("listening   {}\n", cell(result, "listening"));
  fmt::print("cache       {} of {} answers, {} of {} KiB, {} evicted\n", cell(cache, "entries"),
             cell(cache, "entries_max"), number(cache, "bytes") / 1024,
             number(cache, "bytes_max") / 1024, cell(cache, "evicted"));
  fmt::print("under way   {} questions, {} connections of clients\n\n", cell(result, "pending"),
             cell(result, "tcp_connections"));
  Json dnssec = result.value("dnssec", Json::object());
  if (dnssec.value("enabled", false)) {
    fmt::print("dnssec      {} secure, {} insecure, {} bogus, {} failed\n\n",
               cell(dnssec, "secure"), cell(dnssec, "insecure"), cell(dnssec, "bogus"),
               cell(dnssec, "failed"));
  }
  Table servers({{"SERVER"},
                 {"STATE"},
                 {"QUERIES", Align::right},
                 {"ANSWERS", Align::right},
                 {"TIMEOUTS", Align::right},
                 {"MS", Align::right}});
  for (const Json& row : result.value("servers", Json::array())) {
    double ms = static_cast<double>(number(row, "round_trip_us")) / 1000;
    servers.add({cell(row, "server"), cell(row, "state"), cell(row, "queries"),
                 cell(row, "answers"), cell(row, "timeouts"), fmt::format("{:.1f}", ms)});
  }
  fmt::print("{}\n", servers.to_text(!globals.no_header));
  print_tls(result, globals);
  print_block_lists(result, globals);
  Table counters({{"COUNTER"}, {"COUNT", Align::right}, {"HELP"}});
  Json help = result.value("help", Json::object());
  Json counts = result.value("counters", Json::object());
  for (auto entry = counts.begin(); entry != counts.end(); ++entry)
    counters.add({entry.key(), entry.value().dump(), cell(help, entry.key().c_str())});
  print_table(counters, result, globals);
}

}  // namespace

void add_show_dns(Command& show, const Globals& globals) {
  show.add("dns", "the DNS service: its servers, its cache and what it counted").runs([&globals] {
    return ask_and_show(globals, {{"command", "show dns"}},
                        [&](const Json& result) { print_dns(result, globals); });
  });
}

}  // namespace postern::cli
