// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a query to pad: it stays as it is, or grows to a multiple of the block with all that
// was there in place.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "services/dns/tls/padding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> before(data, data + size);
  std::vector<uint8_t> message = before;
  if (!postern::dns::pad_query(message)) {
    POSTERN_ASSERT(message == before);
    return 0;
  }
  POSTERN_ASSERT(message.size() % postern::dns::kQueryPaddingBlock == 0);
  POSTERN_ASSERT(message.size() >= before.size() + 4);
  const auto changed = std::mismatch(before.begin(), before.end(), message.begin());
  POSTERN_ASSERT(changed.first - before.begin() >= 12);
  std::vector<uint8_t> again = message;
  POSTERN_ASSERT(!postern::dns::pad_query(again));
  return 0;
}
