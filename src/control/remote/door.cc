// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/door.h"

#include <algorithm>
#include <utility>

#include "control/config/account_text.h"
#include "control/log/error_log.h"

namespace postern::remote {
namespace {

Admission welcome(const accounts::Accounts& accounts, const config::User& user) {
  Admission admission;
  if (user.role == config::Role::none) {
    admission.why = "the account has no role on the gateway";
    return admission;
  }
  admission.verdict = Verdict::welcome;
  admission.name = user.name;
  admission.role = user.role;
  admission.password_number = accounts.password_number(user.name);
  return admission;
}

Admission admit_key(accounts::Accounts& accounts, const LogIn& log_in, Ipv4Address from) {
  const config::User* user = accounts.find(log_in.key);
  const bool is_named =
      user && (log_in.name.empty() || config::folded_name(log_in.name) == user->name);
  if (is_named && user->enabled) return welcome(accounts, *user);
  Admission admission;
  admission.is_checked = accounts.attempts().note_stranger(from, accounts.now()).is_admitted;
  admission.why = !user      ? "nobody has the key " + config::short_text(log_in.key)
                  : is_named ? "the account is disabled"
                             : "the key is another account's";
  return admission;
}

Admission of_outcome(const accounts::Accounts& accounts, const accounts::Outcome& outcome) {
  if (outcome.verdict == accounts::Verdict::right && outcome.user != nullptr) {
    return welcome(accounts, *outcome.user);
  }
  Admission admission;
  admission.why = accounts::to_text(outcome);
  admission.is_checked = accounts::was_checked(outcome);
  if (!admission.is_checked) admission.verdict = Verdict::later;
  return admission;
}

}  // namespace

void admit(accounts::Accounts& accounts, LogIn log_in, Ipv4Address from,
           const std::function<void(const Admission& admission)>& done) {
  if (log_in.method == Method::key) return done(admit_key(accounts, log_in, from));
  accounts.check_password(
      {log_in.name, from, accounts::Door::remote}, std::move(log_in.password),
      [&accounts, done](const accounts::Outcome& outcome) { done(of_outcome(accounts, outcome)); });
}

config::Role role_now(const accounts::Accounts& accounts, const std::string& name,
                      const Proof& proof) {
  const config::User* user = accounts.find(name);
  if (!user || !user->enabled) return config::Role::none;
  const bool has_it =
      proof.method == Method::password
          ? !user->password.empty() && accounts.password_number(name) == proof.password_number
          : std::ranges::any_of(user->keys,
                                [&proof](const auto& own) { return own.key == proof.key; });
  return has_it ? user->role : config::Role::none;
}

}  // namespace postern::remote
