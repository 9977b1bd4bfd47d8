// SPDX-License-Identifier: BSD-3-Clause
// Reading and replacing a whole text file. Thread: any; both may block on the disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

constexpr size_t kTextFileMax = 4u << 20;  // bytes; as large as a configuration may be

// An error says what cannot be read, and why.
Result<std::string> read_text_file(const std::string& path);

// The same of a file that may be on a disk or in memory, and nothing that one could wait for: what
// the control thread reads while it serves.
Result<std::string> read_regular_file(const std::string& path);

// The same of a descriptor, to its end; `name` is what errors call it.
Result<std::string> read_text(int fd, const std::string& name);

// Replaces the file whole or not at all, durably: a new file is synced, renamed over the old one,
// and the directory is synced. Keeps the mode of the old file; a new one has `mode`: readable by
// owner and group.
Result<void> write_text_file(const std::string& path, std::string_view text, unsigned mode = 0640);

}  // namespace postern
