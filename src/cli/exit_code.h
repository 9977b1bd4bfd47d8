// SPDX-License-Identifier: BSD-3-Clause
// The exit codes of `postern`, the same for every command. They are part of its interface: scripts
// and configuration tools decide by them.
#pragma once

#include "base/result.h"

namespace postern::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,        // it was tried and did not work
  kUsage = 2,         // the command line is wrong
  kInvalid = 3,       // the configuration is invalid
  kUnreachable = 4,   // the daemon does not answer
  kNotPermitted = 5,  // the daemon or the system refuses this user
  kPending = 6,       // it is on trial and waits to be confirmed, or was taken back
  kDifferent = 10,    // `diff`; with --detailed-exitcode `plan`, `apply --check`: it would change
                      // something
};

constexpr int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return kInvalid;
    case ErrorCode::unavailable:
      return kUnreachable;
    case ErrorCode::denied:
      return kNotPermitted;
    case ErrorCode::failed:
    case ErrorCode::not_found:
    case ErrorCode::exhausted:
      return kFailed;
  }
  return kFailed;
}

}  // namespace postern::cli
