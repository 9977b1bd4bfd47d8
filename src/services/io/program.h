// SPDX-License-Identifier: BSD-3-Clause
// Programs that the configuration names, started without a shell, with their own environment and
// no descriptor of ours: start_program() for who waits for them himself, run_program() for a thread
// that has nothing else to do.
//
//   input() -> standard input    standard output -> ProgramEnd::output    errors: nowhere
//
// Only a trusted program is started (trusted_program.h). It leads a process group, which ends with
// it: what it leaves behind is killed.
//
// Thread: any. Bounds: ProgramJob::timeout, output_max; kProgramPieceMax octets of input in memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace postern::io {

struct ProgramStart {
  std::vector<std::string> command;      // an absolute path; arguments
  std::vector<std::string> environment;  // "NAME=value"
  int input = -1;                        // its standard input; -1: /dev/null
  int output = -1;                       // the same
};

// The process, which the caller waits for; it leads a group of its own number.
Result<pid_t> start_program(const ProgramStart& start);

struct ProgramJob {
  std::vector<std::string> command;
  std::vector<std::string> environment;
  // Puts what comes next into `into` and says how much; 0: that was all. Empty: no input.
  std::function<size_t(std::span<char> into)> input;
  Duration timeout = seconds(10);
  size_t output_max = 65536;  // of what is kept; what is printed beyond is read and dropped
  int stop = -1;              // once this descriptor is readable the program is killed; -1: never
};

struct ProgramEnd {
  enum class Kind {
    exited,   // with `code`
    killed,   // by the signal `code`
    timeout,  // by us
    stopped,  // by us, see ProgramJob::stop
  };
  Kind kind = Kind::exited;
  int code = 0;
  std::string output;
  bool is_cut = false;  // it printed more than that
};

// "exit code 2", "signal 11", "took too long and was ended", "was ended".
std::string to_text(const ProgramEnd& end);

constexpr size_t kProgramPieceMax = 65536;

// Comes back when the program has ended. The Error: it was not started.
Result<ProgramEnd> run_program(const ProgramJob& job);

}  // namespace postern::io
