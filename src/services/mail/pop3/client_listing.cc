// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/pop3/client_listing.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

namespace postern::mail {
namespace {

// Digits from the front of `line`, and the blank behind them.
std::optional<uint64_t> take_number(std::string_view& line) {
  uint64_t number = 0;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
  if (read.ec == std::errc::invalid_argument) return {};
  if (read.ec == std::errc::result_out_of_range) number = std::numeric_limits<uint64_t>::max();
  line.remove_prefix(static_cast<size_t>(read.ptr - line.data()));
  if (line.empty()) return number;
  if (line.front() != ' ') return {};
  while (!line.empty() && line.front() == ' ')
    line.remove_prefix(1);
  return number;
}

// RFC1939-7: from 0x21 to 0x7e.
bool is_uid(std::string_view text) {
  return !text.empty() && text.size() <= Pop3Listing::kUidMax &&
         std::all_of(text.begin(), text.end(),
                     [](char octet) { return octet > 0x20 && octet < 0x7f; });
}

bool is_before(const Pop3Listing::Message& a, const Pop3Listing::Message& b) {
  return a.number < b.number;
}

}  // namespace

bool Pop3Listing::add(std::string_view line) {
  const auto number = take_number(line);
  if (!number || line.empty() || ++lines_ > kLinesMax) return false;
  // What servers put behind the size (RFC 1939 section 5 lets them) is not looked at.
  const auto octets = take_number(line);
  if (!octets || *number == 0 || *number > std::numeric_limits<uint32_t>::max()) return false;
  if (messages_.size() == kMessagesMax) return true;
  const uint64_t kept = std::min<uint64_t>(*octets, std::numeric_limits<uint32_t>::max());
  messages_.push_back({static_cast<uint32_t>(*number), static_cast<uint32_t>(kept), 0, 0});
  return true;
}

bool Pop3Listing::finish() {
  std::sort(messages_.begin(), messages_.end(), is_before);
  return std::adjacent_find(messages_.begin(), messages_.end(), [](const auto& a, const auto& b) {
           return a.number == b.number;
         }) == messages_.end();
}

bool Pop3Listing::add_uid(std::string_view line) {
  const auto number = take_number(line);
  while (!line.empty() && line.back() == ' ')
    line.remove_suffix(1);
  if (!number || !is_uid(line) || uids_.size() + line.size() > kUidsMax) return false;
  if (next_ >= messages_.size() || messages_[next_].number != *number) {
    if (*number > std::numeric_limits<uint32_t>::max()) return false;
    const Message wanted{static_cast<uint32_t>(*number)};
    const auto at = std::lower_bound(messages_.begin(), messages_.end(), wanted, is_before);
    if (at == messages_.end() || at->number != *number) return true;
    next_ = static_cast<size_t>(at - messages_.begin());
  }
  messages_[next_].uid_at = static_cast<uint32_t>(uids_.size());
  messages_[next_].uid_size = static_cast<uint32_t>(line.size());
  uids_ += line;
  ++next_;
  return true;
}

}  // namespace postern::mail
