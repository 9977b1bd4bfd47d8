// SPDX-License-Identifier: BSD-3-Clause
// Control: the remote administration in the daemon: it runs while admin.remote is configured and
// somebody could use it, with the key of STATE_DIR/remote-key, which it makes when it first needs
// one. Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "control/log/error_log.h"
#include "control/remote/server.h"

namespace postern::remote {

class Control {
 public:
  Control(Loop& loop, std::string state_dir, Server::World world);
  ~Control();

  // After each publication. An error says what does not work, or why nothing listens.
  Result<void> follow(const config::Model& model, const Policy& policy,
                      const std::function<std::string(InterfaceId)>& device_of);
  // After each change of the accounts.
  Result<void> accounts_changed();
  // nullptr: nothing listens.
  const Server* server() const { return server_.get(); }

 private:
  Result<void> run();
  Result<SigningKey> own_key();

  Loop& loop_;
  std::string state_dir_;
  Server::World world_;
  Settings settings_;
  bool is_wanted_ = false;
  std::unique_ptr<Server> server_;
};

}  // namespace postern::remote
