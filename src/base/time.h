// SPDX-License-Identifier: BSD-3-Clause
// Instant and Duration in nanoseconds. There is no clock here: time is an argument everywhere, read
// once per burst in the worker and once per event in the control loop.
#pragma once

#include <compare>
#include <cstdint>

namespace postern {

struct Duration {
  int64_t ns = 0;
  friend constexpr auto operator<=>(const Duration&, const Duration&) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
  friend constexpr Duration operator*(Duration a, int64_t n) { return {a.ns * n}; }
};

constexpr Duration nanoseconds(int64_t n) {
  return {n};
}
constexpr Duration microseconds(int64_t n) {
  return {n * 1'000};
}
constexpr Duration milliseconds(int64_t n) {
  return {n * 1'000'000};
}
constexpr Duration seconds(int64_t n) {
  return {n * 1'000'000'000};
}

// A point on the monotonic clock of one run of the program; zero is its start.
struct Instant {
  int64_t ns = 0;
  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant t, Duration d) { return {t.ns + d.ns}; }
  friend constexpr Instant operator-(Instant t, Duration d) { return {t.ns - d.ns}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

}  // namespace postern
