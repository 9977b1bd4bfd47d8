// SPDX-License-Identifier: BSD-3-Clause
// The part of the gateway that has to do with accounts: who may do what, and what guessers do.
#include <fmt/format.h>

#include "control/admin/who.h"
#include "control/gateway.h"
#include "control/user_places.h"

namespace postern {

// Called when nothing runs yet: all of it is asked later.
accounts::Accounts::World Gateway::accounts_world() {
  accounts::Accounts::World world;
  world.state_dir = options_.state_dir;
  world.now = [this] { return dataplane_->now(); };
  world.on_blocked = [this](const accounts::Blocked& blocked) {
    alerts_.raise(
        "login",
        fmt::format("{} {} is blocked after {} wrong log-ins; the last one was for {} "
                    "from {}",
                    blocked.is_address ? "the address" : "the name", blocked.what, blocked.wrong,
                    blocked.name, blocked.from.empty() ? "this machine" : blocked.from),
        blocked.what);
  };
  world.warn = [this](const std::string& line) { log_.warning("accounts: " + line); };
  return world;
}

// Of a local process. Root is asked for nothing; whoever else may use the socket has the role of
// the account with their login name, or that of the socket's group.
config::Role Gateway::role_of(const admin::Peer& peer) const {
  if (is_master_of(peer.uid, 0)) return config::Role::admin;
  const config::User* user = accounts_.find(admin::login_name(peer.uid));
  if (user == nullptr) return reload_->model().admin.socket.role;
  return user->enabled ? user->role : config::Role::none;
}

}  // namespace postern
