// SPDX-License-Identifier: BSD-3-Clause
// File: the reads, writes and syncs of the cache's file, so that tests put a disk beneath it that
// is full, fails, or forgets. All return a count of octets, or minus the errno.
// Thread: read_now: the owner's; write, renew and sync: the writer's; the rest: any.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace postern::http {

class File {
 public:
  virtual ~File() = default;
  // All of `into`, or -EAGAIN: not without waiting for the disk. Never waits for it.
  virtual ssize_t read_now(std::span<uint8_t> into, uint64_t offset) = 0;
  // All of `into`; -EIO where the file ends before.
  virtual ssize_t read(std::span<uint8_t> into, uint64_t offset) = 0;
  // All parts, one behind the other; they are changed.
  virtual ssize_t write(std::span<iovec> parts, uint64_t offset) = 0;
  // Zeros, in pages of the page cache that are new: what sendfile(2) has taken from the old ones
  // stays as it was, as long as it waits in any socket. Nothing happens where it cannot be had.
  virtual ssize_t renew(uint64_t offset, uint64_t count) = 0;
  // Whether it does that, for ranges that begin and end at multiples of `alignment`; tries it.
  // Called once, for a file that is a cache, before anything else is done with it.
  virtual bool can_renew(uint64_t alignment) = 0;
  // Returns when all that was written is on the disk.
  virtual ssize_t sync() = 0;
  // What is to be read soon; a hint.
  virtual void expect(uint64_t offset, uint64_t count) = 0;
  // For sendfile(2); -1: there is none.
  virtual int fd() const = 0;
  virtual uint64_t octets() const = 0;
  // Whether all of it has its place on the disk.
  virtual bool is_allocated() const = 0;

 protected:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
};

// Opens `path` and locks it against a second daemon (flock). not_found: there is no such file.
Result<std::unique_ptr<File>> open_file(const std::string& path);
// Makes (or cuts down and makes anew) a file of exactly `octets`, every one with its place on the
// disk: what the file system cannot reserve is written. On failure no new file stays behind.
Result<std::unique_ptr<File>> make_file(const std::string& path, uint64_t octets);

}  // namespace postern::http
