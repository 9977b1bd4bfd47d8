// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/queue/queued.h"

#include <algorithm>

namespace postern::mail {
namespace {

// Without those that are read for another: I, L, O, U.
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kIdMin = 6, kIdMax = 13;
constexpr unsigned kBits = 5;

}  // namespace

std::string to_queue_id(uint64_t number) {
  std::string id;
  for (; number > 0 || id.size() < kIdMin; number >>= kBits)
    id += kDigits[number % kDigits.size()];
  std::reverse(id.begin(), id.end());
  return id;
}

uint64_t parse_queue_id(std::string_view id) {
  if (id.empty() || id.size() > kIdMax) return 0;
  uint64_t number = 0;
  for (char c : id) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos || number >> (64 - kBits) != 0) return 0;
    number = number << kBits | digit;
  }
  return number;
}

}  // namespace postern::mail
