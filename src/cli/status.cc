// SPDX-License-Identifier: BSD-3-Clause
// postern status
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/show.h"

namespace postern::cli {
namespace {

using Line = void (*)(const char* label, const std::string& text);

void print_interfaces(const Json& result, Line line) {
  for (const Json& row : result.value("interfaces", Json::array())) {
    const int64_t mbps = number(row, "speed_mbps");
    const std::string speed = mbps > 0 ? fmt::format(" at {} Mbit/s", mbps) : "";
    line("interface",
         fmt::format("{} {}, link {}{}, {}, {}", cell(row, "name"), cell(row, "zone"),
                     cell(row, "link"), speed, cell(row, "driver"), cell(row, "addresses")));
  }
}

// One word first: whether there is anything to look at.
std::string health_of(const Json& result) {
  const size_t warnings = result.value("warnings", Json::array()).size();
  if (cell(result, "state") != "live") return "not live yet";
  if (warnings != 0) return fmt::format("{} to look at, see below", warnings);
  return result.value("trial", Json()).is_object() ? "a change is on trial" : "OK";
}

void print_proxy(const Json& result, Line line) {
  const Json http = result.value("http", Json());
  if (!http.is_object()) return;
  const Json ratio = http.value("hit_percent", Json());
  const std::string hits =
      ratio.is_number() ? fmt::format("{:.0f} % hits", ratio.get<double>()) : "no hits yet";
  line("http proxy",
       fmt::format("{}, {} of {} connections, {} requests, {}, cache {}", cell(http, "listening"),
                   cell(http, "clients"), cell(http, "clients_max"), cell(http, "requests"), hits,
                   cell(http, "cache")));
}

void print_mail(const Json& result, Line line) {
  const Json mail = result.value("mail", Json());
  if (!mail.is_object()) return;
  if (!mail.value("running", false)) return line("mail", "does not run, see below");
  const Json queue = mail.value("queue", Json::object());
  line("mail", fmt::format("{}, {} in the queue ({} held, {} deferred), {} received, {} delivered, "
                           "{} relayed",
                           cell(mail, "listening"), cell(queue, "messages"), cell(queue, "held"),
                           cell(queue, "deferred"), cell(mail, "received"), cell(mail, "delivered"),
                           cell(mail, "relayed")));
}

void print_status(const Json& result) {
  Json configuration = result.value("configuration", Json::object());
  Json sessions = result.value("sessions", Json::object());
  Json log = result.value("log", Json::object());
  auto line = [](const char* label, const std::string& text) {
    fmt::print("{:<14} {}\n", label, text);
  };
  line(cell(result, "name").c_str(),
       fmt::format("{}, posternd {}, pid {}, up {}", cell(result, "state"), cell(result, "version"),
                   cell(result, "pid"), duration_text(number(result, "uptime_s"))));
  line("health", health_of(result));
  line("configuration",
       fmt::format("generation {} from {} {}, since {}", cell(configuration, "generation"),
                   cell(configuration, "source"), cell(configuration, "file"),
                   local_time(configuration, "since")));
  Json trial = result.value("trial", Json());
  if (trial.is_object()) {
    int64_t left = number(trial, "seconds_left");
    line("ON TRIAL", fmt::format("taken back in {} unless `postern confirm` comes; by {} {}",
                                 duration_text(left), cell(trial, "who"), cell(trial, "comment")));
  }
  line("filter", fmt::format("posture {}, {} rules", cell(configuration, "posture"),
                             cell(configuration, "rules")));
  print_interfaces(result, line);
  line("sessions",
       fmt::format("{} of {} ({} half open), mappings {} of {}, hosts {} of {}",
                   cell(sessions, "in_use"), cell(sessions, "max"), cell(sessions, "half_open"),
                   cell(sessions, "mappings_in_use"), cell(sessions, "mappings_max"),
                   cell(sessions, "hosts_in_use"), cell(sessions, "hosts_max")));
  for (const Json& worker : result.value("workers", Json::array())) {
    line("worker", fmt::format("{} on core {}, {:.1f} % busy, {} sessions, {} packets handed over",
                               cell(worker, "worker"), cell(worker, "core"),
                               100 * worker.value("busy_share", 0.0), cell(worker, "sessions"),
                               cell(worker, "handed_off")));
  }
  for (const Json& port : result.value("ports", Json::array())) {
    if (cell(port, "spread") == "alone") continue;
    line("port", cell(port, "interface") + ": " + cell(port, "text"));
  }
  const Json buffers = result.value("buffers", Json::object());
  line("buffers", fmt::format("{} of {} free, {}", cell(buffers, "free"), cell(buffers, "total"),
                              result.value("hugepages", false) ? "hugepages" : "ordinary pages"));
  if (result.contains("dropped")) {
    line("dropped", fmt::format("{} packets; see `postern show drops`", cell(result, "dropped")));
  }
  line("security log", fmt::format("{} lines, {} records lost, {} suppressed", cell(log, "lines"),
                                   cell(log, "records_lost"), cell(log, "records_suppressed")));
  const Json ipfix = result.value("ipfix", Json());
  if (ipfix.is_object()) {
    line("ipfix", fmt::format("{} {}, {} records sent, {} wait, {} lost", cell(ipfix, "collector"),
                              cell(ipfix, "state"), cell(ipfix, "records_sent"),
                              cell(ipfix, "records_waiting"), cell(ipfix, "records_lost")));
  }
  print_proxy(result, line);
  print_mail(result, line);
  for (const Json& warning : result.value("warnings", Json::array()))
    line("WARNING", warning.is_string() ? warning.get<std::string>() : warning.dump());
}

}  // namespace

void add_status(Command& root, const Globals& globals) {
  root.add("status", "whether the gateway runs, with which configuration, and what to look at")
      .runs([&globals] {
        return ask_and_show(globals, {{"command", "status"}}, print_status);
      });
}

}  // namespace postern::cli
