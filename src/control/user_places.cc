// SPDX-License-Identifier: BSD-3-Clause
#include "control/user_places.h"

#include <unistd.h>

#include <algorithm>

namespace postern {
namespace {

bool is_root(uint32_t uid) {
  return uid == 0 || uid == geteuid();
}

}  // namespace

bool is_master_of(uint32_t uid, uint32_t owner) {
  return uid == owner || is_root(uid);
}

bool UserPlaces::has_place(uint32_t uid, std::span<const uint32_t> holders) const {
  if (holders.size() >= all) return false;
  if (is_root(uid)) return true;
  auto own = static_cast<size_t>(std::ranges::count(holders, uid));
  auto of_others = static_cast<size_t>(
      std::ranges::count_if(holders, [](uint32_t holder) { return !is_root(holder); }));
  return own < each && of_others < others;
}

}  // namespace postern
