// SPDX-License-Identifier: BSD-3-Clause
#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/plain_text.h"

namespace postern::cli {
namespace {

// Columns of the terminal that UTF-8 text takes: continuation bytes take none.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void append_padded(std::string& line, const std::string& cell, size_t width, Align align) {
  size_t missing = width - std::min(width, width_of(cell));
  if (align == Align::right) line.append(missing, ' ');
  line += cell;
  if (align == Align::left) line.append(missing, ' ');
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> cells) {
  POSTERN_ASSERT(cells.size() == columns_.size());
  for (std::string& cell : cells)
    cell = plain_text(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::to_text(bool with_header) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = with_header ? width_of(columns_[i].title) : 0;
    for (const auto& row : rows_)
      width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  std::string text;
  auto append_row = [&](auto cell_of) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
      append_padded(line, cell_of(i), widths[i], columns_[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  if (with_header) append_row([&](size_t i) { return columns_[i].title; });
  for (const auto& row : rows_)
    append_row([&](size_t i) { return row[i]; });
  return text;
}

std::string duration_text(int64_t seconds) {
  if (seconds < 0) return "-";
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86400, seconds / 3600 % 24);
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace postern::cli
