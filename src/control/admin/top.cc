// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/top.h"

#include <cmath>
#include <ctime>
#include <optional>
#include <vector>

#include "control/admin/show.h"
#include "control/admin/talkers.h"
#include "control/compile/policy_text.h"
#include "control/gateway.h"

namespace postern::admin {
namespace {

// Sums a counter of an interface over the workers.
uint64_t sum(Gateway& gateway, InterfaceId id, Counter InterfaceCounters::*counter) {
  uint64_t total = 0;
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker)
    total += (gateway.dataplane().counters(worker).interfaces[id].*counter).read();
  return total;
}

Json workers_json(Gateway& gateway) {
  Json list = Json::array();
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker) {
    const WorkerCounters& counters = gateway.dataplane().counters(worker);
    list.push_back({{"worker", worker},
                    {"core", gateway.dataplane().core_of(worker)},
                    {"busy_share", std::round(gateway.load().share(worker) * 10'000) / 10'000},
                    {"sessions", counters.sessions.read()},
                    {"handed_off_packets", counters.handed_off.read()}});
  }
  return list;
}

Json interfaces_json(Gateway& gateway) {
  Json list = Json::array();
  const auto& interfaces = gateway.publisher().current()->interfaces;
  for (size_t i = 0; i < interfaces.size(); ++i) {
    const auto id = static_cast<InterfaceId>(i);
    if (!interfaces[i].exists || !gateway.dataplane().has_port(id)) continue;
    list.push_back({{"name", interfaces[i].name},
                    {"link", gateway.dataplane().port(id).link_up ? "up" : "down"},
                    {"rx_packets", sum(gateway, id, &InterfaceCounters::rx_packets)},
                    {"rx_bytes", sum(gateway, id, &InterfaceCounters::rx_bytes)},
                    {"tx_packets", sum(gateway, id, &InterfaceCounters::tx_packets)},
                    {"tx_bytes", sum(gateway, id, &InterfaceCounters::tx_bytes)},
                    {"rx_drops", sum(gateway, id, &InterfaceCounters::rx_drops)},
                    {"tx_drops", sum(gateway, id, &InterfaceCounters::tx_drops)}});
  }
  return list;
}

Json rules_json(Gateway& gateway) {
  Json list = Json::array();
  const Ruleset& rules = gateway.publisher().current()->rules;
  const std::vector<RuleTotals> totals = gateway.publisher().totals();
  for (size_t i = 0; i < totals.size(); ++i) {
    if (totals[i].packets == 0) continue;
    const bool is_default = i == rules.size();
    Json row = {{"name", "default"}, {"action", to_word(rules.default_action())}};
    if (!is_default) {
      const Rule& rule = rules.at(static_cast<uint16_t>(i));
      row = {{"name", rule.name}, {"action", to_word(rule.action)}, {"line", rule.line}};
    }
    row["packets"] = totals[i].packets;
    row["bytes"] = totals[i].bytes;
    list.push_back(std::move(row));
  }
  return list;
}

// The inside host of a session: who opened it from inside, else whom it was opened to. Nothing for
// the inner half of a hairpin, whose outer half has the host.
std::optional<Ipv4Address> host_of(const Policy& policy, const Session& session) {
  const InterfaceId in = session.ingress(Direction::original);
  const InterfaceId out = session.egress(Direction::original);
  const auto is_inside = [&policy](InterfaceId id) {
    return id < policy.interfaces.size() && policy.interfaces[id].zone != Zone::external;
  };
  if (in == kRecirculate) return std::nullopt;
  if (is_inside(in) || !is_inside(out)) return Ipv4Address(session.key[0].source);
  return Ipv4Address(session.key[1].source);
}

// What the blocks of one look are gathered in.
struct Gathered {
  Talkers::Look look;
  uint32_t seen = 0, of_this_worker = 0;
  WorkerId worker = 0;
  bool is_complete = true;
};

void add(Gathered& into, const Policy& policy, const WholeSession& whole) {
  const auto host = host_of(policy, whole.session);
  if (!host) return;
  const bool by_host = whole.session.key[0].source == host->wire();
  const Direction sent = by_host ? Direction::original : Direction::reply;
  const Direction received = by_host ? Direction::reply : Direction::original;
  Talk& talk = into.look[host->number];
  ++talk.sessions;
  talk.sent_bytes += whole.bytes(sent);
  talk.received_bytes += whole.bytes(received);
}

Json talkers_json(const Gathered& gathered, const std::vector<Talker>& ranked) {
  Json list = Json::array();
  for (const Talker& talker : ranked) {
    list.push_back({{"host", to_text(talker.host)},
                    {"sessions", talker.talk.sessions},
                    {"sent_bytes", talker.talk.sent_bytes},
                    {"received_bytes", talker.talk.received_bytes},
                    {"sent_bytes_per_s", std::round(talker.sent_rate)},
                    {"received_bytes_per_s", std::round(talker.received_rate)}});
  }
  return {{"talkers", std::move(list)},
          {"hosts", gathered.look.size()},
          {"sessions_seen", gathered.seen},
          {"complete", gathered.is_complete}};
}

}  // namespace

Json show_top(Gateway& gateway) {
  const Policy& policy = *gateway.publisher().current();
  uint64_t sessions = 0;
  for (WorkerId worker = 0; worker < gateway.dataplane().workers(); ++worker)
    sessions += gateway.dataplane().counters(worker).sessions.read();
  return {{"time_ns", gateway.dataplane().now().ns},
          {"name", gateway.configuration().model().system.name},
          {"uptime_s", std::time(nullptr) - gateway.status().started},
          {"generation", policy.generation},
          {"sessions", sessions},
          {"sessions_max", gateway.configuration().model().system.limits.sessions},
          {"workers", workers_json(gateway)},
          {"interfaces", interfaces_json(gateway)},
          {"rules", rules_json(gateway)},
          {"drops", show_drops(gateway, false)["drops"]}};
}

void show_talkers(Gateway& gateway, const std::shared_ptr<Talkers>& talkers, Reply reply) {
  auto gathered = std::make_shared<Gathered>();  // kept by both callbacks of the job
  DumpQueue::Job job;
  job.what = Dump::What::sessions;
  const uint32_t share = Talkers::kSessionsMax / gateway.dataplane().workers();
  job.on_block = [&gateway, gathered, share](WorkerId worker, const Dump::Block& block) {
    if (worker != gathered->worker) gathered->of_this_worker = 0;
    gathered->worker = worker;
    for (const WholeSession& row : block.sessions)
      add(*gathered, *gateway.publisher().current(), row);
    const auto rows = static_cast<uint32_t>(block.sessions.size());
    gathered->seen += rows;
    gathered->of_this_worker += rows;
    const bool goes_on = gathered->of_this_worker < share;
    if (!goes_on && !block.is_last) gathered->is_complete = false;
    return goes_on;
  };
  job.on_end = [&gateway, gathered, talkers, reply](bool is_complete) mutable {
    if (!is_complete) return reply.refuse({ErrorCode::failed, "a worker does not answer"});
    Talkers::Look look = gathered->look;
    reply.done(talkers_json(*gathered, talkers->rank(std::move(look), gateway.dataplane().now())));
  };
  if (!gateway.dumps().add(gateway.dataplane(), std::move(job))) {
    reply.refuse({ErrorCode::exhausted, "too many questions at once; ask again"});
  }
}

}  // namespace postern::admin
