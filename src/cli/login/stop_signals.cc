// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/stop_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/assert.h"

namespace postern::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : kSignals)
    sigaddset(&set, number);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  POSTERN_ASSERT(fd_ >= 0);
}

StopSignals::~StopSignals() {
  close(fd_);
  // Those that still wait have been heard: the program is at its end.
  const sigset_t set = stop_set();
  for (int number : kSignals)
    std::signal(number, SIG_IGN);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  for (int number : kSignals)
    std::signal(number, SIG_DFL);
}

bool StopSignals::take() {
  signalfd_siginfo info;
  const bool is_one = read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  has_come_ = has_come_ || is_one;
  return is_one;
}

bool StopSignals::wait_ms(int milliseconds) {
  if (has_come_) return true;
  pollfd one = {.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&one, 1, milliseconds) > 0) take();
  return has_come_;
}

}  // namespace postern::cli
