// SPDX-License-Identifier: BSD-3-Clause
// What the tests of control share: a small configuration and a directory of its own.
#pragma once

#include <filesystem>
#include <string>

namespace postern::test {

// Two interfaces; `rules` are lines of the list below filter.rules.
inline std::string configuration(const std::string& rules, const std::string& more = "") {
  return "version: 1\n"
         "interfaces:\n"
         "  wan: { port: kernel:enp1s0, zone: external, address: 203.0.113.2/24 }\n"
         "  lan: { port: kernel:enp2s0, zone: internal, address: 192.168.1.1/24 }\n"
         "routes:\n"
         "  - { to: default, via: 203.0.113.1 }\n" +
         more +
         "filter:\n"
         "  rules:\n" +
         rules;
}

// Removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "postern-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace postern::test
