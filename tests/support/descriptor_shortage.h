// SPDX-License-Identifier: BSD-3-Clause
// DescriptorShortage: as long as it lives, this process gets no further descriptor.
#pragma once

#include <sys/resource.h>

#include <catch2/catch.hpp>

namespace postern {

class DescriptorShortage {
 public:
  DescriptorShortage() {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none = {0, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~DescriptorShortage() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorShortage(const DescriptorShortage&) = delete;
  DescriptorShortage& operator=(const DescriptorShortage&) = delete;

 private:
  rlimit before_ = {};
};

}  // namespace postern
