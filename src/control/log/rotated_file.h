// SPDX-License-Identifier: BSD-3-Clause
// RotatedFile: lines at the end of a file that begins anew when it is large: NAME.log becomes
// NAME.1.log, that NAME.2.log, ... The files hold whole lines: of one that a full disk has cut
// short nothing stays. Readable by owner and group (F66). Thread: one. Bounds: `keep` files and the
// one that is written, of `bytes_max` each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

class RotatedFile {
 public:
  struct Settings {
    std::string path;  // ends in an extension
    uint64_t bytes_max = 0;
    uint32_t keep = 0;
  };
  explicit RotatedFile(Settings settings) : settings_(std::move(settings)) {}
  ~RotatedFile();
  RotatedFile(const RotatedFile&) = delete;
  RotatedFile& operator=(const RotatedFile&) = delete;

  // Makes the file, and its directory, if there is none; does not keep it open.
  Result<void> check() const;
  // `text` is lines, each with its end. How many bytes of it are in the file: the first lines of
  // it, and all of them unless the disk fails.
  size_t append(std::string_view text);

 private:
  bool open();
  bool rotate();
  size_t write(std::string_view lines);
  std::string name(uint32_t number) const;

  Settings settings_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace postern
