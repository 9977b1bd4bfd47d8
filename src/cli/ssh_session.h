// SPDX-License-Identifier: BSD-3-Clause
// The SSH session that this program was started from. Thread: any.
#pragma once

#include <optional>
#include <string>

namespace postern::cli {

struct SshSession {
  std::string client, client_port;  // addresses and ports as sshd wrote them
  std::string server, server_port;
};

// From SSH_CONNECTION of this process or, since sudo takes it away, of those that started it.
std::optional<SshSession> ssh_session();
// "192.0.2.7 50000 192.168.1.1 22"; for tests.
std::optional<SshSession> parse_ssh_connection(const std::string& text);

}  // namespace postern::cli
