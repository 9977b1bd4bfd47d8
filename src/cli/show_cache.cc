// SPDX-License-Identifier: BSD-3-Clause
// postern show cache
#include <fmt/format.h>

#include <iterator>

#include "cli/show.h"

namespace postern::cli {
namespace {

constexpr int64_t kKiB = 1024;

std::string bytes_text(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto shown = static_cast<double>(bytes);
  for (; shown >= kKiB && unit + 1 < std::size(kUnits); ++unit)
    shown /= kKiB;
  return fmt::format("{:.{}f} {}", shown, unit == 0 ? 0 : 1, kUnits[unit]);
}

void print_store(const Json& cache) {
  const std::string state = cache.value("state", "off");
  if (state == "off") {
    fmt::print("cache       none: services.http.cache is not configured\n");
    return;
  }
  fmt::print("cache       {}, {}", cell(cache, "file"), bytes_text(number(cache, "bytes")));
  if (state == "opening")
    fmt::print(", {} % read, nothing is kept until then", cell(cache, "percent_read"));
  fmt::print("\n");
  const Json store = cache.value("store", Json());
  if (store.is_object()) {
    const int64_t all = number(store, "bytes"), used = number(store, "bytes_used");
    fmt::print("used        {} ({} %), {} objects, {} evicted\n", bytes_text(used),
               all == 0 ? 0 : used * 100 / all, cell(store, "objects"), cell(store, "evicted"));
    fmt::print("faults      {} errors of the disk, {} damaged, {} not stored{}\n",
               cell(store, "errors"), cell(store, "damaged"), cell(store, "refused"),
               store.value("is_failing", false) ? "; storing has stopped" : "");
  }
  const std::string error = cache.value("error", "");
  if (!error.empty()) fmt::print("ERROR       {}\n", error);
}

void print_cache(const Json& result, const Globals& globals) {
  if (!result.value("enabled", false)) {
    fmt::print("services.http is not configured\n");
    return;
  }
  const Json counts = result.value("counters", Json::object());
  const std::string listening = cell(result, "listening");
  fmt::print("listening   {}\n", listening == "-" ? "nowhere; see postern status" : listening);
  fmt::print("clients     {} of {} connections, {} transfers; {} turned away\n",
             cell(result, "clients"), cell(result, "clients_max"), cell(result, "transfers"),
             cell(counts, "turned_away"));
  print_store(result.value("cache", Json::object()));
  const Json ratio = result.value("hit_percent", Json());
  fmt::print("hits        {}\n",
             ratio.is_number() ? fmt::format("{:.1f} % of what could be kept", ratio.get<double>())
                               : "none yet");
  fmt::print("saved       {}\n\n", bytes_text(number(result, "saved_bytes")));
  Table counters({{"COUNTER"}, {"COUNT", Align::right}, {"HELP"}});
  const Json help = result.value("help", Json::object());
  for (auto entry = counts.begin(); entry != counts.end(); ++entry)
    counters.add({entry.key(), entry.value().dump(), cell(help, entry.key().c_str())});
  print_table(counters, result, globals);
}

}  // namespace

void add_show_cache(Command& show, const Globals& globals) {
  show.add("cache", "the HTTP proxy and its cache, and what they counted").runs([&globals] {
    return ask_and_show(globals, {{"command", "show cache"}},
                        [&](const Json& result) { print_cache(result, globals); });
  });
}

}  // namespace postern::cli
