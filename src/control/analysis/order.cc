// SPDX-License-Identifier: BSD-3-Clause
#include "control/analysis/order.h"

#include <algorithm>

namespace postern::analysis {
namespace {

// Among more causes than these no smaller group is looked for.
constexpr size_t kCausesTriedMax = 16;

class Order {
 public:
  Order(const std::vector<Item>& items, Samples* samples, const OrderLimits& limits)
      : items_(items), samples_(samples), limits_(limits), left_(limits.steps) {}

  std::vector<Place> places(const std::vector<bool>& may_be_redundant);

 private:
  struct Known {
    bool is_reached = false, is_needed = false;
  };
  Place hidden_or_not(size_t item, Budget& budget);
  bool is_redundant(size_t item, Budget& budget, Place& place);
  void leave_out_causes(Cover& cover, const Item& item, std::vector<size_t>& causes);
  // What one question may take, of what is left for all.
  Budget part() const { return Budget(std::min(limits_.steps_each, left_)); }
  void give_back(size_t given, const Budget& budget) { left_ -= given - budget.left(); }

  const std::vector<Item>& items_;
  Samples* samples_;
  const OrderLimits limits_;
  size_t left_;
  std::vector<Place> places_;
};

Place Order::hidden_or_not(size_t item, Budget& budget) {
  Cover cover(items_, budget);
  const Item& mine = items_[item];
  std::vector<size_t> before = cover.meeting(mine.regions, 0, item, false);
  for (size_t other : before) {
    if (cover.is_covered_by(mine.regions, other)) return {Standing::hidden, {other}};
  }
  std::vector<size_t> causes;
  const Answer answer = cover.is_covered(mine.regions, before, &causes);
  if (budget.left() == 0 || answer == Answer::unknown) return {Standing::unknown, {}};
  if (answer == Answer::no) return {};
  leave_out_causes(cover, mine, causes);
  std::sort(causes.begin(), causes.end());
  return {Standing::hidden, std::move(causes)};
}

// Those without which the others are enough.
void Order::leave_out_causes(Cover& cover, const Item& item, std::vector<size_t>& causes) {
  for (size_t i = 0; i < causes.size() && causes.size() <= kCausesTriedMax;) {
    std::vector<size_t> others = causes;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (cover.is_covered(item.regions, others) == Answer::yes) {
      causes = std::move(others);
    } else {
      ++i;
    }
  }
}

// Behind it, other effects settle it, and so do items that decide nothing but may log; items that
// are found themselves take nothing, so that they may go as well.
bool Order::is_redundant(size_t item, Budget& budget, Place& place) {
  Cover cover(items_, budget);
  const Item& mine = items_[item];
  const std::vector<size_t> before = cover.meeting(mine.regions, 0, item, false);
  const std::vector<size_t> behind = cover.meeting(mine.regions, item + 1, items_.size(), true);
  auto next = [&](size_t other) {
    const Item& found = items_[other];
    const bool is_exact = !found.is_coarse && !found.is_for_some;
    if (found.effect != mine.effect || found.passes_on || !is_exact) return Cover::Next::differs;
    return places_[other].standing == Standing::needed ? Cover::Next::takes : Cover::Next::skipped;
  };
  std::vector<size_t> by;
  const Answer answer = cover.is_done_by(mine.regions, before, behind, next, &by);
  if (budget.left() == 0) return false;
  if (answer == Answer::yes) place = {Standing::redundant, std::move(by)};
  return answer == Answer::yes;
}

std::vector<Place> Order::places(const std::vector<bool>& may_be_redundant) {
  places_.resize(items_.size());
  std::vector<Known> known(items_.size());
  for (size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].regions.empty()) continue;
    if (samples_ != nullptr) {
      const Samples::Shown shown = samples_->show(i);
      known[i] = {shown.is_reached, shown.is_needed};
    }
    if (known[i].is_reached) continue;
    Budget budget = part();
    const size_t given = budget.left();
    places_[i] = items_[i].is_coarse ? Place{Standing::unknown, {}} : hidden_or_not(i, budget);
    give_back(given, budget);
  }
  for (size_t i = items_.size(); i-- > 0;) {
    const bool is_asked = may_be_redundant[i] && !known[i].is_needed && !items_[i].passes_on &&
                          !items_[i].is_coarse && !items_[i].regions.empty();
    if (!is_asked || places_[i].standing != Standing::needed) continue;
    Budget budget = part();
    const size_t given = budget.left();
    is_redundant(i, budget, places_[i]);
    give_back(given, budget);
  }
  return std::move(places_);
}

}  // namespace

std::vector<Place> places_in(const std::vector<Item>& items, Samples* samples,
                             const std::vector<bool>& may_be_redundant, const OrderLimits& limits) {
  return Order(items, samples, limits).places(may_be_redundant);
}

}  // namespace postern::analysis
