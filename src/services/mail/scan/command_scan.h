// SPDX-License-Identifier: BSD-3-Clause
// ask_command(): one message to a program by its standard input, for a thread that waits for the
// answer. See ScanSettings::command for what the exit code says.
//
// The environment is PATH, LC_ALL, POSTERN_MAIL_ID, POSTERN_MAIL_OCTETS. Bounds: those of
// run_program() (services/io/program.h), ScanLimits; of what it prints the first line that is not
// empty, up to kFindingMax octets. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "services/mail/queue/body.h"
#include "services/mail/scan/scan_limits.h"

namespace postern::mail {

constexpr size_t kFindingMax = 200;

struct CommandResult {
  enum class Kind : uint8_t { clean, infected, fault };
  Kind kind = Kind::fault;
  std::string what;  // what it found, or what is wrong
};

CommandResult ask_command(const std::vector<std::string>& command, const std::string& id,
                          const Body& body, const ScanLimits& limits);

}  // namespace postern::mail
