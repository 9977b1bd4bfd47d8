// SPDX-License-Identifier: BSD-3-Clause
// Signals that ask for an orderly end: as long as one of these lives, SIGINT, SIGTERM and SIGHUP
// (the terminal is closed) end nothing by themselves, but wake who waits. One that is ignored when
// this begins (nohup) stays so. Thread: the only one.
#pragma once

#include <csignal>

namespace postern::cli {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Readable when one has come; for poll(). take() then.
  int fd() const { return fd_; }
  // Takes one that has come; false: none has.
  bool take();
  // Whether one was ever taken.
  bool has_come() const { return taken_ > 0; }
  unsigned taken() const { return taken_; }
  // Waits for the first one, for so long at most. The same as has_come() then.
  bool wait_ms(int milliseconds);

 private:
  int fd_ = -1;
  unsigned taken_ = 0;
  sigset_t set_ = {};
};

}  // namespace postern::cli
