// SPDX-License-Identifier: BSD-3-Clause
// AdminServer: the administration socket, RUN_DIR/postern.sock. Frames as in protocol.h.
//
// The file belongs to root with mode 0600, or to a group with mode 0660. Beyond the file's mode,
// the kernel's word on who the peer is decides (SO_PEERCRED): root, our own user, or a member of
// the group. Bounded: kClientsMax connections, shared out to users by kPlaces, request size, 10 s
// for a request to come in, 60 s for an answer. Without a descriptor for the next connection
// nothing is accepted for up to a second (io/acceptor.h). Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/admin/dispatcher.h"
#include "control/loop.h"
#include "control/user_places.h"

namespace postern::admin {

class Server {
 public:
  static constexpr unsigned kClientsMax = 16;
  static constexpr UserPlaces kPlaces = {.all = kClientsMax, .others = 12, .each = 6};

  // Binds and listens. A socket left behind by a dead process is replaced.
  static Result<std::unique_ptr<Server>> listen(Loop& loop, const std::string& path,
                                                Dispatcher& dispatcher);
  ~Server();  // closes, removes the file
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Asked for each request what the peer may do; without it whoever may use the socket is admin.
  using RoleOf = std::function<config::Role(const Peer& peer)>;
  void set_role_of(RoleOf role_of);
  // Members of `group`, and no others, may use the socket from now on, those who are connected
  // already included; empty: root alone. So it is, too, when that fails: not_found without such a
  // group on this machine.
  Result<void> set_group(const std::string& group);
  // An error while there is no descriptor for the next connection.
  Result<void> complaint() const;

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with connections that are still being answered
};

}  // namespace postern::admin
