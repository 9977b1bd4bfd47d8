// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/cover.h"

#include <algorithm>
#include <utility>

namespace postern::analysis {
namespace {

void add(std::vector<size_t>* list, size_t item) {
  if (list != nullptr && std::find(list->begin(), list->end(), item) == list->end()) {
    list->push_back(item);
  }
}

}  // namespace

bool Cover::any_meets(const std::vector<Region>& whole, const Item& item) {
  for (const Region& region : whole) {
    for (const Region& other : item.regions) {
      if (!budget_.take(2)) return false;
      if (!meet(region, other)) continue;
      budget_.take(region.cost() + other.cost());
      return true;
    }
  }
  return false;
}

std::vector<size_t> Cover::meeting(const std::vector<Region>& whole, size_t first, size_t end,
                                   bool all) {
  std::vector<size_t> found;
  for (size_t i = first; i < end; ++i) {
    const Item& item = items_[i];
    if (!all && (item.passes_on || item.is_coarse || item.is_for_some)) continue;
    if (any_meets(whole, item)) found.push_back(i);
  }
  return found;
}

bool Cover::is_covered_by(const std::vector<Region>& whole, size_t item) {
  const std::vector<Region>& outer = items_[item].regions;
  return std::all_of(whole.begin(), whole.end(), [&](const Region& inner) {
    return std::any_of(outer.begin(), outer.end(), [&](const Region& region) {
      budget_.take(2);
      if (!contains(region, inner)) return false;
      budget_.take(region.cost() + inner.cost());
      return true;
    });
  });
}

Cover::Candidates Cover::regions_of(const std::vector<size_t>& items) const {
  Candidates candidates;
  for (size_t item : items) {
    for (const Region& region : items_[item].regions)
      candidates.push_back({item, &region});
  }
  return candidates;
}

Answer Cover::drain(std::vector<Region> pieces, const Candidates& candidates, const Meets& meets,
                    const Leaf& leaf) {
  struct Open {
    Region piece;
    size_t next;  // candidate
  };
  std::vector<Open> open;
  open.reserve(pieces.size());
  for (Region& piece : pieces)
    open.push_back({std::move(piece), 0});
  while (!open.empty()) {
    Open top = std::move(open.back());
    open.pop_back();
    const size_t cost = top.piece.cost();
    bool is_taken = false;
    for (; top.next < candidates.size() && !is_taken; ++top.next) {
      const Candidate& candidate = candidates[top.next];
      if (!budget_.take(2)) return Answer::unknown;
      if (!meet(top.piece, *candidate.region)) continue;
      const Next next = meets(candidate.item);
      if (next == Next::differs) return Answer::no;
      if (next == Next::skipped) continue;
      if (!budget_.take(8 * (cost + candidate.region->cost()))) return Answer::unknown;
      for (Region& rest : without(std::move(top.piece), *candidate.region))
        open.push_back({std::move(rest), top.next + 1});
      is_taken = true;
    }
    if (open.size() > kPiecesMax) return Answer::unknown;
    if (is_taken) continue;
    if (Answer answer = leaf(top.piece); answer != Answer::yes) return answer;
  }
  return Answer::yes;
}

Answer Cover::is_covered(const std::vector<Region>& whole, const std::vector<size_t>& by_items,
                         std::vector<size_t>* by) {
  Candidates candidates = regions_of(by_items);
  // Those that take much leave few pieces.
  std::vector<std::pair<size_t, size_t>> order;
  order.reserve(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    size_t pieces = 0;
    for (const Region& region : whole) {
      if (!budget_.take(2 + region.cost())) return Answer::unknown;
      if (meet(region, *candidates[i].region))
        pieces += without(region, *candidates[i].region).size();
    }
    order.emplace_back(pieces, i);
  }
  std::sort(order.begin(), order.end());
  Candidates sorted;
  sorted.reserve(order.size());
  for (const auto& [pieces, index] : order)
    sorted.push_back(candidates[index]);
  return drain(
      whole, sorted,
      [by](size_t item) {
        add(by, item);
        return Next::takes;
      },
      [](const Region&) { return Answer::no; });
}

Answer Cover::is_done_by(const std::vector<Region>& whole, const std::vector<size_t>& earlier,
                         const std::vector<size_t>& later, const std::function<Next(size_t)>& next,
                         std::vector<size_t>* by) {
  const Candidates behind = regions_of(later);
  auto takes = [&](size_t item) {
    const Next outcome = next(item);
    if (outcome == Next::takes) add(by, item);
    return outcome;
  };
  auto not_done = [](const Region&) { return Answer::no; };
  return drain(
      whole, regions_of(earlier), [](size_t) { return Next::takes; },
      [&](const Region& piece) { return drain({piece}, behind, takes, not_done); });
}

}  // namespace postern::analysis
