// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/head.h"

#include <algorithm>
#include <cstring>

#include "services/http/message/octets.h"

namespace postern::http {
namespace {

constexpr uint16_t kBadRequest = 400;
constexpr uint16_t kTargetTooLong = 414;
constexpr uint16_t kFieldsTooLarge = 431;
constexpr uint16_t kNotImplemented = 501;
constexpr uint16_t kBadGateway = 502;
constexpr uint16_t kVersionNotSupported = 505;

// Longer than any that is registered (RFC9112-3: then 501).
constexpr size_t kMethodMax = 32;

// "HTTP/1.x" to the minor version that we take it for.
Refusal parse_version(std::string_view text, uint8_t& minor) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.' ||
      !is_of(text[5], kDigitOctet) || !is_of(text[7], kDigitOctet)) {
    return {kBadRequest, "version"};
  }
  if (text[5] != '1') return {kVersionNotSupported, "version"};
  minor = text[7] == '0' ? 0 : 1;
  return {};
}

Refusal parse_request_line(std::string_view line, RequestHead& head) {
  const size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return {kBadRequest, "request_line"};
  head.method = line.substr(0, method_end);
  line.remove_prefix(method_end + 1);
  const size_t target_end = line.find(' ');
  if (target_end == std::string_view::npos) return {kBadRequest, "request_line"};
  head.target = line.substr(0, target_end);
  if (!all_of(head.method, kTokenOctet)) return {kBadRequest, "method"};
  if (head.target.empty() || !is_visible(head.target)) return {kBadRequest, "target"};
  if (const Refusal refusal = parse_version(line.substr(target_end + 1), head.minor)) {
    return refusal;
  }
  return head.method.size() > kMethodMax ? Refusal{kNotImplemented, "method"} : Refusal{};
}

// The SP behind the status is missing in the answers of some servers that give no reason.
Refusal parse_status_line(std::string_view line, ResponseHead& head) {
  if (const Refusal refusal = parse_version(line.substr(0, 8), head.minor)) return refusal;
  line.remove_prefix(8);
  if (line.size() < 4 || line[0] != ' ' || !all_of(line.substr(1, 3), kDigitOctet) ||
      line[1] == '0' || (line.size() > 4 && line[4] != ' ')) {
    return {kBadGateway, "status"};
  }
  head.status = static_cast<uint16_t>((line[1] - '0') * 100 + (line[2] - '0') * 10 + line[3] - '0');
  head.reason = line.size() > 4 ? line.substr(5) : std::string_view();
  if (find_control(head.reason, 0) != head.reason.size()) return {kBadGateway, "reason"};
  return {};
}

// Why there is no field name that ends at `at`.
std::string_view name_fault(std::string_view lines, size_t line_at, size_t at) {
  const bool is_space = at < lines.size() && (lines[at] == ' ' || lines[at] == '\t');
  if (!is_space) return "field_name";
  return at == line_at ? "folded_line" : "space_before_colon";
}

// Start line and fields of a head of which the scan has found the end. `parse_start` parses the
// first line into `head`.
template <typename Head>
Refusal parse_head(std::string_view text, const HeadScan& scan,
                   Refusal (*parse_start)(std::string_view, Head&), Head& head) {
  head.fields.clear();
  // Without the empty line at the end.
  text = text.substr(scan.start(), scan.length() - 2 - scan.start());
  const size_t end = text.find('\n');
  if (const Refusal refusal = parse_start(text.substr(0, end - 1), head)) return refusal;
  return parse_field_lines(text.substr(end + 1), scan.limits().fields, head.fields);
}

}  // namespace

Step HeadScan::refuse(uint16_t status, std::string_view reason) {
  refusal_ = {status, reason};
  return Step::refused;
}

void HeadScan::restart() {
  start_ = line_at_ = seen_ = lines_ = 0;
  is_done_ = false;
  refusal_ = {};
}

