// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/exposition.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/plain_text.h"

namespace postern::metrics {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Both formats escape backslash and newline; quotes are escaped in label values, and by OpenMetrics
// in the help as well.
void append_escaped(std::string& out, std::string_view text, bool escapes_quotes) {
  while (!text.empty()) {
    const char c = text.front();
    size_t bytes = 1;
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escapes_quotes) {
      out += "\\\"";
    } else {
      bytes = printable_bytes(text);
      out += bytes == 0 ? kReplacement : text.substr(0, bytes);
      if (bytes == 0) bytes = 1;
    }
    text.remove_prefix(bytes);
  }
}

std::string_view suffix_of(Kind kind) {
  return kind == Kind::counter ? "_total" : kind == Kind::info ? "_info" : "";
}

std::string_view word_of(Kind kind, Format format) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::info:  // a type that 0.0.4 does not have
      return format == Format::open_metrics ? "info" : "gauge";
    case Kind::histogram:
      return "histogram";
  }
  return "untyped";
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

}  // namespace

std::string_view content_type(Format format) {
  return format == Format::open_metrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

void Exposition::family(std::string_view name, Kind kind, std::string_view help) {
  family_ = name;
  name_ = family_ + std::string(suffix_of(kind));
  // OpenMetrics names the family in its descriptions, 0.0.4 the samples.
  const std::string& shown = format_ == Format::open_metrics ? family_ : name_;
  fmt::format_to(std::back_inserter(text_), "# HELP {} ", shown);
  append_escaped(text_, help, format_ == Format::open_metrics);
  fmt::format_to(std::back_inserter(text_), "\n# TYPE {} {}\n", shown, word_of(kind, format_));
}

void Exposition::begin_sample(std::string_view suffix, Labels labels) {
  text_ += name_;
  text_ += suffix;
  char before = '{';
  for (const Label& label : labels) {
    text_ += before;
    text_ += label.name;
    text_ += "=\"";
    append_escaped(text_, label.value, true);
    text_ += '"';
    before = ',';
  }
  text_ += labels.size() == 0 ? " " : "} ";
}

void Exposition::sample(Labels labels, uint64_t value) {
  begin_sample("", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::sample(Labels labels, double value) {
  begin_sample("", labels);
  append_number(text_, value);
  text_ += '\n';
}

void Exposition::histogram(std::span<const double> bounds, std::span<const uint64_t> counts,
                           double sum) {
  uint64_t all = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    const std::string bound = i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf";
    begin_sample("_bucket", {{"le", bound}});
    fmt::format_to(std::back_inserter(text_), "{}\n", all);
  }
  begin_sample("_sum", {});
  append_number(text_, sum);
  text_ += '\n';
  begin_sample("_count", {});
  fmt::format_to(std::back_inserter(text_), "{}\n", all);
}

void Exposition::counter(std::string_view name, std::string_view help, uint64_t value) {
  family(name, Kind::counter, help);
  sample({}, value);
}

void Exposition::gauge(std::string_view name, std::string_view help, uint64_t value) {
  family(name, Kind::gauge, help);
  sample({}, value);
}

void Exposition::gauge(std::string_view name, std::string_view help, double value) {
  family(name, Kind::gauge, help);
  sample({}, value);
}

std::string Exposition::finish() {
  if (format_ == Format::open_metrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace postern::metrics
