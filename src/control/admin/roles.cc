// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/roles.h"

#include <algorithm>
#include <array>
#include <string>

namespace postern::admin {
namespace {

using config::Role;

struct Least {
  std::string_view command;
  Role role;
};
// Looking; then what ends by itself or can be had again; all else changes the gateway.
constexpr std::array kLeast = std::to_array<Least>({
    {"status", Role::viewer},     {"explain", Role::viewer},       {"plan", Role::viewer},
    {"history", Role::viewer},    {"top", Role::viewer},           {"log tail", Role::viewer},
    {"log follow", Role::viewer}, {"log read", Role::viewer},      {"user list", Role::viewer},
    {"user show", Role::viewer},  {"user lockouts", Role::viewer}, {"user policy", Role::viewer},
    {"capture start", Role::op},  {"capture read", Role::op},      {"capture stop", Role::op},
    {"lease release", Role::op},  {"dhcp release", Role::op},      {"dhcp renew", Role::op},
    {"dns flush", Role::op},      {"user unlock", Role::op},       {"logout", Role::op},
    {"cache purge", Role::op},    {"cache clear", Role::op},       {"cache recreate", Role::op},
    {"mail retry", Role::op},     {"mail hold", Role::op},         {"mail fetch", Role::op},
});

constexpr std::string_view kOurs = "$argon2";
constexpr std::string_view kHashBytes =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=$,.-";

struct HashHead {
  size_t at = std::string_view::npos;
  std::string_view head;
};

// The first of our own hashes or of crypt(3)'s.
HashHead find_hash(std::string_view text) {
  HashHead first;
  for (std::string_view head :
       {kOurs, std::string_view("$1$"), std::string_view("$5$"), std::string_view("$6$"),
        std::string_view("$y$"), std::string_view("$2a$"), std::string_view("$2b$"),
        std::string_view("$2y$")}) {
    if (size_t at = text.find(head); at < first.at) first = {at, head};
  }
  return first;
}

}  // namespace

Role least_role(std::string_view command) {
  if (command.starts_with("show ")) return Role::viewer;
  auto found = std::find_if(kLeast.begin(), kLeast.end(),
                            [&](const Least& least) { return least.command == command; });
  return found == kLeast.end() ? Role::admin : found->role;
}

std::string without_hashes(std::string_view text) {
  std::string out;
  for (;;) {
    const auto [at, head] = find_hash(text);
    if (at == std::string_view::npos) return out += text;
    // A comma stands within our own, "m=65536,t=2"; one behind it is the list's.
    size_t end = std::min(text.find_first_not_of(kHashBytes, at), text.size());
    while (text[end - 1] == ',')
      --end;
    out += text.substr(0, at + head.size());
    if (head == kOurs) out += "id$";
    out += "hidden";
    text.remove_prefix(end);
  }
}

Result<std::string> without_hashes(std::string_view text, const config::Users& users) {
  std::string shown = without_hashes(text);
  for (const config::User& user : users.accounts) {
    const std::string& hash = user.password;
    const std::string_view digest = std::string_view(hash).substr(hash.rfind('$') + 1);
    if (hash.empty()) continue;
    if (text.find(hash) == std::string_view::npos || shown.find(digest) != std::string::npos) {
      return Error{ErrorCode::denied,
                   "the hash of a password is written so that it cannot be taken out; the whole "
                   "takes the role admin"};
    }
  }
  return shown;
}

}  // namespace postern::admin