Step HeadScan::scan(std::string_view received, bool is_request) {
  if (refusal_) return Step::refused;
  while (!is_done_) {
    const size_t room = std::min(limits_.line, limits_.head - std::min(limits_.head, line_at_));
    // What speaks another protocol is told from the first octet on; a TLS hello has no line ends.
    if (lines_ == 0 && line_at_ < received.size() && received[line_at_] != '\r' &&
        !is_of(received[line_at_], kTokenOctet)) {
      return refuse(kBadRequest, "start_line");
    }
    const size_t end = std::min(received.size(), line_at_ + room);
    const void* found =
        seen_ < end ? std::memchr(received.data() + seen_, '\n', end - seen_) : nullptr;
    if (found == nullptr) {
      if (received.size() >= line_at_ + room) {
        return lines_ == 0 ? refuse(kTargetTooLong, "line_too_long")
                           : refuse(kFieldsTooLarge, "head_too_large");
      }
      seen_ = end;
      return Step::more;
    }
    const auto lf = static_cast<size_t>(static_cast<const char*>(found) - received.data());
    if (!end_line(received, lf, is_request)) return Step::refused;
  }
  return Step::done;
}

// The line at line_at_ ends at `lf`. False: refused.
bool HeadScan::end_line(std::string_view received, size_t lf, bool is_request) {
  if (lf == line_at_ || received[lf - 1] != '\r') {
    refuse(kBadRequest, "bare_lf");
    return false;
  }
  const bool is_empty = lf == line_at_ + 1;
  line_at_ = seen_ = lf + 1;
  if (!is_empty) {
    ++lines_;
    if (lines_ <= limits_.fields + 1) return true;
    refuse(kFieldsTooLarge, "too_many_fields");
    return false;
  }
  is_done_ = lines_ > 0;
  if (is_done_) return true;
  // RFC9112-2.2: one empty line before a request is that of a client that ends its last
  // body with a CRLF too many.
  if (!is_request || start_ != 0) {
    refuse(kBadRequest, "empty_line");
    return false;
  }
  start_ = line_at_;
  return true;
}

Refusal parse_field_lines(std::string_view lines, size_t fields_max, Fields& fields) {
  for (size_t line_at = 0; line_at < lines.size();) {
    size_t at = line_at;
    while (at < lines.size() && is_of(lines[at], kTokenOctet))
      ++at;
    // RFC9112-5.1, RFC9112-5.2: nothing stands before the name, nor between it and the colon.
    if (at == line_at || at == lines.size() || lines[at] != ':') {
      return {kBadRequest, name_fault(lines, line_at, at)};
    }
    // RFC9110-5.5: the first control octet is the CR of the line end.
    const size_t end = find_control(lines, at + 1);
    if (end + 2 > lines.size() || lines[end] != '\r' || lines[end + 1] != '\n') {
      return {kBadRequest, "control_octet"};
    }
    if (fields.size() >= fields_max ||
        !fields.add(lines.substr(line_at, at - line_at), lines.substr(at + 1, end - at - 1))) {
      return {kFieldsTooLarge, "too_many_fields"};
    }
    line_at = end + 2;
  }
  return {};
}

Step RequestReader::read(std::string_view received) {
  if (refusal_) return Step::refused;
  const Step step = scan_.scan(received, true);
  if (step == Step::done) {
    refusal_ = parse_head(received, scan_, parse_request_line, head_);
  } else {
    refusal_ = scan_.refusal();
  }
  return refusal_ ? Step::refused : step;
}

void RequestReader::restart() {
  scan_.restart();
  refusal_ = {};
}

Step ResponseReader::read(std::string_view received) {
  if (refusal_) return Step::refused;
  const Step step = scan_.scan(received, false);
  if (step == Step::done) {
    refusal_ = parse_head(received, scan_, parse_status_line, head_);
  } else {
    refusal_ = scan_.refusal();
  }
  if (refusal_) refusal_.status = kBadGateway;
  return refusal_ ? Step::refused : step;
}

void ResponseReader::restart() {
  scan_.restart();
  refusal_ = {};
}

}  // namespace postern::http
