// SPDX-License-Identifier: BSD-3-Clause
#include "cli/top/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <map>

#include "cli/table.h"

namespace postern::cli {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr const char* kLists[] = {"workers", "interfaces", "rules", "drops"};

double number_at(const Json& row, const char* key) {
  auto found = row.find(key);
  return found != row.end() && found->is_number() ? found->get<double>() : 0;
}

std::string text_at(const Json& row, const char* key) {
  auto found = row.find(key);
  if (found == row.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

const Json& list_at(const Json& look, const char* key) {
  static const Json none = Json::array();
  auto found = look.find(key);
  return found != look.end() && found->is_array() ? *found : none;
}

double seconds_between(const Json& before, const Json& now) {
  const double passed = number_at(now, "time_ns") - number_at(before, "time_ns");
  return before.empty() || passed <= 0 ? 0 : passed / kNsPerSecond;
}

// What a row is told apart by.
std::string name_of(const Json& row) {
  for (const char* key : {"name", "reason", "worker"}) {
    if (row.contains(key)) return text_at(row, key);
  }
  return "";
}

// Adds to each row of a list how much its counters grew a second. Of what was not there before,
// or was counted anew, nothing is said but zero.
void add_rates(Json& list, const Json& before, double seconds) {
  std::map<std::string, const Json*> known;
  for (const Json& row : before)
    known[name_of(row)] = &row;
  for (Json& row : list) {
    if (!row.is_object()) continue;
    const auto old = known.find(name_of(row));
    Json rates = Json::object();
    for (const auto& [key, value] : row.items()) {
      const bool is_counter = key.find("packets") != std::string::npos ||
                              key.find("bytes") != std::string::npos ||
                              key.find("drops") != std::string::npos;
      if (!is_counter || !value.is_number()) continue;
      const double grown =
          old != known.end() ? value.get<double>() - number_at(*old->second, key.c_str()) : 0;
      const double rate = seconds > 0 && grown > 0 ? grown / seconds : 0;
      rates[key + "_per_s"] = std::round(rate * 10) / 10;
    }
    row.update(rates);
  }
}

TopCell word(const Json& row, const char* key) {
  return {or_dash(text_at(row, key)), 0};
}
TopCell amount(const Json& row, const char* key, double factor = 1) {
  const double number = number_at(row, key) * factor;
  return {short_number(number), number};
}
TopCell percent(const Json& row, const char* key) {
  const double number = number_at(row, key) * 100;
  return {fmt::format("{:.1f}", number), number};
}

TopView workers_view(const Json& look) {
  TopView view{"workers", {{"WORKER"}, {"CORE"}, {"BUSY%"}, {"SESSIONS"}, {"HANDED/S"}}, {}, 2};
  for (const Json& row : list_at(look, "workers")) {
    view.rows.push_back({amount(row, "worker"), amount(row, "core"), percent(row, "busy_share"),
                         amount(row, "sessions"), amount(row, "handed_off_packets_per_s")});
  }
  return view;
}

TopView interfaces_view(const Json& look) {
  TopView view{"interfaces",
               {{"INTERFACE", false},
                {"LINK", false},
                {"RX-PKT/S"},
                {"RX-BIT/S"},
                {"TX-PKT/S"},
                {"TX-BIT/S"},
                {"DROPS/S"},
                {"RX-BYTES"},
                {"TX-BYTES"}},
               {},
               3};
  for (const Json& row : list_at(look, "interfaces")) {
    const double drops = number_at(row, "rx_drops_per_s") + number_at(row, "tx_drops_per_s");
    view.rows.push_back({word(row, "name"), word(row, "link"), amount(row, "rx_packets_per_s"),
                         amount(row, "rx_bytes_per_s", 8), amount(row, "tx_packets_per_s"),
                         amount(row, "tx_bytes_per_s", 8), TopCell{short_number(drops), drops},
                         amount(row, "rx_bytes"), amount(row, "tx_bytes")});
  }
  return view;
}

TopView talkers_view(const Json& talkers) {
  TopView view{
      "talkers",
      {{"HOST", false}, {"SESSIONS"}, {"SENT-BIT/S"}, {"RECEIVED-BIT/S"}, {"BIT/S"}, {"BYTES"}},
      {},
      4};
  for (const Json& row : list_at(talkers, "talkers")) {
    const double rate = number_at(row, "sent_bytes_per_s") + number_at(row, "received_bytes_per_s");
    const double bytes = number_at(row, "sent_bytes") + number_at(row, "received_bytes");
    view.rows.push_back({word(row, "host"), amount(row, "sessions"),
                         amount(row, "sent_bytes_per_s", 8), amount(row, "received_bytes_per_s", 8),
                         TopCell{short_number(rate * 8), rate},
                         TopCell{short_number(bytes), bytes}});
  }
  return view;
}

TopView rules_view(const Json& look) {
  TopView view{
      "rules",
      {{"RULE", false}, {"ACTION", false}, {"PKT/S"}, {"BIT/S"}, {"PACKETS"}, {"BYTES"}, {"LINE"}},
      {},
      2};
  for (const Json& row : list_at(look, "rules")) {
    view.rows.push_back({word(row, "name"), word(row, "action"), amount(row, "packets_per_s"),
                         amount(row, "bytes_per_s", 8), amount(row, "packets"),
                         amount(row, "bytes"), amount(row, "line")});
  }
  return view;
}

TopView drops_view(const Json& look) {
  TopView view{"drops", {{"REASON", false}, {"PKT/S"}, {"PACKETS"}, {"HELP", false}}, {}, 1};
  for (const Json& row : list_at(look, "drops")) {
    view.rows.push_back({word(row, "reason"), amount(row, "packets_per_s"), amount(row, "packets"),
                         word(row, "help")});
  }
  return view;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The look with rates in it.
Json with_rates(const Json& before, const Json& now) {
  Json look = now;
  const double seconds = seconds_between(before, now);
  for (const char* key : kLists) {
    if (look.contains(key) && look[key].is_array()) {
      add_rates(look[key], list_at(before, key), seconds);
    }
  }
  return look;
}

}  // namespace

std::string short_number(double number) {
  if (number < 9.95 && number != std::floor(number)) return fmt::format("{:.1f}", number);
  static constexpr const char* kUnits[] = {"", "k", "M", "G", "T", "P"};
  size_t unit = 0;
  while (number >= 9999.5 && unit + 1 < std::size(kUnits)) {
    number /= 1000;
    ++unit;
  }
  const bool is_short = unit != 0 && number < 99.95;
  return is_short ? fmt::format("{:.1f}{}", number, kUnits[unit])
                  : fmt::format("{:.0f}{}", number, kUnits[unit]);
}

std::vector<std::string> TopView::lines(const std::string& filter, size_t sort_by, bool is_reversed,
                                        size_t rows_max) const {
  const size_t by = std::min(sort_by, columns.size() - 1);
  const std::string wanted = lower(filter);
  std::vector<const std::vector<TopCell>*> shown;
  for (const auto& row : rows) {
    const bool is_wanted = std::any_of(row.begin(), row.end(), [&](const TopCell& cell) {
      return lower(cell.text).find(wanted) != std::string::npos;
    });
    if (is_wanted) shown.push_back(&row);
  }
  const bool is_number = columns[by].is_number;
  std::stable_sort(shown.begin(), shown.end(), [&](const auto* a, const auto* b) {
    if (is_reversed) std::swap(a, b);
    return is_number ? (*a)[by].number > (*b)[by].number : (*a)[by].text < (*b)[by].text;
  });
  std::vector<postern::cli::Column> titles;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string title = i == by ? "*" + columns[i].title : columns[i].title;
    titles.push_back({title, columns[i].is_number ? Align::right : Align::left});
  }
  Table table(titles);
  for (size_t i = 0; i < shown.size() && i + 1 < rows_max; ++i) {
    std::vector<std::string> cells;
    cells.reserve(shown[i]->size());
    for (const TopCell& cell : *shown[i])
      cells.push_back(cell.text);
    table.add(std::move(cells));
  }
  std::vector<std::string> lines;
  const std::string text = table.to_text(true);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<TopView> views_of(const Json& before, const Json& now, const Json& talkers) {
  const Json look = with_rates(before, now);
  return {workers_view(look), interfaces_view(look), talkers_view(talkers), rules_view(look),
          drops_view(look)};
}

Json rates_json(const Json& before, const Json& now, const Json& talkers) {
  Json look = with_rates(before, now);
  look["seconds"] = seconds_between(before, now);
  look["talkers"] = list_at(talkers, "talkers");
  look["talkers_complete"] = !talkers.is_object() || talkers.value("complete", true);
  return look;
}

std::string headline(const Json& before, const Json& now) {
  const Json look = with_rates(before, now);
  double packets = 0, bits = 0, busiest = 0;
  for (const Json& row : list_at(look, "interfaces")) {
    packets += number_at(row, "rx_packets_per_s");
    bits += number_at(row, "rx_bytes_per_s") * 8;
  }
  for (const Json& row : list_at(look, "workers"))
    busiest = std::max(busiest, number_at(row, "busy_share"));
  return fmt::format(
      "{}  up {}  policy {}  sessions {} of {}  {} pkt/s  {}bit/s in  busiest {:.0f} %",
      text_at(now, "name"), duration_text(static_cast<int64_t>(number_at(now, "uptime_s"))),
      text_at(now, "generation"), short_number(number_at(now, "sessions")),
      short_number(number_at(now, "sessions_max")), short_number(packets), short_number(bits),
      busiest * 100);
}

}  // namespace postern::cli
