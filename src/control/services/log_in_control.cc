// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/log_in_control.h"

#include <fmt/format.h>

#include "dataplane/policy/identities.h"

namespace postern {
namespace {

LogIns::Groups groups_now(const LogIn& log_in, const accounts::Accounts& accounts) {
  const config::User* user = accounts.find(log_in.user);
  const bool is_same = accounts.password_number(log_in.user) == log_in.password_number;
  if (user == nullptr || !user->enabled || !is_same) return std::nullopt;
  return accounts.book().groups_of(*user);
}

}  // namespace

AuditEntry log_in_entry(const std::string& who, LogInDoor door, Ipv4Address from) {
  AuditEntry entry;
  entry.who = who;
  entry.from = std::string(to_word(door)) + " " + to_text(from);
  entry.action = "login";
  return entry;
}

void tell_log_ins(LogIns& log_ins, ErrorLog& log,
                  const std::function<void(const AuditEntry& entry)>& audit) {
  log_ins.when_begun([&log, audit](const LogIn& log_in) {
    if (log_in.groups.size() > kGroupsOfUserMax) {
      log.warning(fmt::format("{}: {} is in more than {} groups; rules know the first of them",
                              to_word(log_in.door), log_in.user, kGroupsOfUserMax));
    }
    log.info(fmt::format("{}: {} logged in at {}", to_word(log_in.door), log_in.user,
                         to_text(log_in.address)));
    audit(log_in_entry(log_in.user, log_in.door, log_in.address));
  });
  log_ins.when_ended([&log](const LogIn& log_in, LogInEnd why) {
    log.info(fmt::format("{}: {} logged out at {}: {}", to_word(log_in.door), log_in.user,
                         to_text(log_in.address), to_word(why)));
  });
}

void follow_accounts(LogIns& log_ins, accounts::Accounts& accounts) {
  accounts.when_changed([&log_ins, &accounts] {
    log_ins.review([&accounts](const LogIn& log_in) { return groups_now(log_in, accounts); });
  });
}

}  // namespace postern
