// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/command_runner.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <utility>

#include "services/io/program.h"

namespace postern {

CommandRunner::~CommandRunner() {
  for (const Running& running : running_) {
    kill(-running.pid, SIGKILL);
    waitpid(running.pid, nullptr, 0);
  }
}

bool CommandRunner::add(Job job) {
  if (waiting_.size() >= kWaitingMax) return false;
  waiting_.push_back(std::move(job));
  return true;
}

std::vector<std::string> CommandRunner::turn() {
  std::vector<std::string> faults;
  const Clock::time_point now = Clock::now();
  std::vector<Running> still;
  for (Running& running : running_) {
    int status = 0;
    if (waitpid(running.pid, &status, WNOHANG) == 0) {
      if (!running.is_killed && now >= running.deadline) {
        kill(-running.pid, SIGKILL);
        running.is_killed = true;
      }
      still.push_back(std::move(running));
    } else if (running.is_killed) {
      faults.push_back(running.name + ": took too long and was ended");
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      faults.push_back(WIFEXITED(status)
                           ? fmt::format("{}: exit code {}", running.name, WEXITSTATUS(status))
                           : fmt::format("{}: signal {}", running.name, WTERMSIG(status)));
    }
  }
  running_ = std::move(still);
  while (running_.size() < parallel_ && !waiting_.empty()) {
    start(waiting_.front(), faults);
    waiting_.pop_front();
  }
  return faults;
}

void CommandRunner::start(const Job& job, std::vector<std::string>& faults) {
  auto started = io::start_program({job.command, job.environment, -1, -1});
  if (started) {
    running_.push_back({*started, job.command[0], Clock::now() + job.timeout, false});
  } else {
    faults.push_back(std::move(started).error().text);
  }
}

}  // namespace postern
