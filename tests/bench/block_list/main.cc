// SPDX-License-Identifier: BSD-3-Clause
// What a block list of a million names costs: octets a name, seconds to load, and nanoseconds a
// look-up of names with three to five labels that are not listed, and of listed ones.
//
//   ninja -C build tests/bench/block_list/postern_bench_block_list && build/tests/bench/...
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/assert.h"
#include "services/dns/block/line.h"
#include "services/dns/block/load.h"

namespace dns = postern::dns;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t kNames = 1'000'000;
constexpr size_t kQuestions = 200'000;

// Names with the lengths and depths of usual lists.
std::string random_name(std::mt19937_64& random) {
  static const char* const kTops[] = {".com", ".net", ".example", ".co.uk"};
  const auto label = [&](size_t length_min, size_t length_max) {
    std::string text(length_min + random() % (length_max - length_min + 1), 'a');
    for (char& c : text)
      c = static_cast<char>('a' + random() % 26);
    return text;
  };
  std::string name = label(5, 14) + kTops[random() % 4];
  if (random() % 2 == 0) name = label(2, 8) + "." + name;
  return label(2, 10) + "." + name;
}

double ns_per_look_up(const dns::BlockSet& set, const std::vector<dns::WireName>& names) {
  size_t found = 0;
  const auto start = Clock::now();
  for (const dns::WireName& name : names)
    found += set.find(name.view()).has_value();
  const std::chrono::duration<double, std::nano> taken = Clock::now() - start;
  POSTERN_ASSERT(found <= names.size());
  return taken.count() / static_cast<double>(names.size());
}

}  // namespace

int main() {
  std::mt19937_64 random(1);
  const std::string path =
      std::filesystem::temp_directory_path() / ("postern-bench-" + std::to_string(getpid()));
  std::vector<dns::WireName> listed;
  {
    std::ofstream file(path);
    for (size_t i = 0; i < kNames; ++i) {
      const std::string name = random_name(random);
      file << name << '\n';
      if (i % (kNames / kQuestions) != 0) continue;
      POSTERN_ASSERT(dns::to_wire_name(name, listed.emplace_back()));
    }
  }
  std::vector<dns::WireName> strangers(kQuestions);
  for (auto& name : strangers)
    POSTERN_ASSERT(dns::to_wire_name(random_name(random), name));
  std::shuffle(listed.begin(), listed.end(), random);

  const std::atomic<bool> stop = false;
  dns::BlockListSettings settings;
  settings.files = {path};
  const auto start = Clock::now();
  const auto loaded = dns::load_block_set(settings, dns::random_name_set_key(), stop);
  const std::chrono::duration<double> seconds = Clock::now() - start;
  std::filesystem::remove(path);

  const dns::NameSet& set = loaded.set.blocked;
  const double miss_ns = ns_per_look_up(loaded.set, strangers);
  const double hit_ns = ns_per_look_up(loaded.set, listed);
  std::printf("%zu names: %.2f octets a name, loaded in %.2f s\n", set.names(),
              static_cast<double>(set.bytes()) / static_cast<double>(set.names()), seconds.count());
  std::printf("look-up: %.0f ns not listed, %.0f ns listed\n", miss_ns, hit_ns);
  return 0;
}
