// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/talkers.h"

#include <algorithm>
#include <utility>

namespace postern::admin {
namespace {

double rate(uint64_t now, uint64_t before, Duration passed) {
  if (now <= before || passed.ns <= 0) return 0;
  return static_cast<double>(now - before) * 1e9 / static_cast<double>(passed.ns);
}

bool talks_more(const Talker& a, const Talker& b) {
  const auto key = [](const Talker& talker) {
    return std::pair(talker.sent_rate + talker.received_rate,
                     talker.talk.sent_bytes + talker.talk.received_bytes);
  };
  if (key(a) != key(b)) return key(a) > key(b);
  return a.host < b.host;
}

}  // namespace

std::vector<Talker> Talkers::rank(Look look, Instant now) {
  const bool is_next = now - last_at_ >= kLookEvery;
  if (is_next) {
    before_ = std::move(last_);
    before_at_ = last_at_;
  }
  std::vector<Talker> ranked;
  ranked.reserve(look.size());
  for (const auto& [address, talk] : look) {
    Talker talker{Ipv4Address(address), talk};
    const auto old = before_.find(address);
    if (old != before_.end()) {
      const Duration passed = now - before_at_;
      talker.sent_rate = rate(talk.sent_bytes, old->second.sent_bytes, passed);
      talker.received_rate = rate(talk.received_bytes, old->second.received_bytes, passed);
    }
    ranked.push_back(talker);
  }
  if (is_next) {
    last_ = std::move(look);
    last_at_ = now;
  }
  const size_t shown = std::min(ranked.size(), kShownMax);
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(shown), ranked.end(),
                    talks_more);
  ranked.resize(shown);
  return ranked;
}

}  // namespace postern::admin
