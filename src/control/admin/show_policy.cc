// SPDX-License-Identifier: BSD-3-Clause
// Status, rules and drops as JSON.
#include <unistd.h>

#include <cmath>

#include "control/admin/changes.h"
#include "control/admin/show.h"
#include "control/compile/policy_text.h"
#include "control/gateway.h"
#include "control/text_file.h"

namespace postern::admin {
namespace {

uint64_t sum(Gateway& gateway, Counter WorkerCounters::*counter) {
  uint64_t total = 0;
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker)
    total += (gateway.dataplane().counters(worker).*counter).read();
  return total;
}

// Of all logs.
uint64_t lines_unwritten(Gateway& gateway) {
  uint64_t lines = 0;
  for (const LogOutput* output : gateway.log_outputs())
    lines += output->unwritten();
  return lines;
}

// Every counter of counters.def, all workers together.
Json counters_json(Gateway& gateway) {
  Json all = Json::object();
  for (const NamedCounter& named : kWorkerCounters)
    all[named.name] = sum(gateway, named.counter);
  return all;
}

Json workers_json(Gateway& gateway) {
  Json list = Json::array();
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    const WorkerCounters& c = gateway.dataplane().counters(worker);
    list.push_back({{"worker", worker},
                    {"core", gateway.dataplane().core_of(worker)},
                    {"turns", c.turns.read()},
                    {"busy_turns", c.busy_turns.read()},
                    {"busy_share", std::round(gateway.load().share(worker) * 10'000) / 10'000},
                    {"sessions", c.sessions.read()},
                    {"mappings", c.mappings.read()},
                    {"handed_off", c.handed_off.read()}});
  }
  return list;
}

// A row for each interface that has a port, in the order of their ids.
template <typename Row>
Json ports_json(Gateway& gateway, Row row) {
  Json list = Json::array();
  const auto& interfaces = gateway.publisher().current()->interfaces;
  for (size_t i = 0; i < interfaces.size(); ++i) {
    const auto id = static_cast<InterfaceId>(i);
    if (!interfaces[i].exists || !gateway.dataplane().has_port(id)) continue;
    list.push_back(row(interfaces[i], gateway.dataplane().port(id)));
  }
  return list;
}

// How what comes in by each port gets to its worker.
Json spread_json(Gateway& gateway) {
  return ports_json(gateway, [](const PolicyInterface& interface, const PortFacts& port) -> Json {
    return {{"interface", interface.name},
            {"spread", to_word(port.spread)},
            {"text", port.spread_text}};
  });
}

Json sessions_json(Gateway& gateway) {
  const config::Limits& limits = gateway.configuration().model().system.limits;
  return {{"in_use", sum(gateway, &WorkerCounters::sessions)},
          {"max", limits.sessions},
          {"half_open", sum(gateway, &WorkerCounters::half_open)},
          {"created", sum(gateway, &WorkerCounters::sessions_created)},
          {"expired", sum(gateway, &WorkerCounters::sessions_expired)},
          {"evicted", sum(gateway, &WorkerCounters::sessions_evicted)},
          {"ended_by_policy", sum(gateway, &WorkerCounters::sessions_ended_by_policy)},
          {"mappings_in_use", sum(gateway, &WorkerCounters::mappings)},
          {"mappings_max", limits.mappings},
          {"hosts_in_use", sum(gateway, &WorkerCounters::hosts)},
          {"hosts_max", limits.hosts}};
}

// Whether the file still says what is in force, and whether the next start would take it.
struct FileState {
  const char* word = "unreadable";
  bool is_refused = false;
};

FileState file_state(Gateway& gateway) {
  auto text = read_text_file(gateway.options().config_file);
  if (!text) return {};
  return {*text == gateway.configuration().text() ? "same" : "differs",
          gateway.changes().is_refused_at_start(*text)};
}

Json configuration_json(Gateway& gateway) {
  const Policy& policy = *gateway.publisher().current();
  const FileState file = file_state(gateway);
  return {{"file", gateway.options().config_file},
          {"file_state", file.word},
          {"file_refused", file.is_refused},
          {"source", gateway.status().source},
          {"generation", policy.generation},
          {"since", utc_text(gateway.status().configured)},
          {"posture", to_word(policy.rules.posture())},
          {"rules", policy.rules.size()},
          {"rules_compiled", policy.rules.is_compiled()},
          {"rules_compiled_bytes", policy.rules.compiled_bytes()},
          {"policies_waiting_for_grace", gateway.publisher().retired()}};
}

Json links_json(Gateway& gateway) {
  return ports_json(gateway, [](const PolicyInterface& interface, const PortFacts& port) -> Json {
    Json addresses = Json::array();
    for (const Prefix& address : interface.addresses)
      addresses.push_back(to_text(address));
    return {{"name", interface.name},
            {"zone", to_word(interface.zone)},
            {"link", port.link_up ? "up" : "down"},
            {"speed_mbps", port.link_mbps},
            {"driver", port.driver},
            {"addresses", std::move(addresses)}};
  });
}

uint64_t dropped(Gateway& gateway) {
  uint64_t packets = 0;
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    for (const Counter& counter : gateway.dataplane().counters(worker).drops)
      packets += counter.read();
  }
  return packets;
}

