// SPDX-License-Identifier: BSD-3-Clause
#include "cli/suggest.h"

#include <algorithm>

namespace postern::cli {
namespace {

// Levenshtein distance, one row at a time.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above + 1, row[j - 1] + 1});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view typed, const std::vector<std::string>& words) {
  constexpr size_t kWordMax = 64;  // longer ones are no slip of the finger
  if (typed.empty() || typed.size() > kWordMax) return "";
  std::string best;
  size_t best_distance = typed.size() / 3 + 2;
  for (const std::string& word : words) {
    size_t d = word.starts_with(typed) ? 0 : distance(typed, word);
    if (d < best_distance) {
      best = word;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace postern::cli
