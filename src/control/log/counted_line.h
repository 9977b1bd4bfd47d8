// SPDX-License-Identifier: BSD-3-Clause
// CountedLine: a line of a log about something that may come as a flood: at most one in a while,
// with the number of those that got none. Pure of time; thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace postern {

class CountedLine {
 public:
  explicit CountedLine(Duration apart) : apart_(apart) {}
  // Of one more: what to put at the end of its line, "" or " (and 12 others since the last such
  // line)"; nothing: it gets no line.
  std::optional<std::string> note(Instant now);

 private:
  Duration apart_;
  uint64_t untold_ = 0;
  std::optional<Instant> told_;
};

}  // namespace postern
