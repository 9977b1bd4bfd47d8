// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/audit_log.h"

#include "control/log/log_line.h"

namespace postern {

Result<void> AuditLog::configure(const config::LogFile& settings, const std::string& state_dir,
                                 const std::string& host) {
  std::lock_guard lock(mutex_);
  host_ = host;
  return output_.configure(settings, {state_dir, host});
}

void AuditLog::record(const AuditEntry& entry) {
  const int64_t now = wall_now_ns();
  LineText line(now, host(), "audit");
  line.text("who", entry.who).text("from", entry.from).text("action", entry.action);
  line.word("outcome", entry.outcome).text("detail", entry.detail);
  const bool is_done = entry.outcome == "done";
  output_.write(is_done ? Severity::notice : Severity::warning, line.line(), now);
  output_.settle();
}

std::string AuditLog::host() {
  std::lock_guard lock(mutex_);
  return host_;
}

}  // namespace postern
