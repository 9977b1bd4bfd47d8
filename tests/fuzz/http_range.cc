// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the length of an object in the first two octets, then a line as Range and one as
// Content-Range. Whatever is asked for, what is sent lies within the object, once, and what was
// written is read the same again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "services/http/rules/octets.h"
#include "services/http/rules/range.h"

namespace http = postern::http;

namespace {

void demand_within(const http::RangePlan& plan, int64_t length) {
  POSTERN_ASSERT(plan.ranges.size() <= http::kRangesMax);
  POSTERN_ASSERT(plan.ranges.empty() == (plan.kind != http::RangePlan::Kind::some));
  http::OctetSet sent;
  int64_t octets = 0;
  for (const http::Octets& range : plan.ranges) {
    POSTERN_ASSERT(range.first >= 0 && range.first <= range.last && range.last < length);
    POSTERN_ASSERT(sent.missing(range).size() == 1 && sent.missing(range).front() == range);
    POSTERN_ASSERT(sent.add(range));
    octets += range.size();
  }
  POSTERN_ASSERT(octets <= length);
  if (plan.ranges.empty()) return;
  const http::RangePlan again = http::plan_ranges(http::encode_range(plan.ranges), length);
  POSTERN_ASSERT(
      std::equal(plan.ranges.begin(), plan.ranges.end(), again.ranges.begin(), again.ranges.end()));
}

void demand_same_again(std::string_view text) {
  const auto range = http::parse_content_range(text);
  if (!range) return;
  POSTERN_ASSERT(range->octets.first >= 0 && range->octets.first <= range->octets.last);
  if (!range->total) return;
  POSTERN_ASSERT(range->octets.last < *range->total);
  const auto again =
      http::parse_content_range(http::encode_content_range(range->octets, *range->total));
  POSTERN_ASSERT(again && again->octets == range->octets && again->total == range->total);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const int64_t length = data[0] * 256 + data[1];
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t end = std::min(text.find('\n'), text.size());
  demand_within(http::plan_ranges(text.substr(0, end), length), length);
  for (const int64_t great : {999'999'999'999'999'999, INT64_MAX})
    demand_within(http::plan_ranges(text.substr(0, end), great), great);
  demand_same_again(text.substr(std::min(end + 1, text.size())));
  return 0;
}
