// SPDX-License-Identifier: BSD-3-Clause
// Ranges of octets (RFC 9110 section 14): what a Range asks for, If-Range (13.1.5), Content-Range,
// and the parts of a multipart/byteranges answer (14.6, 15.3.7.2).
//
// A Range that is not understood is passed over, so that the whole is sent (14.2); so is one of
// more than kRangesMax ranges. Ranges that overlap or touch are sent as one (15.3.7.2), so that no
// answer is longer than the object but for the heads of its parts.
//
// Bounds: kRangesMax ranges. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/http/message/fields.h"
#include "services/http/rules/conditional.h"
#include "services/http/rules/octets.h"

namespace postern::http {

constexpr size_t kRangesMax = 16;

struct RangePlan {
  enum class Kind : uint8_t {
    whole,          // 200
    some,           // 206: one part, or multipart/byteranges when there are several
    unsatisfiable,  // 416
  };
  Kind kind = Kind::whole;
  std::vector<Octets> ranges;  // some: apart from each other, within the object
};

// What the value of a Range asks for of an object of `length` octets.
RangePlan plan_ranges(std::string_view range, int64_t length);

// The same of a request: a Range counts in GET only, once, and by If-Range.
RangePlan plan_ranges(std::string_view method, const Fields& request, const Validators& stored,
                      int64_t length);

// Whether If-Range lets Range count: the same strong validator (13.1.5), or no If-Range at all.
bool if_range_holds(const Fields& request, const Validators& stored);

struct ContentRange {
  Octets octets;
  std::optional<int64_t> total;  // nothing: "*"
};

// "bytes 0-4/10", "bytes 0-4/*"; nothing for "bytes */10", other units and what makes no sense.
std::optional<ContentRange> parse_content_range(std::string_view text);

std::string encode_content_range(Octets octets, int64_t total);  // "bytes 0-4/10"
std::string encode_unsatisfied_range(int64_t total);             // "bytes */10", of a 416
std::string encode_range(std::span<const Octets> ranges);        // "bytes=0-4,7-9", of a request

// A multipart/byteranges answer. `boundary`: 1 to 70 letters and digits that are in no part; the
// caller draws them at random. Content-Type: multipart/byteranges; boundary=...
class Multipart {
 public:
  Multipart(std::string_view boundary, std::string_view content_type, int64_t total);

  std::string content_type() const;
  // What stands before the octets of a part, and what stands after the last one.
  std::string head(Octets part, bool is_first) const;
  std::string tail() const;
  // The Content-Length of the whole answer.
  int64_t length(std::span<const Octets> parts) const;

 private:
  std::string boundary_;
  std::string part_type_;
  int64_t total_;
};

}  // namespace postern::http
