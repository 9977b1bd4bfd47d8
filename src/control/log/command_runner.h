// SPDX-License-Identifier: BSD-3-Clause
// CommandRunner: programs that are run for alerts, without a shell, with their own environment,
// some at once, and ended when they take too long. They get no descriptor of ours.
//
// Thread: one. Bounds: `parallel` at once, kWaitingMax wait; further ones are refused.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace postern {

class CommandRunner {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kWaitingMax = 64;

  struct Job {
    std::vector<std::string> command;      // an absolute path, see start_program(); arguments
    std::vector<std::string> environment;  // "NAME=value"
    std::chrono::milliseconds timeout{10000};
  };
  ~CommandRunner();  // ends what runs

  void set_parallel(size_t parallel) { parallel_ = parallel; }
  // False: too many wait.
  bool add(Job job);
  // Starts, ends and reaps; what went wrong, a line each. Call it often while is_busy().
  std::vector<std::string> turn();
  bool is_busy() const { return !waiting_.empty() || !running_.empty(); }

 private:
  struct Running {
    pid_t pid;
    std::string name;
    Clock::time_point deadline;
    bool is_killed;
  };
  void start(const Job& job, std::vector<std::string>& faults);

  size_t parallel_ = 1;
  std::deque<Job> waiting_;
  std::vector<Running> running_;
};

}  // namespace postern
