// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/who.h"

#include <fmt/format.h>
#include <pwd.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>

namespace postern::admin {

// From the file, for a directory service may take its time and this thread has none.
std::string login_name(uint32_t uid) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/etc/passwd", "re"),
                                                       std::fclose);
  while (const passwd* user = file ? fgetpwent(file.get()) : nullptr) {
    if (user->pw_uid == uid) return user->pw_name;
  }
  return {};
}

namespace {

std::string user_name(uint32_t uid) {
  std::string name = login_name(uid);
  return name.empty() ? fmt::format("uid {}", uid) : name;
}

std::optional<uint32_t> login_uid(int32_t pid) {
  std::ifstream file(fmt::format("/proc/{}/loginuid", pid));
  uint32_t uid = 0;
  if (!(file >> uid) || uid == std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return uid;
}

}  // namespace

std::string who_is(const Peer& peer) {
  if (!peer.account.empty()) return peer.account;
  std::string name = user_name(peer.uid);
  std::optional<uint32_t> login = login_uid(peer.pid);
  if (!login || *login == peer.uid) return name;
  return user_name(*login) + " as " + name;
}

}  // namespace postern::admin
