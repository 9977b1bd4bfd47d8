// SPDX-License-Identifier: BSD-3-Clause
// History: every configuration that was in force and was no mere trial, with who put it there and
// why (P14). In STATE_DIR/history a revision has two files, its text NUMBER.yaml as it came, byte
// for byte, and NUMBER.json about it; the latter is written last, so that a revision is there whole
// or not at all. Bounded: beyond kRevisionsMax or kBytesMax the oldest go. Thread: control.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern {

struct Revision {
  uint32_t number = 0;  // from 1, never used again
  std::time_t time = 0;
  std::string who;
  std::string source;  // "file", "last-good", "apply", "rollback to 12"
  std::string comment;
  std::string digest;  // of the text
  uint64_t bytes = 0;  // of the text
};

class History {
 public:
  static constexpr size_t kRevisionsMax = 200;
  static constexpr uint64_t kBytesMax = 64u << 20;

  explicit History(const std::string& state_dir) : directory_(state_dir + "/history") {}

  // Reads what there is. Files that are not understood are left alone and told of in the error,
  // after all others were read.
  Result<void> open();
  // Keeps `text`; number, digest and bytes are filled in. A text that is the newest revision
  // already makes none (so that the list is one of changes).
  Result<void> add(Revision revision, std::string_view text);
  const std::vector<Revision>& revisions() const { return revisions_; }  // oldest first
  // not_found: there never was one, or it is gone.
  Result<std::string> text(uint32_t number) const;

 private:
  std::string path(uint32_t number, const char* suffix) const;
  void forget_oldest();

  std::string directory_;
  std::vector<Revision> revisions_;
  uint32_t last_number_ = 0;  // that was used, by a file that is not understood, too
};

}  // namespace postern
