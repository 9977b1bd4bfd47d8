// SPDX-License-Identifier: BSD-3-Clause
// cold: built with a policy, off the packet path.
#include "dataplane/filter/number_index.h"

namespace postern {

NumberIndex::NumberIndex(const std::map<uint8_t, std::vector<RowStep>>& steps,
                         RowOffset row_of_rest) {
  std::map<Page, uint16_t> known;
  add_root(std::vector<RowStep>{{0, row_of_rest}}, known);
  uint16_t root = 0;
  for (const auto& [protocol, of_protocol] : steps) {
    add_root(of_protocol, known);
    roots_[protocol] = ++root;
  }
}

void NumberIndex::add_root(std::span<const RowStep> steps, std::map<Page, uint16_t>& known) {
  size_t step = 0;
  for (unsigned upper = 0; upper < 256; ++upper) {
    Page page;
    for (unsigned lower = 0; lower < 256; ++lower) {
      while (step + 1 < steps.size() && steps[step + 1].first <= upper * 256 + lower)
        ++step;
      page[lower] = steps[step].row;
    }
    auto [it, is_new] = known.emplace(page, static_cast<uint16_t>(known.size()));
    if (is_new) rows_.insert(rows_.end(), page.begin(), page.end());
    pages_.push_back(it->second);
  }
}

size_t NumberIndex::bytes() const {
  return pages_.capacity() * sizeof(uint16_t) + rows_.capacity() * sizeof(RowOffset);
}

}  // namespace postern