// What will soon be short, or is.
void add_shortages(Json& list, Gateway& gateway) {
  constexpr uint64_t kPercent = 90;
  const config::Limits& limits = gateway.configuration().model().system.limits;
  auto check = [&list](const char* what, uint64_t in_use, uint64_t max) {
    if (in_use * 100 < max * kPercent) return;
    list.push_back(std::string("system.limits: ") + std::to_string(in_use) + " of " +
                   std::to_string(max) + " " + what + " are in use");
  };
  check("sessions", sum(gateway, &WorkerCounters::sessions), limits.sessions);
  check("mappings", sum(gateway, &WorkerCounters::mappings), limits.mappings);
  check("hosts", sum(gateway, &WorkerCounters::hosts), limits.hosts);
  const HttpControl& http = gateway.http();
  const size_t clients = http.load().clients;
  if (http.is_running() && clients * 100 >= http.clients_max() * kPercent)
    list.push_back("services.http.limits: " + std::to_string(clients) + " of " +
                   std::to_string(http.clients_max()) + " connections are in use");
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    if (gateway.load().share(worker) * 100 < double{kPercent}) continue;
    list.push_back("worker " + std::to_string(worker) + ": busy all the time; packets may be lost");
  }
  for (const Json& link : links_json(gateway)) {
    if (link["link"] == "up") continue;
    list.push_back("interface " + link["name"].get<std::string>() + ": link is down");
  }
}

Json warnings_json(Gateway& gateway, const Json& configuration) {
  Json list = Json::array();
  for (const auto& [about, text] : gateway.status().warnings)
    list.push_back(about + ": " + text);
  if (configuration["file_refused"] == true) {
    const std::string& file = gateway.options().config_file;
    list.push_back("configuration: " + file +
                   " has a change that nobody confirmed, which a start refuses; `postern apply " +
                   file + "` takes it");
  } else if (configuration["file_state"] != "same") {
    list.push_back("configuration: what is in force is not what the file says (" +
                   configuration["file_state"].get<std::string>() + "); a restart would change it");
  }
  if (gateway.publisher().current()->rules.posture() == Posture::open) {
    list.push_back("filter: posture open lets everything through that no rule refuses");
  }
  if (gateway.publisher().current()->rules.is_defeated()) {
    list.push_back(
        "filter: the rules are too entangled to be compiled; each new flow is compared with them "
        "one "
        "by one, which takes long");
  }
  uint64_t lost = sum(gateway, &WorkerCounters::log_records_lost);
  if (lost > 0) list.push_back("log: " + std::to_string(lost) + " records lost since the start");
  add_shortages(list, gateway);
  return list;
}

Json ipfix_json(Gateway& gateway) {
  const ipfix::Exporter::Status status = gateway.exporter().status();
  if (!status.is_on) return {};
  return {{"collector", status.collector},
          {"state", status.is_open ? "up" : "away"},
          {"fault", status.fault},
          {"records_sent", status.sent},
          {"records_waiting", status.waiting},
          {"records_lost", status.lost}};
}

