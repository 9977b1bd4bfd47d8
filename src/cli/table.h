// SPDX-License-Identifier: BSD-3-Clause
// Table: rows for people. Text stands left, numbers right, one header line, two blanks between
// columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::cli {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // One cell a column. Control characters in cells are shown as '?': a terminal must not obey data.
  void add(std::vector<std::string> cells);
  bool is_empty() const { return rows_.empty(); }
  std::string to_text(bool with_header) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "1h02m", "3m20s", "12s": the two largest units.
std::string duration_text(int64_t seconds);
// An empty cell is shown as a dash.
std::string or_dash(const std::string& text);

}  // namespace postern::cli
