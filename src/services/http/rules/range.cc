// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/range.h"

#include <algorithm>

#include "services/http/message/date.h"

namespace postern::http {
namespace {

// More octets than any object has; greater numbers become this.
constexpr int64_t kPositionMax = 1'000'000'000'000'000'000;

std::optional<int64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value >= kPositionMax / 10 ? kPositionMax : value * 10 + (digit - '0');
  }
  return value;
}

// One range as it was asked for.
struct Asked {
  std::optional<int64_t> first;  // nothing: the last `last` octets
  std::optional<int64_t> last;   // nothing: to the end
};

std::optional<Asked> parse_asked(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = text.substr(dash + 1);
  Asked asked{parse_position(first), parse_position(last)};
  if (!asked.first && !asked.last) return std::nullopt;
  if ((!first.empty() && !asked.first) || (!last.empty() && !asked.last)) return std::nullopt;
  if (asked.first && asked.last && *asked.first > *asked.last) return std::nullopt;
  return asked;
}

// RFC 9110 section 14.1.2: within the object; nothing when it has none of it.
std::optional<Octets> within(const Asked& asked, int64_t length) {
  if (!asked.first) {
    if (*asked.last == 0) return std::nullopt;
    return Octets{std::max<int64_t>(0, length - *asked.last), length - 1};
  }
  if (*asked.first >= length) return std::nullopt;
  return Octets{*asked.first, std::min(asked.last.value_or(length - 1), length - 1)};
}

// The value without "bytes="; nothing when it is of another unit.
std::optional<std::string_view> ranges_of_octets(std::string_view range) {
  const size_t equals = range.find('=');
  if (equals == std::string_view::npos || !same_word(range.substr(0, equals), "bytes"))
    return std::nullopt;
  return range.substr(equals + 1);
}

// Ranges that overlap or touch as one, in ascending order; the order stays where there are none.
std::vector<Octets> joined(std::vector<Octets> ranges) {
  OctetSet set;
  for (const Octets& range : ranges) {
    if (!set.add(range)) return {};  // never: there are fewer than kPiecesMax
  }
  if (set.pieces().size() == ranges.size()) return ranges;
  return {set.pieces().begin(), set.pieces().end()};
}

std::string digits(int64_t number) {
  return std::to_string(number);
}

}  // namespace

RangePlan plan_ranges(std::string_view range, int64_t length) {
  RangePlan whole;
  const std::optional<std::string_view> list = ranges_of_octets(range);
  if (!list || length < 0 || length >= kPositionMax) return whole;
  RangePlan plan;
  plan.ranges.reserve(kRangesMax);
  ListWalk walk(*list);
  size_t count = 0;
  while (const std::optional<std::string_view> member = walk.next()) {
    const std::optional<Asked> asked = parse_asked(*member);
    // RFC9110-14.2: what is not understood is passed over, and what only costs may be.
    if (!asked || ++count > kRangesMax) return whole;
    // An object without octets has a last part, and that is all of it.
    if (length == 0 && !asked->first && *asked->last > 0) return whole;
    if (const std::optional<Octets> octets = within(*asked, length)) plan.ranges.push_back(*octets);
  }
  if (count == 0) return whole;
  plan.kind = plan.ranges.empty() ? RangePlan::Kind::unsatisfiable : RangePlan::Kind::some;
  plan.ranges = joined(std::move(plan.ranges));
  return plan;
}

RangePlan plan_ranges(std::string_view method, const Fields& request, const Validators& stored,
                      int64_t length) {
  if (method != "GET" || request.count("Range") != 1 || !if_range_holds(request, stored)) return {};
  return plan_ranges(*request.find("Range"), length);
}

bool if_range_holds(const Fields& request, const Validators& stored) {
  const size_t count = request.count("If-Range");
  if (count != 1) return count == 0;
  const std::string_view text = *request.find("If-Range");
  if (const std::optional<EntityTag> tag = parse_entity_tag(text))
    return stored.tag && match_strongly(*tag, *stored.tag);
  return stored.modified_is_strong && parse_date(text, *stored.modified_s) == stored.modified_s;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || !same_word(text.substr(0, space), "bytes"))
    return std::nullopt;
  text.remove_prefix(space + 1);
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return std::nullopt;
  const std::optional<int64_t> first = parse_position(text.substr(0, dash));
  const std::optional<int64_t> last = parse_position(text.substr(dash + 1, slash - dash - 1));
  const std::string_view total = text.substr(slash + 1);
  if (!first || !last || *first > *last || *last >= kPositionMax) return std::nullopt;
  ContentRange range{Octets{*first, *last}, std::nullopt};
  if (total == "*") return range;
  range.total = parse_position(total);
  if (!range.total || *range.total <= *last || *range.total >= kPositionMax) return std::nullopt;
  return range;
}

std::string encode_content_range(Octets octets, int64_t total) {
  return "bytes " + digits(octets.first) + "-" + digits(octets.last) + "/" + digits(total);
}

std::string encode_unsatisfied_range(int64_t total) {
  return "bytes */" + digits(total);
}

std::string encode_range(std::span<const Octets> ranges) {
  std::string text = "bytes=";
  for (size_t at = 0; at < ranges.size(); ++at) {
    if (at != 0) text += ',';
    text += digits(ranges[at].first) + "-" + digits(ranges[at].last);
  }
  return text;
}

Multipart::Multipart(std::string_view boundary, std::string_view content_type, int64_t total)
    : boundary_(boundary), part_type_(content_type), total_(total) {}

std::string Multipart::content_type() const {
  return "multipart/byteranges; boundary=" + boundary_;
}

std::string Multipart::head(Octets part, bool is_first) const {
  std::string head = is_first ? "--" : "\r\n--";
  head += boundary_ + "\r\n";
  if (!part_type_.empty()) head += "Content-Type: " + part_type_ + "\r\n";
  return head + "Content-Range: " + encode_content_range(part, total_) + "\r\n\r\n";
}

std::string Multipart::tail() const {
  return "\r\n--" + boundary_ + "--\r\n";
}

int64_t Multipart::length(std::span<const Octets> parts) const {
  auto length = static_cast<int64_t>(tail().size());
  for (size_t at = 0; at < parts.size(); ++at)
    length += static_cast<int64_t>(head(parts[at], at == 0).size()) + parts[at].size();
  return length;
}

}  // namespace postern::http
