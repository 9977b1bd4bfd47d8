// SPDX-License-Identifier: BSD-3-Clause
// RemoteLink: the way to the daemon of another machine, by the protocol of doc/remote-protocol.md.
// One connection for the whole command, made when it is first needed. Thread: the only one; blocks,
// bounded by kTimeoutSeconds a step.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace postern::cli {

struct RemoteOptions {
  std::string host;  // "gateway.example", "192.0.2.1:44333"; empty: the daemon of this machine
  std::string user;
  std::string identity;       // file of a secret key; empty: that of `postern key generate`
  std::string password_file;  // its first line; empty: asked at the terminal
  std::string known_hosts;    // file; empty: the user's
  std::string fingerprint;    // the only key that is accepted
};

class RemoteLink {
 public:
  explicit RemoteLink(RemoteOptions options);
  ~RemoteLink();  // says the end
  RemoteLink(const RemoteLink&) = delete;
  RemoteLink& operator=(const RemoteLink&) = delete;

  // A request of admin/protocol.h and its response, both as text.
  Result<std::string> call(const std::string& request);

 private:
  class Connection;
  Result<void> open();

  RemoteOptions options_;
  std::unique_ptr<Connection> connection_;
};

// Where this user's files are: $XDG_CONFIG_HOME/postern or ~/.config/postern.
std::string user_file(const std::string& name);
// Makes that directory, for its user alone.
Result<void> make_user_directory();

}  // namespace postern::cli
