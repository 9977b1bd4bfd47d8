// SPDX-License-Identifier: BSD-3-Clause
#include "cli/ssh_session.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace postern::cli {
namespace {

constexpr const char* kName = "SSH_CONNECTION";
constexpr int kParentsMax = 16;

// Of another process; empty without the right to look, or without the variable.
std::string variable_of(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  const std::string begin = std::string(kName) + "=";
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (entry.starts_with(begin)) return entry.substr(begin.size());
  }
  return {};
}

// 0: none.
long parent_of(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  long parent = 0;
  rest >> state >> parent;
  return parent;
}

}  // namespace

std::optional<SshSession> parse_ssh_connection(const std::string& text) {
  std::istringstream words(text);
  SshSession session;
  std::string rest;
  if (!(words >> session.client >> session.client_port >> session.server >> session.server_port) ||
      words >> rest) {
    return std::nullopt;
  }
  return session;
}

std::optional<SshSession> ssh_session() {
  const char* own = std::getenv(kName);
  std::string text = own != nullptr ? own : "";
  long pid = getppid();
  for (int i = 0; text.empty() && pid > 1 && i < kParentsMax; ++i) {
    text = variable_of(pid);
    pid = parent_of(pid);
  }
  return parse_ssh_connection(text);
}

}  // namespace postern::cli
