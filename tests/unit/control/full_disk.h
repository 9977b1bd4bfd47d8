// SPDX-License-Identifier: BSD-3-Clause
// A disk that is full, for tests of what is written to one.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace postern::test {

// As long as it lives, no file of this process grows beyond `bytes`: writes are short, like those
// to a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_ = {};
};

}  // namespace postern::test
