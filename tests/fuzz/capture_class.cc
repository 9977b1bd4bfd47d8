// SPDX-License-Identifier: BSD-3-Clause
// The words of a capture: whatever they are, an error or a class that any frame can be held
// against. The input is the condition, a zero byte, and a frame.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "control/capture/parse_class.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postern;
  static const config::Model kModel;
  const uint8_t* end = std::find(data, data + size, uint8_t{0});
  const std::string where(data, end);
  const size_t rest = static_cast<size_t>(data + size - end);
  const auto traffic = parse_class({"any", "all", where}, kModel);
  if (!traffic) {
    POSTERN_ASSERT(traffic.error().text.find('\n') == std::string::npos);
    return 0;
  }
  const FrameFacts facts = read_facts({end + (rest != 0), rest != 0 ? rest - 1 : 0});
  traffic->matches(facts, DropReason::filter_drop);
  return 0;
}
