// SPDX-License-Identifier: BSD-3-Clause
// KeyedHash: a hash for tables whose keys strangers choose: identifiers, MACs, names. SipHash-2-4
// under a key that is drawn once for the process, so that nobody outside can make keys that meet in
// one bucket and turn a look-up into a search of all. About 20 ns a key. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::io {

// For std::unordered_map with text as its key; looks up without a copy of it.
struct KeyedHash {
  using is_transparent = void;
  size_t operator()(std::string_view octets) const;
};

struct HashKey {
  uint8_t octets[16];
};
uint64_t keyed_hash(std::string_view octets, const HashKey& key);

}  // namespace postern::io
