// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain/lock_out.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/explain/explain.h"
#include "dataplane/packet/flow_key.h"
#include "dataplane/packet/packet.h"

namespace postern {
namespace {

MadeUpPacket opening(const AdminConnection& connection, InterfaceId in) {
  MadeUpPacket packet;
  packet.in = in;
  packet.protocol = protocol::tcp;
  packet.source = connection.client;
  packet.destination = connection.server;
  packet.tcp_flags = tcp_flag::syn;
  return packet;
}

// The same interface in another policy, by its name.
std::optional<InterfaceId> same_interface(const Policy& now, InterfaceId id, const Policy& wanted) {
  for (size_t i = 0; i < wanted.interfaces.size(); ++i) {
    const PolicyInterface& other = wanted.interfaces[i];
    if (other.exists && other.name == now.interfaces[id].name) return static_cast<InterfaceId>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> locks_out(const Policy& now, const Policy& wanted,
                                     const AdminConnection& connection) {
  const Route* route = now.routes.find(connection.client.address);
  if (route == nullptr || route->interface >= now.interfaces.size()) return std::nullopt;
  const InterfaceId in = route->interface;
  if (explain(now, opening(connection, in)).outcome != Outcome::host) return std::nullopt;
  const std::string session =
      fmt::format("your session from {} to {}:{}", to_text(connection.client.address),
                  to_text(connection.server.address), connection.server.port);
  auto in_wanted = same_interface(now, in, wanted);
  if (!in_wanted) {
    return fmt::format("{} comes by {}, which would be gone", session, now.interfaces[in].name);
  }
  Explanation then = explain(wanted, opening(connection, *in_wanted));
  if (then.outcome == Outcome::host) return std::nullopt;
  const Stage& last = then.stages.back();
  std::string why = !then.rule.empty() ? "rule " + then.rule : last.name + ": " + last.text;
  return fmt::format("{} would be cut off ({})", session, why);
}

}  // namespace postern
