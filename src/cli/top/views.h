// SPDX-License-Identifier: BSD-3-Clause
// The views of `postern top`: what two looks at the gateway (control/admin/top.h) say of the time
// between them, as tables that can be sorted and filtered. Pure; thread: any.
#pragma once

#include <string>
#include <vector>

#include "cli/client.h"

namespace postern::cli {

struct TopCell {
  std::string text;
  double number = 0;  // what the column is sorted by, of columns of numbers
};

struct TopView {
  struct Column {
    std::string title;
    bool is_number = true;
  };
  std::string name;  // workers, interfaces, talkers, rules, drops
  std::vector<Column> columns;
  std::vector<std::vector<TopCell>> rows;
  size_t sort = 0;  // column to begin with; of numbers the largest come first

  // Rows in which a cell holds `filter`, in any case, ordered by a column; at most `rows_max`
  // lines with the header, without ends of line.
  std::vector<std::string> lines(const std::string& filter, size_t sort_by, bool is_reversed,
                                 size_t rows_max) const;
};

// `before` may be an older look or empty: then there are totals, and no rates. `talkers` is the
// answer of "show talkers"; may be empty.
std::vector<TopView> views_of(const Json& before, const Json& now, const Json& talkers);
// {"seconds", "workers": [...], "interfaces": ...}, rates beside the totals.
Json rates_json(const Json& before, const Json& now, const Json& talkers);
// One line about the whole gateway.
std::string headline(const Json& before, const Json& now);

// "1.23M", "999", three to four digits.
std::string short_number(double number);

}  // namespace postern::cli
