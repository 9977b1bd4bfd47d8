// SPDX-License-Identifier: BSD-3-Clause
// What is kept on disk of a start with a text that the gateway has never run with (C03):
// STATE_DIR/start.json names it by its digest from before the start until all of it is live. When
// posternd ends in between, by itself or killed, the next start takes the last good configuration
// instead (start_up.h), once. Thread: control.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace postern {

struct Attempt {
  std::string digest;  // of the text, see digest_of()
  std::string fault;   // why it did not come up; empty: posternd has just ended
};

std::string attempt_path(const std::string& state_dir);
// Whole or not at all, durably.
Result<void> write_attempt(const std::string& state_dir, const Attempt& attempt);
// Without a file, or with one that is not understood, empty.
std::optional<Attempt> read_attempt(const std::string& state_dir);
// Without a file nothing happens.
Result<void> remove_attempt(const std::string& state_dir);

}  // namespace postern
