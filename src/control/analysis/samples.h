// SPDX-License-Identifier: BSD-3-Clause
// Samples: packets drawn from a rule's regions, asked of the compiled rules. Most rules decide one
// of a few, and then nothing has to be proven about them. Deterministic. Control thread.
#pragma once

#include <optional>
#include <random>
#include <vector>

#include "control/analysis/cover.h"
#include "dataplane/filter/ruleset.h"

namespace postern::analysis {

class Samples {
 public:
  // `rules` and `items` (of the same list) must outlive it. Times and postures are left out: every
  // enabled rule counts as in force, so a rule that is first here is first at its time.
  Samples(const Ruleset& rules, const std::vector<Item>& items);

  // What the samples show of an item; nothing where they show nothing.
  struct Shown {
    bool is_reached = false;
    bool is_needed = false;  // without it some packet would be treated otherwise
  };
  Shown show(size_t item);
  // The rules that decide before `item`, of a packet of the region; at most a few.
  std::vector<size_t> deciding_before(size_t item, const Region& region);

 private:
  static constexpr int kSamples = 24;
  static constexpr size_t kDecidingMax = 8;

  FlowQuery draw(const Region& region);
  uint32_t draw(const RangeSet& set);
  uint8_t draw(uint64_t bits);

  const std::vector<Item>& items_;
  Ruleset always_;
  std::vector<bool> has_times_;  // may be out of force at some time
  std::mt19937 random_{1};
};

}  // namespace postern::analysis
