// SPDX-License-Identifier: BSD-3-Clause
// What the commands that change the configuration have in common: their options, the answer of the
// daemon in words, and the countdown of a change on trial. Thread: the only one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/client.h"
#include "cli/command.h"

namespace postern::cli {

// Options of `apply` and `rollback`.
struct ChangeOptions {
  bool save = false;
  std::optional<std::string> confirm;  // how long the trial takes; empty: as the daemon thinks best
  bool no_confirm = false;
  std::optional<std::string> comment;
  std::optional<std::string> base;
  bool is_any_given() const { return save || confirm || no_confirm || comment || base; }
};
void add_change_options(Command& command, ChangeOptions& options);
// Into the request of the daemon. The Error is one of usage.
Result<void> add_change(Json& request, const ChangeOptions& options);

// The SSH session that this program was started from, for the daemon to look after.
void add_session(Json& request);

// "90s", "5m", "2h" or a number of seconds -> seconds; 0 for other texts.
uint32_t parse_seconds(const std::string& text);

// One line for each on standard error, as config::to_text() has it.
void print_findings(const Json& findings, const std::string& file);

// Tells what came of a change, with findings as those of `file`, in JSON with `more` members. When
// it is on trial and we are at a terminal, asks there until it is kept or taken back. Returns the
// exit code.
int finish_change(const Json& response, const std::string& file, const Globals& globals,
                  const Json& more = Json::object());

}  // namespace postern::cli
