// SPDX-License-Identifier: BSD-3-Clause
// Body: the text of a queued message, to be read piece by piece: a short one from memory, a long
// one from its file, which stays readable while somebody has it, whatever becomes of the message.
//
// Reading a file waits for the disk where it is not in the page cache any more.
// Thread: any, several at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace postern::mail {

class Body {
 public:
  explicit Body(std::shared_ptr<const std::string> text)
      : text_(std::move(text)), octets_(text_->size()) {}
  static Result<std::shared_ptr<const Body>> open(const std::string& path);
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  uint64_t octets() const { return octets_; }
  bool is_in_memory() const { return text_ != nullptr; }  // read() never waits
  // How many were read: all of `into` but at the end; less: the file could not be read.
  size_t read(uint64_t offset, std::span<char> into) const;

 private:
  Body(int fd, uint64_t octets) : fd_(fd), octets_(octets) {}

  std::shared_ptr<const std::string> text_;
  int fd_ = -1;
  uint64_t octets_;
};

}  // namespace postern::mail
