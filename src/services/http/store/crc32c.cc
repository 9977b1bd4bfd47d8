// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace postern::http {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits in reverse: the highest power is bit 0

// a * b modulo the polynomial.
constexpr uint32_t times(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = uint32_t{1} << 31; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? b >> 1 ^ kPolynomial : b >> 1;
  }
  return product;
}

// x to the power of 8 * octets: what that many zero octets do to a sum.
constexpr uint32_t power_of(size_t octets) {
  uint32_t result = uint32_t{1} << 31;
  uint32_t square = uint32_t{1} << 30;
  for (size_t n = octets * 8; n != 0; n >>= 1) {
    if ((n & 1) != 0) result = times(result, square);
    square = times(square, square);
  }
  return result;
}

using Table = std::array<uint32_t, 256>;
using Tables = std::array<Table, 4>;

constexpr Table octet_table() {
  Table table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t sum = i;
    for (int bit = 0; bit < 8; ++bit)
      sum = (sum & 1) != 0 ? sum >> 1 ^ kPolynomial : sum >> 1;
    table[i] = sum;
  }
  return table;
}

// Puts a sum `octets` zeros further, an octet of the sum at a time.
constexpr Tables shift_tables(size_t octets) {
  Tables tables{};
  const uint32_t power = power_of(octets);
  for (uint32_t k = 0; k < 4; ++k)
    for (uint32_t i = 0; i < 256; ++i)
      tables[k][i] = times(power, i << (8 * k));
  return tables;
}

constexpr Table kOctets = octet_table();

#if defined(__x86_64__)
constexpr size_t kLong = 4096;  // octets of one of the three streams
constexpr size_t kShort = 256;
constexpr Tables kShiftLong = shift_tables(kLong);
constexpr Tables kShiftShort = shift_tables(kShort);

uint64_t shifted(const Tables& tables, uint64_t sum) {
  return tables[0][sum & 0xff] ^ tables[1][sum >> 8 & 0xff] ^ tables[2][sum >> 16 & 0xff] ^
         tables[3][sum >> 24 & 0xff];
}

uint64_t word_at(const uint8_t* octets) {
  uint64_t word = 0;
  std::memcpy(&word, octets, sizeof word);
  return word;
}

// Three streams of `stream` octets each, joined; returns the sum behind them.
[[gnu::target("sse4.2")]] uint64_t three(uint64_t sum, const uint8_t* octets, size_t stream,
                                         const Tables& shift) {
  uint64_t second = 0;
  uint64_t third = 0;
  for (size_t i = 0; i < stream; i += 8) {
    sum = _mm_crc32_u64(sum, word_at(octets + i));
    second = _mm_crc32_u64(second, word_at(octets + stream + i));
    third = _mm_crc32_u64(third, word_at(octets + 2 * stream + i));
  }
  return shifted(shift, shifted(shift, sum) ^ second) ^ third;
}

[[gnu::target("sse4.2")]] uint32_t crc32c_sse(uint32_t seed, const uint8_t* octets, size_t count) {
  uint64_t sum = ~seed;
  for (; count >= 3 * kLong; octets += 3 * kLong, count -= 3 * kLong)
    sum = three(sum, octets, kLong, kShiftLong);
  for (; count >= 3 * kShort; octets += 3 * kShort, count -= 3 * kShort)
    sum = three(sum, octets, kShort, kShiftShort);
  for (; count >= 8; octets += 8, count -= 8)
    sum = _mm_crc32_u64(sum, word_at(octets));
  auto rest = static_cast<uint32_t>(sum);
  for (; count > 0; ++octets, --count)
    rest = _mm_crc32_u8(rest, *octets);
  return ~rest;
}
#endif

}  // namespace

uint32_t crc32c_plain(uint32_t seed, const void* octets, size_t count) {
  const auto* at = static_cast<const uint8_t*>(octets);
  uint32_t sum = ~seed;
  for (; count > 0; ++at, --count)
    sum = kOctets[(sum ^ *at) & 0xff] ^ sum >> 8;
  return ~sum;
}

uint32_t crc32c(uint32_t seed, const void* octets, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0)
    return crc32c_sse(seed, static_cast<const uint8_t*>(octets), count);
#endif
  return crc32c_plain(seed, octets, count);
}

}  // namespace postern::http
