// SPDX-License-Identifier: BSD-3-Clause
// Words for numbers of headers, as packet_text reads and writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::test {

struct NamedNumber {
  const char* name;
  uint8_t number;
};

inline constexpr NamedNumber kProtocols[] = {{"icmp", 1}, {"igmp", 2},  {"tcp", 6},
                                             {"udp", 17}, {"gre", 47},  {"esp", 50},
                                             {"ah", 51},  {"ospf", 89}, {"sctp", 132}};
inline constexpr NamedNumber kIcmpTypes[] = {{"echo-reply", 0},         {"unreachable", 3},
                                             {"source-quench", 4},      {"redirect", 5},
                                             {"echo-request", 8},       {"time-exceeded", 11},
                                             {"parameter-problem", 12}, {"timestamp-request", 13},
                                             {"timestamp-reply", 14},   {"information-request", 15},
                                             {"information-reply", 16}, {"mask-request", 17},
                                             {"mask-reply", 18}};
inline constexpr NamedNumber kTcpFlags[] = {{"fin", 1},  {"syn", 2},  {"rst", 4},  {"psh", 8},
                                            {"ack", 16}, {"urg", 32}, {"ece", 64}, {"cwr", 128}};

template <size_t N>
std::optional<uint8_t> number_of(const NamedNumber (&names)[N], std::string_view name) {
  for (const auto& entry : names) {
    if (name == entry.name) return entry.number;
  }
  return std::nullopt;
}

template <size_t N>
std::string name_of(const NamedNumber (&names)[N], uint8_t number, const std::string& otherwise) {
  for (const auto& entry : names) {
    if (number == entry.number) return entry.name;
  }
  return otherwise;
}

}  // namespace postern::test
