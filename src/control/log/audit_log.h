// SPDX-License-Identifier: BSD-3-Clause
// AuditLog: who changed what, from where, and what came of it; STATE_DIR/log/audit.log. One line
// for each command that changes something and for each that was refused.
//
//   time=2026-03-01T09:00:00.123+0100 host=gw1 module=audit who="alice" from="pid 812"
//   action="apply" outcome=done detail="revision 12; generation 7; changed filter, nat"
//   (one line in the file)
//
// Thread: any. record() waits until the line is in the file, as long as the disk goes on: what was
// acknowledged is in the log (LogWriter::kPatience). Values hold what their sources hold, made fit
// for one line; no secrets are given.
#pragma once

#include <mutex>
#include <string>

#include "control/log/log_output.h"

namespace postern {

struct AuditEntry {
  std::string who;               // user name, "uid 1234", "posternd" for what it does by itself
  std::string from;              // "pid 812", "ssh 192.0.2.7:50022", "remote 192.0.2.7:50022",
                                 // "portal 192.168.1.20"
  std::string action;            // the command: "apply", "lease release", "login"
  std::string detail;            // what it was about: revision, address, ...
  std::string outcome = "done";  // "done", or "refused" or "failed" with the reason in the detail
};

class AuditLog {
 public:
  AuditLog() : output_(config::LogName::audit) {}

  // An error leaves lines where they went before.
  Result<void> configure(const config::LogFile& settings, const std::string& state_dir,
                         const std::string& host);
  LogOutput& output() { return output_; }
  void record(const AuditEntry& entry);

 private:
  std::string host();

  LogOutput output_;
  std::mutex mutex_;
  std::string host_ = "postern";  // under the mutex
};

}  // namespace postern
