// SPDX-License-Identifier: BSD-3-Clause
// cold: built with a policy, off the packet path.
#include "dataplane/filter/address_index.h"

namespace postern {

// `steps` are those above address 0 here, so that step i has key i and the row i + 1.
AddressIndex::AddressIndex(std::span<const RowStep> all) : blocks_(1024) {
  std::span<const RowStep> steps = all.subspan(1);
  auto size = static_cast<uint32_t>(steps.size());
  std::vector<uint32_t> crowded;  // buckets that need a page
  uint32_t next_block = 0;
  auto begin_blocks = [&](uint32_t end) {
    for (; next_block < end; ++next_block)
      blocks_[next_block].first = static_cast<uint32_t>(buckets_.size());
  };
  for (uint32_t begin = 0, end = 0; begin < size; begin = end) {
    uint32_t upper = steps[begin].first >> 16;
    while (end < size && steps[end].first >> 16 == upper)
      ++end;
    begin_blocks(upper / 64 + 1);
    blocks_[upper / 64].has_steps |= uint64_t{1} << (upper % 64);
    if (end - begin > kRunMax) crowded.push_back(static_cast<uint32_t>(buckets_.size()));
    buckets_.push_back({begin, end - begin});
  }
  begin_blocks(1024);
  buckets_.push_back({size, 0});
  for (uint32_t bucket : crowded) {
    uint32_t at = buckets_[bucket].begin, end_of_all = at + buckets_[bucket].count;
    buckets_[bucket].count = kPage | static_cast<uint32_t>(buckets_.size());
    for (uint32_t third = 0; third < 256; ++third) {
      uint32_t begin = at;
      while (at < end_of_all && (steps[at].first >> 8 & 0xFF) == third)
        ++at;
      buckets_.push_back({begin, at - begin});
    }
  }
  for (const RowStep& step : steps)
    keys_.push_back(static_cast<uint16_t>(step.first));
  for (const RowStep& step : all)
    rows_.push_back(step.row);
  keys_.insert(keys_.end(), kRunMax, 0);
  buckets_.shrink_to_fit();
  keys_.shrink_to_fit();
  rows_.shrink_to_fit();
}

size_t AddressIndex::bytes() const {
  return blocks_.capacity() * sizeof(Block) + buckets_.capacity() * sizeof(Bucket) +
         keys_.capacity() * sizeof(uint16_t) + rows_.capacity() * sizeof(RowOffset);
}

}  // namespace postern
