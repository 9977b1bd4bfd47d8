// SPDX-License-Identifier: BSD-3-Clause
// AccessLog: which lines of memory the packet path reads and writes, exactly. The sources under
// test are compiled with -fsanitize=thread, which has the compiler report every load and store, and
// linked with the functions here instead of ThreadSanitizer. Thread: one.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace postern::test {

class AccessLog {
 public:
  // By line: bit w of each, worker w did.
  struct Use {
    uint64_t readers = 0, writers = 0;
    const void* writer = nullptr;  // the code that wrote last
  };

  explicit AccessLog(uintptr_t line_bytes);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // From here to end() what is done is worker's.
  void begin(unsigned worker);
  void end();
  // `writer`: the code that writes; nullptr: it is a read.
  void note(uintptr_t address, uintptr_t size, const void* writer);

  const std::unordered_map<uintptr_t, Use>& lines() const { return lines_; }
  uintptr_t line_bytes() const { return line_bytes_; }
  uint64_t accesses() const { return accesses_; }

 private:
  uintptr_t line_bytes_;
  uintptr_t stack_first_ = 0, stack_end_ = 0;  // left out: each worker has one of its own
  unsigned worker_ = 0;
  uint64_t accesses_ = 0;
  std::unordered_map<uintptr_t, Use> lines_;
};

}  // namespace postern::test
