// SPDX-License-Identifier: BSD-3-Clause
// LogWriter: the lines of one log to its file and to standard error, in a thread of its own, for
// disks and terminals may keep their writers waiting.
//
//   add -> queue (memory) -> file (rotated_file.h), console
//
// Every line that one of them misses is counted, whether the queue had no room, the disk was full
// or nobody read the console; once lines get through again, the count is a line at their place.
// Bounds: kQueueMax lines and kQueueBytesMax wait, and as many are being written; nobody waits for
// longer than kPatience, nor again before something was written.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "control/log/rotated_file.h"

namespace postern {

class LogWriter {
 public:
  static constexpr size_t kQueueMax = 32768;
  static constexpr size_t kQueueBytesMax = size_t{8} << 20;
  static constexpr std::chrono::milliseconds kPatience{1000};

  struct Targets {
    std::unique_ptr<RotatedFile> file;  // or nullptr
    bool console = false;
    // The line, not ended, which tells of so many lost ones; the writer's thread calls it.
    std::function<std::string(uint64_t lines)> lost_line;
  };

  LogWriter();
  ~LogWriter();  // writes what can be written within kPatience
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // From the next line on.
  void use(Targets targets);
  // One line, not ended. Does not wait.
  void add(std::string_view line);
  // Until the next line has room.
  void wait_for_room();
  // Until the lines so far are written.
  void settle();

  // Lines that file or console have missed so far, and whether the latest is one of them.
  uint64_t unwritten() const;
  bool is_failing() const;

 private:
  struct State;
  class Sinks;
  static void run(State& state);

  std::shared_ptr<State> state_;  // the thread's, too: one that never comes back is left to itself
  std::thread thread_;
};

}  // namespace postern
