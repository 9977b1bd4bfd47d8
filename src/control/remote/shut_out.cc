// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/shut_out.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/remote/settings.h"

namespace postern::remote {
namespace {

const config::User* account_in(const config::Model& wanted, const Insider& insider) {
  const auto& configured = wanted.users.accounts;
  auto found = std::ranges::find(configured, insider.account, &config::User::name);
  if (found != configured.end()) return &*found;
  return wanted.users.account_file ? insider.local : nullptr;
}

// What would be wrong with the account.
std::string fault_of(const config::User* user) {
  if (user == nullptr) return "would be gone";
  if (!user->enabled) return "would be disabled";
  if (user->role < config::Role::admin) return "would not be an admin any more";
  return user->keys.empty() && user->password.empty() ? "would have no key and no password" : "";
}

}  // namespace

std::optional<std::string> shuts_out(const config::Model& wanted, const Policy& policy,
                                     const Insider& insider) {
  const Endpoint& client = insider.connection.client;
  const Endpoint& server = insider.connection.server;
  const std::string session =
      fmt::format("your session from {} to {}:{} would end", to_text(client.address),
                  to_text(server.address), server.port);
  if (!wanted.admin.remote || !wanted.admin.remote->enabled) {
    return session + ": admin.remote would be off";
  }
  const Settings settings = settings_of(wanted, policy, [](InterfaceId) { return "any"; });
  const bool is_listening = std::ranges::any_of(settings.listen, [&](const auto& at) {
    return at.address == server.address && at.port == server.port;
  });
  if (!is_listening) return session + ": admin.remote would not listen there";
  const bool is_listed =
      settings.from.empty() || std::ranges::any_of(settings.from, [&](const AddressRange& range) {
        return range.contains(client.address);
      });
  if (!is_listed) return session + ": admin.remote.from would not list you";
  const std::string fault = fault_of(account_in(wanted, insider));
  if (!fault.empty()) return fmt::format("{}: the account {} {}", session, insider.account, fault);
  return std::nullopt;
}

}  // namespace postern::remote
