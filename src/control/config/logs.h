// SPDX-License-Identifier: BSD-3-Clause
// LogName: which logs there are, and what holds for each (logs.def). Pure; thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern::config {

enum class LogName : uint8_t {
#define POSTERN_LOG(name, keys, on_console, is_forwarded, help) name,
#include "control/config/logs.def"
#undef POSTERN_LOG
};

struct LogFacts {
  LogName name;
  const char* word;   // "security"
  bool on_console;    // unless the configuration says otherwise
  bool is_forwarded;  // to collectors that name no logs
};

// By LogName.
inline constexpr auto kLogTable = std::to_array<LogFacts>({
#define POSTERN_LOG(name, keys, on_console, is_forwarded, help) \
  {LogName::name, #name, on_console, is_forwarded},
#include "control/config/logs.def"
#undef POSTERN_LOG
});
constexpr size_t kLogs = kLogTable.size();

constexpr const LogFacts& facts_of(LogName log) {
  return kLogTable[static_cast<size_t>(log)];
}

// As in the configuration, in the name of the file and on the command line.
constexpr const char* to_word(LogName log) {
  return facts_of(log).word;
}

}  // namespace postern::config
