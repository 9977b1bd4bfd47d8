// SPDX-License-Identifier: BSD-3-Clause
// Files that a command reads. Thread: any; it may block.
#pragma once

#include <unistd.h>

#include <string>

#include "base/result.h"
#include "control/text_file.h"

namespace postern::cli {

// "-" is standard input, to its end, and so is /dev/stdin, which cannot be opened where it is a
// socket.
inline Result<std::string> read_input(const std::string& file) {
  if (file == "-" || file == "/dev/stdin") return read_text(STDIN_FILENO, file);
  return read_text_file(file);
}

}  // namespace postern::cli
