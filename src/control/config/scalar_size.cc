// SPDX-License-Identifier: BSD-3-Clause
// read_size() of section.h: a number of KiB, MiB, GiB or TiB.
#include <algorithm>
#include <array>

#include "control/config/items.h"
#include "control/config/section.h"

namespace postern::config {
namespace {

constexpr std::string_view kForm = "a size such as 512MiB or 10GiB (units KiB, MiB, GiB, TiB)";
constexpr size_t kTextMax = 32;
constexpr uint32_t kNumberMax = 1'000'000;

struct SizeUnit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array<SizeUnit, 4> kUnits = {{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};

std::string size_text(int64_t octets) {
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    const int64_t one = int64_t{1} << unit->shift;
    if (octets >= one && octets % one == 0)
      return std::to_string(octets >> unit->shift) + std::string(unit->name);
  }
  return std::to_string(octets >> kUnits[0].shift) + std::string(kUnits[0].name);
}

}  // namespace

std::optional<uint64_t> read_size(const Field& field) {
  const bool is_scalar = field.node.kind == NodeKind::scalar;
  const std::string_view bare = field.node.text;
  if (is_scalar && !bare.empty() && bare.find_first_not_of("0123456789") == bare.npos) {
    field.error(quote(bare) + " has no unit; did you mean " + printable(bare) + "MiB?");
    return std::nullopt;
  }
  const auto text = read_text(field, kTextMax);
  if (!text) return std::nullopt;
  const size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
  const std::string_view name = std::string_view(*text).substr(digits);
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const SizeUnit& one) { return one.name == name; });
  const auto number = parse_number(std::string_view(*text).substr(0, digits), kNumberMax);
  if (!number || unit == kUnits.end()) {
    field.error(quote(*text) + " is not " + std::string(kForm));
    return std::nullopt;
  }
  const int64_t octets = int64_t{*number} << unit->shift;
  if (octets < field.spec.min || octets > field.spec.max) {
    const bool is_low = octets < field.spec.min;
    field.error(*text + (is_low ? " is below " : " exceeds ") +
                size_text(is_low ? field.spec.min : field.spec.max));
    return std::nullopt;
  }
  return static_cast<uint64_t>(octets);
}

}  // namespace postern::config
