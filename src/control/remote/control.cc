// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/control.h"

#include <utility>

namespace postern::remote {

Control::Control(Loop& loop, std::string state_dir, Server::World world)
    : loop_(loop), state_dir_(std::move(state_dir)), world_(std::move(world)) {}

Control::~Control() = default;

Result<void> Control::follow(const config::Model& model, const Policy& policy,
                             const std::function<std::string(InterfaceId)>& device_of) {
  settings_ = settings_of(model, policy, device_of);
  is_wanted_ = model.admin.remote && model.admin.remote->enabled;
  return run();
}

Result<void> Control::accounts_changed() {
  auto done = run();
  if (server_) server_->review_sessions();
  return done;
}

Result<void> Control::run() {
  if (!is_wanted_) {
    server_.reset();
    return {};
  }
  // F60: nothing to guess at, nothing to connect to.
  if (!world_.accounts->book().has_role(config::Role::admin)) {
    server_.reset();
    return Error{ErrorCode::not_found,
                 "nothing listens: no account with the role admin has a key or a password"};
  }
  if (!server_) {
    auto key = own_key();
    if (!key) return std::move(key).error();
    server_ = std::make_unique<Server>(loop_, std::move(*key), world_);
    world_.log(config::LogLevel::info,
               "remote: the key of this gateway is " + to_text(server_->key()));
  }
  return server_->configure(settings_);
}

Result<SigningKey> Control::own_key() {
  const std::string path = state_dir_ + "/remote-key";
  auto key = read_key_file(path);
  if (key || key.error().code != ErrorCode::not_found) return key;
  SigningKey fresh = SigningKey::generate();
  if (auto written = write_key_file(path, fresh); !written) return std::move(written).error();
  return fresh;
}

}  // namespace postern::remote
