// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/octets.h"

#include <algorithm>

namespace postern::http {

bool OctetSet::add(Octets piece) {
  if (piece.first < 0 || piece.last < piece.first) return false;
  // The first that `piece` overlaps, touches or stands before, and the first behind it.
  const auto begin = std::find_if(pieces_.begin(), pieces_.end(), [&](const Octets& other) {
    return other.last >= piece.first - 1;
  });
  const auto end = std::find_if(begin, pieces_.end(),
                                [&](const Octets& other) { return other.first - 1 > piece.last; });
  if (begin == end) {
    if (pieces_.size() == kPiecesMax) return false;
    pieces_.insert(begin, piece);
    return true;
  }
  begin->first = std::min(begin->first, piece.first);
  begin->last = std::max((end - 1)->last, piece.last);
  pieces_.erase(begin + 1, end);
  return true;
}

bool OctetSet::holds(Octets range) const {
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const Octets& piece) {
    return piece.first <= range.first && range.last <= piece.last;
  });
}

std::vector<Octets> OctetSet::missing(Octets range) const {
  std::vector<Octets> gaps;
  gaps.reserve(pieces_.size() + 1);
  int64_t at = range.first;
  for (const Octets& piece : pieces_) {
    if (piece.last < at) continue;
    if (at > range.last || piece.first > range.last) break;
    if (piece.first > at) gaps.push_back(Octets{at, piece.first - 1});
    at = piece.last + 1;
  }
  if (at <= range.last) gaps.push_back(Octets{at, range.last});
  return gaps;
}

}  // namespace postern::http
