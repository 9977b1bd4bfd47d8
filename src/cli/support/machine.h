// SPDX-License-Identifier: BSD-3-Clause
// Machine: what the operating system says of the machine, read from files below a root directory,
// so that tests can make one up. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::cli {

class Machine {
 public:
  // `root`: what is put in front of every path; empty: this machine.
  explicit Machine(std::string root) : root_(std::move(root)) {}

  std::string path(const std::string& absolute) const { return root_ + absolute; }
  bool exists(const std::string& absolute) const;
  // Without the end of the line; empty: there is none.
  std::string first_line(const std::string& absolute) const;
  std::string text(const std::string& absolute, size_t bytes_max) const;
  // The number that a file begins with.
  std::optional<uint64_t> number(const std::string& absolute) const;
  // Names in a directory, sorted.
  std::vector<std::string> entries(const std::string& absolute) const;
  // The last part of where a link leads; empty: no link.
  std::string link_name(const std::string& absolute) const;

  // Permission bits and owner of a file.
  struct Owner {
    uint32_t mode = 0, uid = 0;
  };
  std::optional<Owner> owner(const std::string& absolute) const;
  struct Space {
    uint64_t free_bytes = 0, total_bytes = 0;
  };
  std::optional<Space> space(const std::string& absolute) const;
  // Nothing where there is no such file, or it may not be looked at.
  std::optional<uint64_t> octets(const std::string& absolute) const;
  // Whether the kernel's clock is synchronised; nothing where that cannot be asked. A made-up
  // machine tells by the file /clock-synchronised: 0 or 1.
  std::optional<bool> has_synchronised_clock() const;

 private:
  std::string root_;
};

// The core numbers of "2-3,8".
std::vector<unsigned> cores_of(const std::string& list);

}  // namespace postern::cli
