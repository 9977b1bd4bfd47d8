// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/exposition.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "control/metrics/dhcp_metrics.h"
#include "control/metrics/worker_metrics.h"

using namespace postern;
using namespace postern::metrics;

namespace {

std::string sample_with(std::string_view value) {
  Exposition out(Format::text);
  out.family("m", Kind::gauge, "h");
  out.sample({{"l", value}}, uint64_t{1});
  const std::string text = out.finish();
  const size_t begin = text.find("{l=\"") + 4;
  return text.substr(begin, text.rfind("\"}") - begin);
}

std::string number_of(double value) {
  Exposition out(Format::text);
  out.family("m", Kind::gauge, "h");
  out.sample({}, value);
  const std::string text = out.finish();
  return text.substr(text.rfind("m ") + 2);
}

}  // namespace

TEST_CASE("metrics/exposition: a family is described once and its samples follow", "[P20]") {
  Exposition out(Format::text);
  out.family("postern_dropped_packets", Kind::counter, "packets that did not cross");
  out.sample({{"reason", "no_route"}, {"worker", "0"}}, uint64_t{17});
  out.sample({}, uint64_t{18446744073709551615u});
  out.gauge("postern_up", "says \"yes\" or\nno, or a \\", uint64_t{1});
  out.family("postern_build", Kind::info, "what runs");
  out.fact({{"version", "0.1.0"}});
  CHECK(out.finish() ==
        "# HELP postern_dropped_packets_total packets that did not cross\n"
        "# TYPE postern_dropped_packets_total counter\n"
        "postern_dropped_packets_total{reason=\"no_route\",worker=\"0\"} 17\n"
        "postern_dropped_packets_total 18446744073709551615\n"
        "# HELP postern_up says \"yes\" or\\nno, or a \\\\\n"
        "# TYPE postern_up gauge\n"
        "postern_up 1\n"
        "# HELP postern_build_info what runs\n"
        "# TYPE postern_build_info gauge\n"
        "postern_build_info{version=\"0.1.0\"} 1\n");
}

TEST_CASE("metrics/exposition: OpenMetrics names families without their ends, and ends itself",
          "[P20]") {
  Exposition out(Format::open_metrics);
  out.counter("postern_a", "a \"quote\"", 1);
  out.family("postern_build", Kind::info, "what runs");
  out.fact({{"version", "0.1.0"}});
  CHECK(out.finish() ==
        "# HELP postern_a a \\\"quote\\\"\n"
        "# TYPE postern_a counter\n"
        "postern_a_total 1\n"
        "# HELP postern_build what runs\n"
        "# TYPE postern_build info\n"
        "postern_build_info{version=\"0.1.0\"} 1\n"
        "# EOF\n");
}

TEST_CASE("metrics/exposition: classes of a histogram add up to their count", "[P20]") {
  Exposition out(Format::text);
  out.family("postern_t_seconds", Kind::histogram, "h");
  constexpr double kBounds[] = {0.001, 0.25};
  constexpr uint64_t kCounts[] = {2, 0, 5};
  out.histogram(kBounds, kCounts, 1.5);
  CHECK(out.finish() ==
        "# HELP postern_t_seconds h\n"
        "# TYPE postern_t_seconds histogram\n"
        "postern_t_seconds_bucket{le=\"0.001\"} 2\n"
        "postern_t_seconds_bucket{le=\"0.25\"} 2\n"
        "postern_t_seconds_bucket{le=\"+Inf\"} 7\n"
        "postern_t_seconds_sum 1.5\n"
        "postern_t_seconds_count 7\n");
}

TEST_CASE("metrics/exposition: whatever a label value is, it stays within its quotes", "[P20]") {
  const std::string broken = "\xEF\xBF\xBD";
  auto [value, written] = GENERATE_COPY(table<std::string, std::string>({
      {"", ""},
      {"plain rule", "plain rule"},
      {"a\"} 1\nevil{x=\"", R"(a\"} 1\nevil{x=\")"},
      {"back\\slash\\", R"(back\\slash\\)"},
      {"\\n", R"(\\n)"},
      {"\n\n", R"(\n\n)"},
      {std::string("nul\0x", 5), "nul" + broken + "x"},
      {"\r\t\x7F\x1B[31m", broken + broken + broken + broken + "[31m"},
      {"B\xC3\xBCro", "B\xC3\xBCro"},
      {"\xE2\x82\xAC \xF0\x9F\x9A\xAA", "\xE2\x82\xAC \xF0\x9F\x9A\xAA"},
      {"\xC3", broken},                                         // cut short
      {"\xC3\"", broken + "\\\""},                              // and the quote is no part of it
      {"\xE2\x82", broken + broken},                            //
      {"\x80 \xFF", broken + " " + broken},                     // no beginning
      {"\xC0\xAF", broken + broken},                            // overlong
      {"\xE0\x80\xAF", broken + broken + broken},               //
      {"\xED\xA0\x80", broken + broken + broken},               // a surrogate
      {"\xF4\x90\x80\x80", broken + broken + broken + broken},  // beyond U+10FFFF
  }));
  CHECK(sample_with(value) == written);
}

TEST_CASE("metrics/exposition: numbers are written so that they are read back", "[P20]") {
  CHECK(number_of(0) == "0\n");
  CHECK(number_of(0.1) == "0.1\n");
  CHECK(number_of(1790000000) == "1790000000\n");
  CHECK(number_of(1e-9) == "1e-09\n");
  CHECK(number_of(std::nan("")) == "NaN\n");
  CHECK(number_of(std::numeric_limits<double>::infinity()) == "+Inf\n");
  CHECK(number_of(-std::numeric_limits<double>::infinity()) == "-Inf\n");
}

TEST_CASE("metrics/exposition: names beyond the limit share one row", "[P20]") {
  LimitedRows<int> rows(2);
  for (const char* name : {"a", "b", "c", "a", "d", "c"})
    ++rows.row(name);
  CHECK(rows.all() == std::map<std::string, int, std::less<>>{{"a", 2}, {"b", 1}, {"other", 3}});
  CHECK(rows.beyond() == 3);
}

TEST_CASE("metrics/exposition: each counter of the workers and of the DHCP server has a metric",
          "[P20]") {
  std::set<std::string_view> known;
  std::set<std::string_view> names;
  for (const WorkerMetric& metric : kWorkerMetrics) {
    known.insert(metric.counter);
    CHECK(names.insert(metric.name).second);
  }
  for (const NamedCounter& counter : kWorkerCounters) {
    INFO(counter.name << " needs a row in worker_metrics.h");
    CHECK(known.contains(counter.name));
  }
  std::set<std::string_view> dhcp;
  for (const DhcpMetric& metric : kDhcpMetrics)
    dhcp.insert(metric.name);
#define POSTERN_DHCP_COUNTER(name) CHECK(dhcp.contains("postern_dhcp_" #name));
  POSTERN_DHCP_COUNTERS(POSTERN_DHCP_COUNTER)
#undef POSTERN_DHCP_COUNTER
}
