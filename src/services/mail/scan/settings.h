// SPDX-License-Identifier: BSD-3-Clause
// ScanSettings: who looks at mail before it goes on (F54). Plain values; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace postern::mail {

enum class WithoutScanner : uint8_t { hold, pass };
enum class WithInfected : uint8_t { refuse, hold, discard };

struct ScanSettings {
  // "unix:/run/clamav/milter.sock" or "inet:127.0.0.1:7357"; asked in order, the first that does
  // not let a message pass decides.
  std::vector<std::string> milters;
  // Gets the message by its standard input. Exit 0: clean; 1: infected, what it printed says with
  // what; 75 (EX_TEMPFAIL), anything else, a signal: it could not be scanned. Empty: none.
  std::vector<std::string> command;
  Duration timeout = seconds(60);  // for one scanner and one message
  WithoutScanner without = WithoutScanner::hold;
  WithInfected infected = WithInfected::refuse;
  bool is_wanted() const { return !milters.empty() || !command.empty(); }
  friend bool operator==(const ScanSettings&, const ScanSettings&) = default;
};

}  // namespace postern::mail
