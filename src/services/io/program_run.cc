// SPDX-License-Identifier: BSD-3-Clause
// run_program() of program.h: one thread, one program, one poll().
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "services/io/program.h"

namespace postern::io {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// Writing to a program that reads no more is an error like others here, and no signal: held back
// from this thread, and forgotten before it may come again.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutPipeSignal() {
    const timespec at_once = {};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_;
};

// A pipe of which our end does not block.
bool make_pipe(Descriptor& reads, Descriptor& writes, bool is_ours_to_read) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  reads.reset(ends[0]);
  writes.reset(ends[1]);
  return fcntl(is_ours_to_read ? ends[0] : ends[1], F_SETFL, O_NONBLOCK) == 0;
}

bool is_passing(int error) {
  return error == EAGAIN || error == EINTR;
}

class Run {
 public:
  explicit Run(const ProgramJob& job)
      : job_(job), deadline_(Clock::now() + std::chrono::nanoseconds(job.timeout.ns)) {}
  ~Run() { end(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Result<void> start();
  ProgramEnd wait();

 private:
  int left_ms() const;
  void write_input();
  void read_output();
  int end();

  const ProgramJob& job_;
  const Clock::time_point deadline_;
  pid_t pid_ = 0;  // 0: not started, or waited for
  Descriptor process_;
  Descriptor input_;   // we write
  Descriptor output_;  // we read
  std::vector<char> piece_;
  size_t piece_length_ = 0;
  size_t written_ = 0;  // of the piece
  ProgramEnd result_;
};

Result<void> Run::start() {
  Descriptor its_input, its_output;
  const bool has_pipes =
      make_pipe(output_, its_output, true) && (!job_.input || make_pipe(its_input, input_, false));
  if (!has_pipes) return Error{ErrorCode::failed, std::strerror(errno)};
  auto started = start_program({job_.command, job_.environment, its_input.get(), its_output.get()});
  if (!started) return std::move(started).error();
  pid_ = *started;
  // The header of glibc 2.36 for it does not say that it is C.
  process_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_.is_open()) return Error{ErrorCode::failed, std::strerror(errno)};
  if (job_.input) piece_.resize(kProgramPieceMax);
  return {};
}

int Run::left_ms() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
}

ProgramEnd Run::wait() {
  for (;;) {
    // Those that are closed, -1, are passed over.
    std::array<pollfd, 4> waits = {{{process_.get(), POLLIN, 0},
                                    {job_.stop, POLLIN, 0},
                                    {input_.get(), POLLOUT, 0},
                                    {output_.get(), POLLIN, 0}}};
    const int left = left_ms();
    if (poll(waits.data(), waits.size(), left) < 0) continue;
    if (waits[3].revents != 0) read_output();
    if (waits[0].revents != 0) break;
    if (waits[1].revents != 0 || left == 0) {
      result_.kind = left == 0 ? ProgramEnd::Kind::timeout : ProgramEnd::Kind::stopped;
      end();
      return std::move(result_);
    }
    if (waits[2].revents != 0) write_input();
  }
  // What it printed is in the pipe by now; whoever it left behind prints for nobody.
  read_output();
  const int status = end();
  result_.kind = WIFEXITED(status) ? ProgramEnd::Kind::exited : ProgramEnd::Kind::killed;
  result_.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  return std::move(result_);
}

void Run::write_input() {
  if (written_ == piece_length_) {
    piece_length_ = job_.input(piece_);
    written_ = 0;
    if (piece_length_ == 0) return input_.reset();
  }
  const ssize_t count = write(input_.get(), piece_.data() + written_, piece_length_ - written_);
  if (count >= 0) {
    written_ += static_cast<size_t>(count);
  } else if (!is_passing(errno)) {
    input_.reset();  // it reads no more, which is its own affair
  }
}

// At most what a pipe holds at once, so that the deadline is looked at.
void Run::read_output() {
  std::array<char, 16384> buffer;
  for (size_t total = 0; output_.is_open() && total < 8 * buffer.size();) {
    const ssize_t count = read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && is_passing(errno)) return;
    if (count <= 0) return output_.reset();
    const size_t length = static_cast<size_t>(count);
    const size_t kept = std::min(length, job_.output_max - result_.output.size());
    result_.output.append(buffer.data(), kept);
    result_.is_cut = result_.is_cut || kept < length;
    total += length;
  }
}

// Its status. While it was not waited for, its number and that of its group are nobody else's.
int Run::end() {
  if (pid_ == 0) return 0;
  int status = 0;
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

}  // namespace

Result<ProgramEnd> run_program(const ProgramJob& job) {
  const WithoutPipeSignal quiet;
  Run run(job);
  if (auto started = run.start(); !started) return std::move(started).error();
  return run.wait();
}

std::string to_text(const ProgramEnd& end) {
  switch (end.kind) {
    case ProgramEnd::Kind::exited:
      return "exit code " + std::to_string(end.code);
    case ProgramEnd::Kind::killed:
      return "signal " + std::to_string(end.code);
    case ProgramEnd::Kind::timeout:
      return "took too long and was ended";
    case ProgramEnd::Kind::stopped:
      break;
  }
  return "was ended";
}

}  // namespace postern::io
