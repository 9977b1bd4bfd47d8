// SPDX-License-Identifier: BSD-3-Clause
// What the daemon does about log-ins, by whichever door (identity/log_ins.h): lines in its logs,
// and accounts that change. Thread: control.
#pragma once

#include <functional>
#include <string>

#include "control/accounts/accounts.h"
#include "control/identity/log_ins.h"
#include "control/log/audit_log.h"
#include "control/log/error_log.h"

namespace postern {

// Of somebody who logs in at a door; the outcome is left to be said.
AuditEntry log_in_entry(const std::string& who, LogInDoor door, Ipv4Address from);

// Writes a line for each log-in and each end of one from now on. All outlive `log_ins`.
void tell_log_ins(LogIns& log_ins, ErrorLog& log,
                  const std::function<void(const AuditEntry& entry)>& audit);

// From now on accounts that are no more, disabled, or have another password are logged out, and
// groups are those of now. `accounts` calls `log_ins` as long as it lives.
void follow_accounts(LogIns& log_ins, accounts::Accounts& accounts);

}  // namespace postern
