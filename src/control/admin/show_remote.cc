// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/admin/show.h"
#include "control/config/account_text.h"
#include "control/gateway.h"

namespace postern::admin {

Json show_remote(Gateway& gateway) {
  const remote::Server* server = gateway.remote().server();
  Json result = {{"enabled", server != nullptr}};
  if (!server) return result;
  Json listening = Json::array(), sessions = Json::array();
  for (const io::ListenAddress& at : server->settings().listen)
    listening.push_back(fmt::format("{}:{}", to_text(at.address), at.port));
  for (const remote::Server::Row& row : server->sessions()) {
    sessions.push_back(
        {{"who", row.who},
         {"role", config::to_word(row.role)},
         {"from", fmt::format("{}:{}", to_text(row.client.address), row.client.port)},
         {"by", row.method == remote::Method::key ? "key" : "password"},
         {"since", utc_json(gateway, row.since)}});
  }
  const remote::Gatekeeper& keeper = server->gatekeeper();
  result["key"] = remote::to_text(server->key());
  result["listening"] = std::move(listening);
  result["sessions"] = std::move(sessions);
  result["pending"] = keeper.pending();
  result["denied"] = server->denied();
  result["admitted"] = keeper.counters().admitted;
  result["refused"] = keeper.counters().refused();
  result["refused_not_listed"] = keeper.counters().not_listed;
  result["refused_too_often"] = keeper.counters().too_often;
  result["turned_out"] = keeper.counters().turned_out;
  result["refused_too_many"] = keeper.counters().too_many;
  return result;
}

}  // namespace postern::admin
