// SPDX-License-Identifier: BSD-3-Clause
// The program postern-spf of the build that the running tests are part of.
#pragma once

#include <filesystem>
#include <string>

namespace postern::mail::test {

inline std::string built_spf() {
  const auto tests = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return tests.parent_path() / "src/services/mail/spf/postern-spf";
}

}  // namespace postern::mail::test
