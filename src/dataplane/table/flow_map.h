// SPDX-License-Identifier: BSD-3-Clause
// FlowMap: FlowKey -> 32-bit value, open addressing, fixed capacity, one writer.
//
// Sized once so that `capacity` entries always fit (it keeps free room of its own beyond that). The
// hash is keyed with a random seed per start, so that nobody outside can aim at one bucket.
// find_bulk prefetches a whole burst before it compares. Memory: at most 40 bytes an entry. Thread:
// the owning worker.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/packet/flow_key.h"

namespace postern {

constexpr uint32_t kNone = 0xFFFFFFFF;

struct HashSeed {
  uint64_t words[2] = {0, 0};  // from a cryptographic generator
};

uint64_t hash_of(const FlowKey& key, const HashSeed& seed);

class FlowMap {
 public:
  FlowMap(uint32_t capacity, const HashSeed& seed);

  // The value, or kNone.
  uint32_t find(const FlowKey& key) const;
  // values[i] for keys[i]; at most kBurstMax keys.
  void find_bulk(std::span<const FlowKey> keys, std::span<uint32_t> values) const;
  // False: the key is there already, or `capacity` entries are in.
  bool insert(const FlowKey& key, uint32_t value);
  // False: it was not there.
  bool erase(const FlowKey& key);
  uint32_t size() const { return size_; }
  uint32_t capacity() const { return capacity_; }

 private:
  struct Slot;
  struct FreeSlots {
    void operator()(Slot* slots) const;
  };
  uint32_t capacity_;
  uint32_t size_ = 0;
  uint32_t mask_ = 0;
  HashSeed seed_;
  std::unique_ptr<Slot[], FreeSlots> slots_;
};

}  // namespace postern
