// SPDX-License-Identifier: BSD-3-Clause
// Sessions and mappings as JSON, collected from the workers.
#include <algorithm>
#include <memory>
#include <optional>

#include "control/admin/show.h"
#include "control/compile/policy_text.h"
#include "control/gateway.h"

namespace postern::admin {
namespace {

// What the blocks of one dump are gathered in.
struct Collection {
  DumpFilter filter;
  std::optional<Ipv4Address> host;
  uint64_t matching = 0;
  Json rows = Json::array();
};

bool protocol_matches(const DumpFilter& filter, uint8_t protocol) {
  return filter.protocol.empty() || filter.protocol == protocol_text(protocol) ||
         filter.protocol == std::to_string(protocol);
}

bool matches(const Collection& wanted, const WholeSession& whole) {
  const Session& session = whole.session;
  if (!protocol_matches(wanted.filter, session.key[0].protocol)) return false;
  if (!wanted.host) return true;
  be32 host = wanted.host->wire();
  return std::any_of(std::begin(session.key), std::end(session.key), [&](const FlowKey& key) {
    return key.source == host || key.destination == host;
  });
}

bool matches(const Collection& wanted, const Mapping& mapping) {
  if (!protocol_matches(wanted.filter, mapping.protocol)) return false;
  return !wanted.host || mapping.internal.address == *wanted.host ||
         mapping.external.address == *wanted.host || mapping.remote.address == *wanted.host;
}

std::string party(be32 address, be16 port, uint8_t protocol) {
  std::string text = to_text(Ipv4Address(address));
  // Of an ICMP query only one side has the identifier.
  bool has_number = has_ports(protocol) || (has_identifier(protocol) && port != be16(0));
  return has_number ? text + ":" + std::to_string(port.value()) : text;
}

Json flow_json(const FlowKey& key) {
  return {{"source", party(key.source, key.source_port, key.protocol)},
          {"destination", party(key.destination, key.destination_port, key.protocol)}};
}

std::string interface_name(Gateway& gateway, InterfaceId id) {
  return id == kRecirculate ? "hairpin" : interface_text(id, *gateway.publisher().current());
}

// The rule that last allowed the session, by the generation that it is from.
Json rule_name(Gateway& gateway, const Session& session) {
  auto names = gateway.names().find(session.generation);
  if (session.rule == kNoRule) return "default";
  const PolicyNames::Entry* entry = names ? names->names.find_rule(session.rule) : nullptr;
  return entry != nullptr ? Json(entry->name) : Json();
}

// Who is logged in at the host whose traffic it is (F27).
Json user_name(Gateway& gateway, const Session& session) {
  const bool is_inbound = session.kind == SessionKind::mapped_inbound;
  const LogIn* login = gateway.log_ins().find(Ipv4Address(session.key[is_inbound].source));
  return login != nullptr ? Json(login->user) : Json();
}

const char* kind_word(SessionKind kind) {
  switch (kind) {
    case SessionKind::plain:
      return "plain";
    case SessionKind::mapped_inbound:
      return "mapped-inbound";
    case SessionKind::hairpin_inner:
      return "hairpin-inner";
  }
  return "-";
}

int64_t seconds_since(Gateway& gateway, uint32_t ticks) {
  return std::max<int64_t>(0, (gateway.dataplane().now() - from_ticks(ticks)).ns / 1'000'000'000);
}

Json session_json(Gateway& gateway, WorkerId worker, const WholeSession& whole) {
  const Session& session = whole.session;
  constexpr auto kOriginal = Direction::original, kReply = Direction::reply;
  Duration timeout =
      gateway.publisher().current()->timeouts.of[static_cast<unsigned>(session.timeout)];
  int64_t idle_s = seconds_since(gateway, session.last_seen);
  return {{"protocol", protocol_text(session.key[0].protocol)},
          {"state", session.tcp == TcpState::none ? "active" : to_word(session.tcp)},
          {"kind", kind_word(session.kind)},
          {"in", interface_name(gateway, session.ingress(kOriginal))},
          {"out", interface_name(gateway, session.egress(kOriginal))},
          {"original", flow_json(session.key[0])},
          {"reply", flow_json(session.key[1])},
          {"rule", rule_name(gateway, session)},
          {"generation", session.generation},
          {"age_s", seconds_since(gateway, whole.detail.created)},
          {"idle_s", idle_s},
          {"expires_s", std::max<int64_t>(0, timeout.ns / 1'000'000'000 - idle_s)},
          {"original_packets", whole.packets(kOriginal)},
          {"original_bytes", whole.bytes(kOriginal)},
          {"reply_packets", whole.packets(kReply)},
          {"reply_bytes", whole.bytes(kReply)},
          {"worker", worker},
          {"user", user_name(gateway, session)}};
}

std::string endpoint_text(const Endpoint& endpoint) {
  return to_text(endpoint.address) + ":" + std::to_string(endpoint.port);
}

Json mapping_json(Gateway& gateway, WorkerId worker, const Mapping& mapping) {
  bool has_remote = mapping.behavior != MappingBehavior::endpoint_independent;
  int64_t age_s = (gateway.dataplane().now() - mapping.created).ns / 1'000'000'000;
  return {{"protocol", protocol_text(mapping.protocol)},
          {"internal", endpoint_text(mapping.internal)},
          {"external", endpoint_text(mapping.external)},
          {"remote", has_remote ? Json(endpoint_text(mapping.remote)) : Json()},
          {"mapping", to_word(mapping.behavior)},
          {"filtering", to_word(mapping.filtering)},
          {"internal_interface", interface_name(gateway, mapping.internal_interface)},
          {"external_interface", interface_name(gateway, mapping.external_interface)},
          {"sessions", mapping.sessions},
          {"age_s", std::max<int64_t>(0, age_s)},
          {"worker", worker}};
}

template <typename Row, typename ToJson>
void collect(Collection& into, const std::vector<Row>& rows, ToJson to_json) {
  for (const Row& row : rows) {
    if (!matches(into, row)) continue;
    if (into.matching++ < into.filter.limit) into.rows.push_back(to_json(row));
  }
}

// `what` is the key of the rows in the answer.
void run(Gateway& gateway, const DumpFilter& filter, Reply reply, Dump::What kind,
         const char* what) {
  auto collection = std::make_shared<Collection>();  // kept by both callbacks of the job
  collection->filter = filter;
  collection->host = parse_ipv4(filter.host);
  if (!filter.host.empty() && !collection->host) {
    return reply.refuse({ErrorCode::failed, "`" + printable(filter.host) + "` is no IPv4 address"});
  }
  DumpQueue::Job job;
  job.what = kind;
  job.on_block = [&gateway, collection](WorkerId worker, const Dump::Block& block) {
    collect(*collection, block.sessions,
            [&](const WholeSession& row) { return session_json(gateway, worker, row); });
    collect(*collection, block.mappings,
            [&](const Mapping& row) { return mapping_json(gateway, worker, row); });
    return true;
  };
  job.on_end = [&gateway, collection, what, reply](bool is_complete) mutable {
    if (!is_complete) return reply.refuse({ErrorCode::failed, "a worker does not answer"});
    reply.done({{"since", utc_text(gateway.status().started)},
                {"matching", collection->matching},
                {"shown", collection->rows.size()},
                {what, std::move(collection->rows)}});
  };
  if (!gateway.dumps().add(gateway.dataplane(), std::move(job))) {
    reply.refuse({ErrorCode::exhausted, "too many questions at once; ask again"});
  }
}

}  // namespace

void show_sessions(Gateway& gateway, const DumpFilter& filter, Reply reply) {
  run(gateway, filter, std::move(reply), Dump::What::sessions, "sessions");
}

void show_mappings(Gateway& gateway, const DumpFilter& filter, Reply reply) {
  run(gateway, filter, std::move(reply), Dump::What::mappings, "mappings");
}

}  // namespace postern::admin
