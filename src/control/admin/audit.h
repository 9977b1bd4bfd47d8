// SPDX-License-Identifier: BSD-3-Clause
// What the audit log says of a command of the administration socket. Thread: control.
#pragma once

#include "control/admin/dispatcher.h"
#include "control/apply/reload.h"
#include "control/log/audit_log.h"

namespace postern::admin {

// Only fields that are known to hold no secret are told.
AuditEntry audit_entry(const Dispatcher::Answered& what, const Json& response);
// Of what the daemon did by itself or by a signal.
AuditEntry audit_entry(const std::string& who, const std::string& action,
                       const ReloadReport& report);

}  // namespace postern::admin
