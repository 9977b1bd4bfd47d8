// SPDX-License-Identifier: BSD-3-Clause
#include "cli/password_prompt.h"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace postern::cli {
namespace {

constexpr size_t kLineMax = 4096;

volatile std::sig_atomic_t is_interrupted = 0;

// No echo as long as it lives. Signals that would end us wait until the terminal is as it was.
class Silence {
 public:
  Silence() {
    struct sigaction note = {};
    note.sa_handler = [](int) { is_interrupted = 1; };  // and the read is over
    for (size_t i = 0; i < kSignals.size(); ++i)
      sigaction(kSignals[i], &note, &before_signals_[i]);
    is_set_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_set_) is_set_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~Silence() {
    if (is_set_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    for (size_t i = 0; i < kSignals.size(); ++i)
      sigaction(kSignals[i], &before_signals_[i], nullptr);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  bool is_set() const { return is_set_; }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGTSTP};
  std::array<struct sigaction, kSignals.size()> before_signals_ = {};
  termios before_ = {};
  bool is_set_ = false;
};

// Byte by byte, so that nothing behind the line is taken from who reads next.
Result<std::string> read_line() {
  std::string line;
  for (;;) {
    char c = 0;
    ssize_t n = read(STDIN_FILENO, &c, 1);
    if (is_interrupted != 0) return Error{ErrorCode::failed, "interrupted"};
    if (n < 0 && errno == EINTR) continue;
    if (n != 1 || c == '\n') break;
    line += c;
    if (line.size() > kLineMax) return Error{ErrorCode::invalid, "the password is too long"};
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return Error{ErrorCode::invalid, "the password is empty"};
  return line;
}

}  // namespace

bool is_at_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool ask_yes(const std::string& words) {
  std::fputs(words.c_str(), stderr);
  std::fflush(stderr);
  std::string line;
  char c = 0;
  while (line.size() < kLineMax && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
    line += c;
  return line == "yes";
}

Result<std::string> ask_password(const std::string& words) {
  Silence silence;  // before the question is there: what is typed at once is neither seen nor lost
  if (!silence.is_set()) return Error{ErrorCode::failed, "the terminal cannot be kept silent"};
  std::fprintf(stderr, "%s: ", words.c_str());
  auto line = read_line();
  std::fputc('\n', stderr);
  return line;
}

Result<std::string> ask_new_password(const std::string& name) {
  if (isatty(STDIN_FILENO) != 1) return read_line();
  auto first = ask_password(name.empty() ? "New password" : "New password for " + name);
  if (!first) return first;
  auto again = ask_password("Again");
  if (!again) return again;
  if (*first != *again) return Error{ErrorCode::invalid, "the two passwords differ"};
  return first;
}

}  // namespace postern::cli
