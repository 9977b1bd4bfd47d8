// SPDX-License-Identifier: BSD-3-Clause
#include "base/public_address.h"

#include <algorithm>
#include <array>

namespace postern {
namespace {

constexpr Prefix prefix(uint8_t a, uint8_t b, uint8_t c, uint8_t length) {
  return Prefix{Ipv4Address(a, b, c, 0), length};
}

// Special-purpose addresses that are not reachable over the internet, or that are no single host
// (IANA IPv4 Special-Purpose Address Registry).
constexpr std::array kSpecial = {
    prefix(0, 0, 0, 8),      prefix(10, 0, 0, 8),     prefix(100, 64, 0, 10),
    prefix(127, 0, 0, 8),    prefix(169, 254, 0, 16), prefix(172, 16, 0, 12),
    prefix(192, 0, 0, 24),   prefix(192, 0, 2, 24),   prefix(192, 88, 99, 24),
    prefix(192, 168, 0, 16), prefix(198, 18, 0, 15),  prefix(198, 51, 100, 24),
    prefix(203, 0, 113, 24), prefix(224, 0, 0, 4),    prefix(240, 0, 0, 4),
};

}  // namespace

bool is_public(Ipv4Address address) {
  return std::none_of(kSpecial.begin(), kSpecial.end(),
                      [address](const Prefix& special) { return special.contains(address); });
}

}  // namespace postern
