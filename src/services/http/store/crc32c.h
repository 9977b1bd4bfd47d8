// SPDX-License-Identifier: BSD-3-Clause
// CRC-32C (Castagnoli; RFC 3720 appendix B.4), the checksum of everything in the file of the cache.
// Chosen over a 64-bit hash as the processor has it: three streams side by side hide the three
// cycles that one step takes (measured in crc32c_test.cc). Without SSE 4.2: a table, a tenth of it.
// `seed` is the sum so far, or what makes sums of this file unlike those of another. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postern::http {

uint32_t crc32c(uint32_t seed, const void* octets, size_t count);
// The same without the processor's help; for tests, and for processors without it.
uint32_t crc32c_plain(uint32_t seed, const void* octets, size_t count);

}  // namespace postern::http
