// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "control/admin/show.h"
#include "control/admin/who.h"
#include "control/capture/parse_class.h"
#include "control/compile/policy_text.h"
#include "control/gateway.h"
#include "control/log/security_line.h"
#include "dataplane/wire/headers.h"

namespace postern::admin {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// What to add to an Instant for the time since 1970, ns.
int64_t wall_offset(Gateway& gateway) {
  auto wall = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(wall).count() - gateway.dataplane().now().ns;
}

// "2026-03-01T08:00:00.123456789Z".
std::string nanosecond_text(int64_t wall_ns) {
  std::string text = utc_text(static_cast<std::time_t>(wall_ns / kNsPerSecond));
  text.pop_back();
  return text + fmt::format(".{:09}Z", wall_ns % kNsPerSecond);
}

std::string hex_of(const std::vector<uint8_t>& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string party(Ipv4Address address, uint16_t port, bool has_port) {
  return has_port ? to_text(address) + ":" + std::to_string(port) : to_text(address);
}

// Who talks to whom, as far as the captured bytes tell.
void add_facts(Json& row, const std::vector<uint8_t>& bytes) {
  const FrameFacts facts = read_facts(bytes);
  if (!facts.has_addresses) {
    row["protocol"] = fmt::format("ethertype-{:04x}", facts.ethertype);
    if (bytes.size() < sizeof(EthernetHeader)) return;
    row["source"] = to_text(ethernet_at(bytes.data()).source);
    row["destination"] = to_text(ethernet_at(bytes.data()).destination);
    return;
  }
  const bool is_arp = facts.ethertype == ethertype::arp;
  const bool has_port = facts.has_numbers && has_ports(facts.protocol);
  row["protocol"] = is_arp ? "arp" : protocol_text(facts.protocol);
  row["source"] = party(facts.source, facts.source_port, has_port);
  row["destination"] = party(facts.destination, facts.destination_port, has_port);
  if (is_arp) row["arp"] = facts.arp_operation == 1 ? "request" : "reply";
  if (!facts.has_numbers) return;
  if (facts.protocol == protocol::tcp) row["flags"] = tcp_flags_text(facts.tcp_flags);
  if (facts.protocol == protocol::icmp) {
    row["icmp"] = fmt::format("{}/{}", unsigned{facts.icmp_type}, unsigned{facts.icmp_code});
  }
}

// The rule by the policy that was in force then, with its line in that policy's text (C07).
void add_rule(Json& row, Gateway& gateway, const CaptureRecord& record) {
  const bool is_default = record.reason == DropReason::filter_default ||
                          (record.point == TracePoint::session && record.rule == kNoRule);
  if (is_default) row["rule"] = "default";
  if (record.rule == kNoRule) return;
  auto names = gateway.names().find(record.generation);
  const PolicyNames::Entry* entry = names ? names->names.find_rule(record.rule) : nullptr;
  row["rule"] = entry != nullptr ? entry->name : fmt::format("#{}", record.rule);
  if (entry != nullptr && entry->line != 0) row["line"] = entry->line;
}

void add_reason(Json& row, Gateway& gateway, const CaptureRecord& record) {
  if (record.reason != DropReason::none) row["reason"] = to_word(record.reason);
  add_rule(row, gateway, record);
}

const char* to_word(SessionUse use) {
  switch (use) {
    case SessionUse::opened:
      return "opened";
    case SessionUse::original:
      return "original";
    case SessionUse::reply:
      return "reply";
    case SessionUse::related:
      return "related";
  }
  return "-";
}

// What only packets that are followed have.
void add_trace(Json& row, const CaptureRecord& record) {
  if (record.packet == 0) return;
  row["packet"] = record.packet;
  if (record.point == TracePoint::session) {
    row["session"] = to_word(static_cast<SessionUse>(record.detail));
  }
  if (record.point == TracePoint::handed_over) row["to_worker"] = record.detail;
}

Json row_of(Gateway& gateway, const Captures::Seen& seen, int64_t offset_ns, bool with_bytes) {
  const CaptureRecord& record = seen.record;
  Json row = {{"time", nanosecond_text(record.at.ns + offset_ns)},
              {"time_ns", record.at.ns + offset_ns},
              {"interface", interface_text(record.interface, *gateway.publisher().current())},
              {"stage", to_word(record.point)}};
  add_facts(row, seen.bytes);
  row["length"] = record.length;
  add_reason(row, gateway, record);
  row["generation"] = record.generation;
  row["worker"] = record.worker;
  add_trace(row, record);
  if (with_bytes) row["frame"] = hex_of(seen.bytes);
  return row;
}

// Every interface, and the counts of those where something matched.
Json interfaces_json(Gateway& gateway, const Captures::Totals& totals) {
  Json list = Json::array();
  const Policy& policy = *gateway.publisher().current();
  for (size_t i = 0; i < totals.matched.size(); ++i) {
    const auto id = static_cast<InterfaceId>(i);
    const bool exists =
        id == kGateway || (i < policy.interfaces.size() && policy.interfaces[i].exists);
    if (!exists) continue;
    list.push_back({{"name", interface_text(id, policy)},
                    {"matched", totals.matched[i]},
                    {"lost", totals.lost[i]}});
  }
  return list;
}

Result<Captures::Id> id_of(const Json& request) {
  auto id = number_of(request, {"capture", "capture", 1, UINT32_MAX, std::nullopt});
  if (!id) return std::move(id).error();
  return static_cast<Captures::Id>(*id);
}

bool asks_for_reason(const TrafficClass& traffic) {
  return std::any_of(traffic.clauses.begin(), traffic.clauses.begin() + traffic.clause_count,
                     [](const Clause& clause) { return clause.kind == Clause::Kind::reason; });
}

Error not_running(Captures::Id id) {
  return {ErrorCode::not_found, fmt::format("capture {} is none of yours, or is read already", id)};
}

}  // namespace

Result<Json> start_capture(Gateway& gateway, const Json& request, const Peer& peer) {
  ClassWords words;
  words.interface = request.value("interface", "");
  words.at = request.value("at", "");
  words.where = request.value("where", "");
  auto snap_length =
      number_of(request, {"snap_length", "--snaplen", sizeof(EthernetHeader), kSnapLengthMax, 256});
  if (!snap_length) return std::move(snap_length).error();
  auto traffic = parse_class(words, gateway.configuration().model());
  if (!traffic) return std::move(traffic).error();
  Captures::Wanted wanted;
  wanted.what = *traffic;
  wanted.follows = request.value("follow", false);
  if (wanted.follows && asks_for_reason(*traffic)) {
    return Error{ErrorCode::invalid,
                 "where: packets are chosen as they come in, before there is a reason"};
  }
  wanted.snap_length = static_cast<uint16_t>(*snap_length);
  wanted.uid = peer.uid;
  wanted.who = who_is(peer);
  wanted.words = fmt::format("interface {} at {} where {}",
                             words.interface.empty() ? "any" : printable(words.interface),
                             words.at.empty() ? "all" : printable(words.at),
                             words.where.empty() ? "any" : printable(words.where));
  const std::string line =
      fmt::format("{} by {}: {}", wanted.follows ? "trace" : "capture", wanted.who, wanted.words);
  auto id = gateway.captures().start(std::move(wanted));
  if (!id) return std::move(id).error();
  gateway.log().info(line);
  return Json{{"capture", *id}, {"snap_length", *snap_length}};
}

void read_capture(Gateway& gateway, const Json& request, const Peer& peer, Reply reply) {
  auto id = id_of(request);
  if (!id) return reply.refuse(id.error());
  const bool with_bytes = request.value("frames", false);
  auto answer = [&gateway, with_bytes, reply](const Captures::Batch& batch) mutable {
    const int64_t offset_ns = wall_offset(gateway);
    Json frames = Json::array();
    for (const Captures::Seen& seen : batch.frames)
      frames.push_back(row_of(gateway, seen, offset_ns, with_bytes));
    reply.done({{"frames", std::move(frames)},
                {"interfaces", interfaces_json(gateway, batch.totals)},
                {"ended", batch.has_ended}});
  };
  if (!gateway.captures().read(*id, peer.uid, std::move(answer))) reply.refuse(not_running(*id));
}

Result<Json> stop_capture(Gateway& gateway, const Json& request, const Peer& peer) {
  auto id = id_of(request);
  if (!id) return std::move(id).error();
  if (!gateway.captures().stop(*id, peer.uid)) return not_running(*id);
  return Json::object();
}

Json show_captures(Gateway& gateway) {
  Json list = Json::array();
  for (const Captures::Row& row : gateway.captures().list()) {
    list.push_back({{"capture", row.id},
                    {"who", row.who},
                    {"what", row.words},
                    {"started", utc_json(gateway, row.started)},
                    {"matched", row.matched},
                    {"lost", row.lost}});
  }
  return {{"captures", std::move(list)}};
}

}  // namespace postern::admin
