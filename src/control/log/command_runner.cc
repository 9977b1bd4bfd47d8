// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/command_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "control/log/trusted_program.h"

namespace postern {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

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
  if (auto trusted = trusted_program(job.command[0], geteuid()); !trusted) {
    faults.push_back("not run: " + trusted.error().text);
    return;
  }
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&files);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  const std::vector<char*> arguments = pointers_to(job.command);
  const std::vector<char*> environment = pointers_to(job.environment);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, job.command[0].c_str(), &files, &attributes, arguments.data(),
                                environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    faults.push_back(job.command[0] + ": " + std::strerror(error));
  } else {
    running_.push_back({pid, job.command[0], Clock::now() + job.timeout, false});
  }
}

}  // namespace postern
