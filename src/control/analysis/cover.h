// SPDX-License-Identifier: BSD-3-Clause
// Cover: whether some items of an ordered list (filter rules, source rules), of which the first
// match decides, leave anything to others. Exact: it takes the regions of one item from those of
// another, piece by piece, until nothing or a piece that nobody takes is left.
//
// That may take exponential time, so each question has a budget; beyond it the answer is unknown.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "control/analysis/region.h"

namespace postern::analysis {

// One entry of an ordered list.
struct Item {
  std::string name;
  uint32_t line = 0;            // in the configuration; 0: added by the compiler
  uint32_t effect = 0;          // what it does with a packet; equal effects are the same
  bool passes_on = false;       // it decides nothing: the list goes on behind it
  bool is_coarse = false;       // `regions` hold more than it matches: too many to be exact
  bool is_for_some = false;     // so they do: it is for those who are logged in there (F27)
  std::vector<Region> regions;  // none: it matches nothing
};

// Work, in ranges looked at; 100 million are about a second.
class Budget {
 public:
  explicit Budget(size_t steps) : left_(steps) {}
  // False: there is no more, and there will be none.
  bool take(size_t steps) {
    left_ = left_ < steps ? 0 : left_ - steps;
    return left_ > 0;
  }
  size_t left() const { return left_; }

 private:
  size_t left_;
};

enum class Answer : uint8_t { yes, no, unknown };

class Cover {
 public:
  static constexpr size_t kPiecesMax = 20'000;  // at a time, a few hundred bytes each

  // The items must outlive it and not change.
  Cover(const std::vector<Item>& items, Budget& budget) : items_(items), budget_(budget) {}

  // Items in [first, end) that can match what `whole` matches, in order. Those that decide nothing,
  // coarse ones and those for some are left out unless `all`.
  std::vector<size_t> meeting(const std::vector<Region>& whole, size_t first, size_t end, bool all);
  // Whether these items together match all that `whole` matches; `by` are those that took a part.
  Answer is_covered(const std::vector<Region>& whole, const std::vector<size_t>& by_items,
                    std::vector<size_t>* by = nullptr);
  // Whether this one alone does, region by region: cheap, and seldom wrong with no.
  bool is_covered_by(const std::vector<Region>& whole, size_t item);

  // What becomes of a packet that one item would have decided, without it: the next item that
  // matches must be taken (the same effect), passed over, or it settles that the effect differs.
  enum class Next : uint8_t { takes, skipped, differs };
  // Whether what `earlier` leaves of `whole` finds only items that take it among `later`.
  Answer is_done_by(const std::vector<Region>& whole, const std::vector<size_t>& earlier,
                    const std::vector<size_t>& later, const std::function<Next(size_t)>& next,
                    std::vector<size_t>* by);

 private:
  struct Candidate {
    size_t item;
    const Region* region;
  };
  using Candidates = std::vector<Candidate>;
  using Meets = std::function<Next(size_t item)>;
  using Leaf = std::function<Answer(const Region& piece)>;

  Candidates regions_of(const std::vector<size_t>& items) const;
  bool any_meets(const std::vector<Region>& whole, const Item& item);
  // Takes the candidates from the pieces in order. `leaf` is asked about what is left; the first
  // answer other than yes is the answer.
  Answer drain(std::vector<Region> pieces, const Candidates& candidates, const Meets& meets,
               const Leaf& leaf);

  const std::vector<Item>& items_;
  Budget& budget_;
};

}  // namespace postern::analysis
