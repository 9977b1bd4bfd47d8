// SPDX-License-Identifier: BSD-3-Clause
// Alerts: what somebody should look at (F28). One alert of a kind and subject in a window of time:
// a line in STATE_DIR/log/alert.log (and so to collectors), and the command that is configured.
//
//   raise() -> a burst of it is on? -> counted
//                                \--> line, command; a burst begins
//   its end, when some were counted -> one line "action=suppressed records=N"
//
//   time=... host=gw1 module=alert kind=rule rule="guard" text="..."
//
// The command gets POSTERN_ALERT_KIND, _SUBJECT, _TEXT, _TIME and POSTERN_HOST.
//
// Thread: any for raise(), which waits for no command; control for configure(). Bounds: kBurstsMax
// bursts of a kind at once, beyond which all others of that kind are one burst, whose subject is
// "others"; kinds are the program's own. Commands as in CommandRunner.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "control/log/command_runner.h"
#include "control/log/log_output.h"

namespace postern {

class Alerts {
 public:
  static constexpr size_t kBurstsMax = 64;

  // `warn` is told of commands that fail; any thread.
  explicit Alerts(std::function<void(const std::string& line)> warn);
  ~Alerts();
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  Result<void> configure(const config::Logging& logging, const std::string& state_dir,
                         const std::string& host);
  LogOutput& output() { return output_; }

  // `kind` is a word ("rule", "login"); `subject` what it is about (the rule, an address).
  void raise(std::string_view kind, std::string_view text, std::string_view subject = {});

 private:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::string, std::string>;  // kind, subject
  struct Burst {
    Clock::time_point ends;
    uint64_t suppressed = 0;
  };
  void run();
  void end_bursts(Clock::time_point now);
  size_t bursts_of(const std::string& kind) const;
  void tell_end(const Key& key, uint64_t suppressed);

  LogOutput output_;
  std::function<void(const std::string&)> warn_;
  std::mutex mutex_;  // of all below
  std::condition_variable wake_;
  config::AlertLog settings_;
  std::string host_ = "postern";
  std::map<Key, Burst> bursts_;
  CommandRunner runner_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace postern
