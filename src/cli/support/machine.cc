// SPDX-License-Identifier: BSD-3-Clause
#include "cli/support/machine.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace postern::cli {
namespace fs = std::filesystem;
namespace {

constexpr unsigned kCoresMax = 4096;

}  // namespace

bool Machine::exists(const std::string& absolute) const {
  std::error_code ignored;
  return fs::exists(path(absolute), ignored);
}

std::string Machine::first_line(const std::string& absolute) const {
  std::ifstream stream(path(absolute));
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string Machine::text(const std::string& absolute, size_t bytes_max) const {
  std::ifstream stream(path(absolute), std::ios::binary);
  std::string text(bytes_max, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(bytes_max));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  return text;
}

std::optional<uint64_t> Machine::number(const std::string& absolute) const {
  const std::string line = first_line(absolute);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || end == line.data()) return std::nullopt;
  return number;
}

std::vector<std::string> Machine::entries(const std::string& absolute) const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path(absolute), ignored))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string Machine::link_name(const std::string& absolute) const {
  std::error_code ignored;
  return fs::read_symlink(path(absolute), ignored).filename();
}

std::optional<Machine::Owner> Machine::owner(const std::string& absolute) const {
  struct stat facts = {};
  if (stat(path(absolute).c_str(), &facts) != 0) return std::nullopt;
  return Owner{facts.st_mode & 07777u, facts.st_uid};
}

std::optional<Machine::Space> Machine::space(const std::string& absolute) const {
  struct statvfs facts = {};
  if (statvfs(path(absolute).c_str(), &facts) != 0) return std::nullopt;
  return Space{uint64_t{facts.f_bavail} * facts.f_frsize,
               uint64_t{facts.f_blocks} * facts.f_frsize};
}

std::optional<uint64_t> Machine::octets(const std::string& absolute) const {
  struct stat facts = {};
  if (stat(path(absolute).c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return static_cast<uint64_t>(facts.st_size);
}

std::optional<bool> Machine::has_synchronised_clock() const {
  if (!root_.empty()) {
    auto told = number("/clock-synchronised");
    if (!told) return std::nullopt;
    return *told != 0;
  }
  timex clock = {};
  const int state = adjtimex(&clock);  // reads, changes nothing
  if (state < 0) return std::nullopt;
  return state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
}

std::vector<unsigned> cores_of(const std::string& list) {
  std::vector<unsigned> cores;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    unsigned first = 0;
    const char* end = part.data() + part.size();
    auto [at, error] = std::from_chars(part.data(), end, first);
    if (error != std::errc()) continue;
    unsigned last = first;
    if (at != end && *at == '-') std::from_chars(at + 1, end, last);
    for (unsigned core = first; core <= last && core < kCoresMax; ++core)
      cores.push_back(core);
  }
  return cores;
}

}  // namespace postern::cli
