// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/last_good.h"

#include "control/text_file.h"

namespace postern {

std::string last_good_path(const std::string& state_dir) {
  return state_dir + "/last-good.yaml";
}

Result<void> write_last_good(const std::string& state_dir, std::string_view text) {
  return write_text_file(last_good_path(state_dir), text);
}

Result<std::string> read_last_good(const std::string& state_dir) {
  return read_text_file(last_good_path(state_dir));
}

}  // namespace postern
