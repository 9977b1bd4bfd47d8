// SPDX-License-Identifier: BSD-3-Clause
// Which octets of an object are there: ranges in order, apart from each other.
//
// Bounds: kPiecesMax pieces; what would be one more is not taken. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace postern::http {

constexpr size_t kPiecesMax = 64;

// From `first` to `last`, both of them included, as HTTP counts.
struct Octets {
  int64_t first = 0;
  int64_t last = -1;

  int64_t size() const { return last - first + 1; }
  friend bool operator==(const Octets&, const Octets&) = default;
};

class OctetSet {
 public:
  // Pieces that touch become one. False: there would be more than kPiecesMax, or it is none.
  [[nodiscard]] bool add(Octets piece);
  bool holds(Octets range) const;
  // What is not there of `range`, in order.
  std::vector<Octets> missing(Octets range) const;
  std::span<const Octets> pieces() const { return pieces_; }

 private:
  std::vector<Octets> pieces_;
};

}  // namespace postern::http
