// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/stop_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "base/assert.h"

namespace postern::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

bool is_ignored(int number) {
  struct sigaction now = {};
  return sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

StopSignals::StopSignals() {
  sigemptyset(&set_);
  for (int number : kSignals) {
    if (!is_ignored(number)) sigaddset(&set_, number);
  }
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  fd_ = signalfd(-1, &set_, SFD_NONBLOCK | SFD_CLOEXEC);
  POSTERN_ASSERT(fd_ >= 0);
}

StopSignals::~StopSignals() {
  close(fd_);
  // Those that still wait have been heard: the program is at its end.
  for (int number : kSignals) {
    if (sigismember(&set_, number) == 1) std::signal(number, SIG_IGN);
  }
  pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  for (int number : kSignals) {
    if (sigismember(&set_, number) == 1) std::signal(number, SIG_DFL);
  }
}

bool StopSignals::take() {
  signalfd_siginfo info;
  const bool is_one = read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  if (is_one) ++taken_;
  return is_one;
}

bool StopSignals::wait_ms(int milliseconds) {
  if (has_come()) return true;
  pollfd one = {.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&one, 1, milliseconds) > 0) take();
  return has_come();
}

}  // namespace postern::cli
