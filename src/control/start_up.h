// SPDX-License-Identifier: BSD-3-Clause
// What happens before the gateway runs: directories, the lock against a second instance, and the
// choice of the configuration. Thread: the first one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "control/apply/attempt.h"
#include "control/check.h"
#include "control/config/load.h"
#include "control/log/error_log.h"

namespace postern {

struct StartOptions {
  std::string config_file = "/etc/postern/gateway.yaml";
  std::string state_dir = "/var/lib/postern";
  std::string run_dir = "/run/postern";
};

// Makes it (and those above it) with mode 0750 where it is missing.
Result<void> make_directory(const std::string& path);

// A directory that only one posternd may use. Held as long as the object lives, and no longer than
// the process.
class DirectoryLock {
 public:
  // By a file of that name in it. `denied` with one line when another posternd uses the directory.
  static Result<DirectoryLock> take(const std::string& directory, const std::string& name);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

// A configuration that can be put into force.
struct Choice {
  std::string text;
  config::Model model;
  bool is_last_good = false;  // the file was refused, this is what ran before
  std::string refusal;        // why: one line
};

// The file, or, when it has errors, is a change that nobody confirmed (apply/trial.h), or did not
// come up at the start before (apply/attempt.h), the last good configuration. After an end in the
// middle of a trial that is what was in force before it, whatever the file says by now. What is
// wrong goes to the log, line by line.
Result<Choice> choose_configuration(const StartOptions& options, ErrorLog& log);

// One start with a choice: notes on disk what is tried, where there is something to go back to.
class StartAttempt {
 public:
  StartAttempt(const StartOptions& options, const Choice& choice, ErrorLog& log);
  // It is live, and the last good configuration by now.
  void succeeded();
  // It is not. True: the next start takes the last good configuration, and can begin at once.
  bool failed(const Error& error);

 private:
  const StartOptions& options_;
  ErrorLog& log_;
  Attempt attempt_;
  bool has_way_back_ = false;  // to a last good configuration that says something else
};

// Begins this process anew, with the same arguments and none of its descriptors: the packet path
// can be set up but once in a process. Returns when that cannot be done.
Error begin_anew(char** argv);

}  // namespace postern
