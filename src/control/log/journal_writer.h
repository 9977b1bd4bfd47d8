// SPDX-License-Identifier: BSD-3-Clause
// JournalWriter: lines into the journal of systemd, in a thread of its own, for the journal may
// keep its writers waiting. MESSAGE is the line; POSTERN_LOG the log, POSTERN_RULE, POSTERN_ACTION,
// ... the fields of the line. Bounds: kQueueMax lines wait; further ones, and those that the
// journal did not take, are counted and told in it at their place.
//
// Thread: any for take(). What waits at the end has kFarewell; the rest is given up and counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "control/log/log_output.h"

namespace postern {

class JournalWriter {
 public:
  static constexpr size_t kQueueMax = 16384;
  static constexpr std::chrono::milliseconds kFarewell{500};

  // Whether the journal has taken an entry, "NAME=value" each. May wait.
  using Send = bool (*)(const std::vector<std::string>& fields);
  explicit JournalWriter(Send send = to_journal);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;
  void take(const LogEntry& entry);
  // Lines that are not in the journal, so far.
  uint64_t lost() const;
  // Takes no more lines; a thread that the journal keeps waiting is left to itself. How many lines
  // were given up.
  uint64_t end();

  static bool to_journal(const std::vector<std::string>& fields);

 private:
  struct State;
  static void run(State& state, Send send);

  std::shared_ptr<State> state_;  // the thread's, too
  std::thread thread_;
};

// "NAME=value" each.
std::vector<std::string> journal_fields(config::LogName log, Severity severity,
                                        std::string_view line);

}  // namespace postern
