// SPDX-License-Identifier: BSD-3-Clause
// Exposition: what is counted as text that monitoring reads: the Prometheus text format 0.0.4, or
// OpenMetrics 1.0.
//
//   # HELP postern_dropped_packets_total packets that did not cross
//   # TYPE postern_dropped_packets_total counter
//   postern_dropped_packets_total{reason="no_route"} 17
//
// A family is begun once and its samples follow it; a counter's name ends in _total, that of facts
// in labels in _info, both appended here. Label values may be any bytes: what is no UTF-8 and
// control characters become U+FFFD, the rest is escaped. Thread: any, no state but its own. Bounds:
// those of what is written; labels of unknown number go through LimitedRows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace postern::metrics {

enum class Format : uint8_t { text, open_metrics };
// "text/plain; version=0.0.4; charset=utf-8"
std::string_view content_type(Format format);

enum class Kind : uint8_t { counter, gauge, info, histogram };

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  explicit Exposition(Format format) : format_(format) {}

  // `name` without _total and _info; `help` is one line.
  void family(std::string_view name, Kind kind, std::string_view help);
  // Samples of the family begun last.
  void sample(Labels labels, uint64_t value);
  void sample(Labels labels, double value);
  // Of Kind::info: the labels say it all.
  void fact(Labels labels) { sample(labels, uint64_t{1}); }
  // Of Kind::histogram: `counts` of each class by itself, one more than `bounds`.
  void histogram(std::span<const double> bounds, std::span<const uint64_t> counts, double sum);

  // A family of one sample without labels.
  void counter(std::string_view name, std::string_view help, uint64_t value);
  void gauge(std::string_view name, std::string_view help, uint64_t value);
  void gauge(std::string_view name, std::string_view help, double value);

  // The whole text; further calls are not allowed.
  std::string finish();

 private:
  void begin_sample(std::string_view suffix, Labels labels);

  Format format_;
  std::string name_;    // of the family, with the end that its samples have
  std::string family_;  // and without
  std::string text_;
};

// Rows by a name of which there may be many: the first `max` have a row of their own, the others
// share that of kOther.
constexpr std::string_view kOther = "other";
template <typename T>
class LimitedRows {
 public:
  explicit LimitedRows(size_t max) : max_(max) {}

  T& row(std::string_view name) {
    auto found = rows_.find(name);
    if (found != rows_.end()) return found->second;
    if (rows_.size() < max_) return rows_[std::string(name)];
    ++beyond_;
    return rows_[std::string(kOther)];
  }
  // Calls of row() for names beyond the limit.
  size_t beyond() const { return beyond_; }
  const std::map<std::string, T, std::less<>>& all() const { return rows_; }

 private:
  size_t max_;
  size_t beyond_ = 0;
  std::map<std::string, T, std::less<>> rows_;
};

}  // namespace postern::metrics
