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
    {"dns flush", Role::op},      {"user unlock", Role::op},
});

}  // namespace

Role least_role(std::string_view command) {
  if (command.starts_with("show ")) return Role::viewer;
  auto found = std::find_if(kLeast.begin(), kLeast.end(),
                            [&](const Least& least) { return least.command == command; });
  return found == kLeast.end() ? Role::admin : found->role;
}

std::string without_hashes(std::string_view text) {
  constexpr std::string_view kHead = "$argon2";
  constexpr std::string_view kAfter = "id$hidden";
  std::string out;
  for (size_t at = text.find(kHead); at != std::string_view::npos; at = text.find(kHead)) {
    out += text.substr(0, at + kHead.size());
    out += kAfter;
    text.remove_prefix(std::min(text.find_first_of(" \t\r\n\"',}]", at), text.size()));
  }
  return out += text;
}

}  // namespace postern::admin
