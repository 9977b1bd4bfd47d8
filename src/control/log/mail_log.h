// SPDX-License-Identifier: BSD-3-Clause
// MailLog: a line for each event of the mail service (mail_line.h); STATE_DIR/log/mail.log. Thread:
// control. Bounds: those of LogOutput; what finds no room is counted and told.
#pragma once

#include <string>

#include "control/log/log_output.h"

namespace postern {

namespace mail {
struct MailEvent;
}

class MailLog {
 public:
  MailLog() : output_(config::LogName::mail) {}

  Result<void> configure(const config::LogFile& settings, const std::string& state_dir,
                         const std::string& host) {
    host_ = host;
    return output_.configure(settings, {state_dir, host});
  }
  LogOutput& output() { return output_; }
  void write(const mail::MailEvent& event);

 private:
  LogOutput output_;
  std::string host_;
};

}  // namespace postern
