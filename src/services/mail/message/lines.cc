// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/lines.h"

#include "services/mail/message/octets.h"

namespace postern::mail {

LineReader::Piece LineReader::feed(std::string_view octets) {
  if (is_fault(fault_)) return {0, {}, fault_};
  if (octets.empty()) return {};
  if (ends_cr_ && octets.front() != '\n') return fail(LineStep::bare_cr, 0);
  const size_t at = find_breaker(octets, 0);
  if (at == octets.size()) return hold(octets);
  if (octets[at] == '\0') return fail(LineStep::nul, at + 1);
  if (octets[at] == '\n') {
    return ends_cr_ ? end_line(octets, at) : fail(LineStep::bare_lf, at + 1);
  }
  if (at + 1 == octets.size()) {
    const Piece piece = hold(octets);
    ends_cr_ = true;
    return piece;
  }
  return octets[at + 1] == '\n' ? end_line(octets, at + 1) : fail(LineStep::bare_cr, at + 1);
}

LineReader::Piece LineReader::end_line(std::string_view octets, size_t lf) {
  const size_t taken = lf + 1;
  const bool is_long = skipped_ != 0 || held_.size() + taken > line_max_;
  ends_cr_ = false;
  skipped_ = 0;
  if (is_long) {
    held_.clear();
    return {taken, {}, LineStep::too_long};
  }
  if (held_.empty()) return {taken, octets.substr(0, lf - 1), LineStep::line};
  held_ += octets.substr(0, taken);
  line_.swap(held_);
  held_.clear();
  return {taken, std::string_view(line_).substr(0, line_.size() - 2), LineStep::line};
}

LineReader::Piece LineReader::hold(std::string_view octets) {
  if (skipped_ == 0 && held_.size() + octets.size() <= line_max_) {
    held_ += octets;
    return {octets.size(), {}, LineStep::more};
  }
  skipped_ += held_.size() + octets.size();
  held_.clear();
  if (skipped_ > kSkipMax) return fail(LineStep::endless, octets.size());
  return {octets.size(), {}, LineStep::more};
}

LineReader::Piece LineReader::fail(LineStep step, size_t taken) {
  fault_ = step;
  held_.clear();
  return {taken, {}, step};
}

void LineReader::restart() {
  held_.clear();
  line_.clear();
  skipped_ = 0;
  ends_cr_ = false;
  fault_ = LineStep::more;
}

}  // namespace postern::mail
