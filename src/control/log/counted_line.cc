// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/counted_line.h"

#include <fmt/format.h>

#include <utility>

namespace postern {

std::optional<std::string> CountedLine::note(Instant now) {
  if (told_ && now - *told_ < apart_) {
    ++untold_;
    return std::nullopt;
  }
  told_ = now;
  const uint64_t others = std::exchange(untold_, 0);
  if (others == 0) return std::string();
  return fmt::format(" (and {} others since the last such line)", others);
}

}  // namespace postern