Json rule_json(Gateway& gateway, uint16_t index, const RuleTotals& totals) {
  const Policy& policy = *gateway.publisher().current();
  const Rule& rule = policy.rules.at(index);
  Json row = {{"index", index}, {"name", rule.name}, {"description", rule.description}};
  row["line"] = rule.line == 0 ? Json() : Json(rule.line);
  row["enabled"] = rule.enabled;
  row["action"] = to_word(rule.action);
  row["log"] = rule.log && rule.is_listed;
  row["alert"] = rule.alert;
  row["emergency"] = rule.emergency;
  row["match"] = to_text(rule, policy);
  row["packets"] = totals.packets;
  row["bytes"] = totals.bytes;
  row["last_hit"] = utc_json(gateway, totals.last_hit);
  return row;
}

}  // namespace

Json show_status(Gateway& gateway) {
  BufferFacts buffers = gateway.dataplane().buffers();
  Json configuration = configuration_json(gateway);
  std::time_t now = std::time(nullptr);
  return {{"name", gateway.configuration().model().system.name},
          {"version", POSTERN_VERSION},
          {"pid", getpid()},
          {"state", gateway.status().is_live ? "live" : "starting"},
          {"started", utc_text(gateway.status().started)},
          {"uptime_s", now - gateway.status().started},
          {"configuration", configuration},
          {"interfaces", links_json(gateway)},
          {"sessions", sessions_json(gateway)},
          {"workers", workers_json(gateway)},
          {"ports", spread_json(gateway)},
          {"counters", counters_json(gateway)},
          {"dropped", dropped(gateway)},
          {"buffers", {{"free", buffers.free}, {"total", buffers.total}}},
          {"hugepages", gateway.dataplane().uses_hugepages()},
          {"log",
           {{"lines", gateway.security_log().lines()},
            {"lines_unwritten", lines_unwritten(gateway)},
            {"records_lost", sum(gateway, &WorkerCounters::log_records_lost)},
            {"records_suppressed", sum(gateway, &WorkerCounters::log_records_suppressed)}}},
          {"ipfix", ipfix_json(gateway)},
          {"http", http_json(gateway)},
          {"mail", mail_json(gateway)},
          {"trial", trial_json(gateway)},
          {"warnings", warnings_json(gateway, configuration)}};
}

Json show_rules(Gateway& gateway) {
  const Policy& policy = *gateway.publisher().current();
  std::vector<RuleTotals> totals = gateway.publisher().totals();
  Json list = Json::array();
  for (size_t i = 0; i < policy.rules.size(); ++i)
    list.push_back(rule_json(gateway, static_cast<uint16_t>(i), totals[i]));
  const RuleTotals& rest = totals.back();
  return {{"since", utc_text(gateway.status().started)},
          {"generation", policy.generation},
          {"posture", to_word(policy.rules.posture())},
          {"rules", list},
          {"default",
           {{"action", to_word(policy.rules.default_action())},
            {"log", policy.rules.log_default()},
            {"packets", rest.packets},
            {"bytes", rest.bytes},
            {"last_hit", utc_json(gateway, rest.last_hit)}}}};
}

Json show_drops(Gateway& gateway, bool all) {
  Json list = Json::array();
  for (unsigned i = 1; i < kDropReasons; ++i) {
    uint64_t packets = 0;
    for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker)
      packets += gateway.dataplane().counters(worker).drops[i].read();
    if (packets == 0 && !all) continue;
    auto reason = static_cast<DropReason>(i);
    list.push_back({{"reason", to_word(reason)},
                    {"packets", packets},
                    {"source", source_of(reason)},
                    {"help", help_of(reason)}});
  }
  return {{"since", utc_text(gateway.status().started)}, {"drops", list}};
}

std::string utc_text(std::time_t at) {
  std::tm parts = {};
  gmtime_r(&at, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

Json utc_json(Gateway& gateway, Instant at) {
  if (at.ns == 0) return Json();
  int64_t ago_s = (gateway.dataplane().now() - at).ns / 1'000'000'000;
  return utc_text(std::time(nullptr) - ago_s);
}

}  // namespace postern::admin
