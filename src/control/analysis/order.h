// SPDX-License-Identifier: BSD-3-Clause
// Order: which items of an ordered list are never reached, and which do nothing that others behind
// them would not do. Both are proven, never guessed; what the budget does not suffice for is
// neither. All items that are found may be removed together, and every packet is treated as before.
// One thread.
#pragma once

#include <vector>

#include "control/analysis/cover.h"
#include "control/analysis/samples.h"

namespace postern::analysis {

enum class Standing : uint8_t { needed, hidden, redundant, unknown };

struct Place {
  Standing standing = Standing::needed;
  // hidden: the items before it that match all it matches, few of them where few suffice.
  // redundant: the items behind it that do the same.
  std::vector<size_t> causes;
};

struct OrderLimits {
  size_t steps = 150'000'000;     // for the whole list, see Budget: a second or two
  size_t steps_each = 3'000'000;  // for one question
};

// `samples` may be nullptr; with it nearly all questions are answered at once. Redundancy is asked
// of the items that `may_be_redundant`.
std::vector<Place> places_in(const std::vector<Item>& items, Samples* samples,
                             const std::vector<bool>& may_be_redundant,
                             const OrderLimits& limits = {});

}  // namespace postern::analysis
