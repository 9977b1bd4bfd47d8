// SPDX-License-Identifier: BSD-3-Clause
#include "cli/shell/gate.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace postern::cli {
namespace {

// What the value of an option, marked by the last character of its name, may be:
//   =  a standard stream
//   #  that, or a number (a revision)
//   !  a standard stream, and it must be given
struct Row {
  std::string_view command;
  std::string_view options;  // and arguments
};
constexpr std::array kRows = std::to_array<Row>({
    {"", "json no-header"},
    {"check", "FILE= strict"},
    {"plan", "FILE= diff detailed-exitcode"},
    {"diff", "FILE# OTHER#"},
    {"apply", "FILE= check diff detailed-exitcode save confirm no-confirm comment"},
    {"history", ""},
    {"rollback", "REVISION save confirm no-confirm comment"},
    {"confirm", ""},
    {"revert", ""},
    {"status", ""},
    {"show interfaces", ""},
    {"show neighbors", ""},
    {"show routes", ""},
    {"show sessions", "host protocol limit"},
    {"show mappings", "host protocol limit"},
    {"show rules", "details"},
    {"show drops", "all"},
    {"show config", "revision"},
    {"show dns", ""},
    {"show cache", ""},
    {"show mail", "WHAT ID limit"},
    {"show leases", ""},
    {"show logins", ""},
    {"show captures", ""},
    {"show talkers", ""},
    {"show ports", ""},
    {"show remote", ""},
    {"top", "once interval count"},
    {"dns flush", "below"},
    {"cache purge", "URL"},
    {"cache clear", ""},
    {"cache recreate", ""},
    {"mail retry", "ID"},
    {"mail hold", "ID"},
    {"mail delete", "ID"},
    {"mail fetch", "NAME"},
    {"lease release", "ADDRESS"},
    {"lease reserve", "ADDRESS no-save"},
    {"lease import", "FILE="},
    {"dhcp renew", "INTERFACE"},
    {"dhcp release", "INTERFACE"},
    {"log", "LOG follow lines rule action host since"},
    {"logout", "USER|ADDRESS"},
    {"capture", "interface at dropped where count seconds snaplen out="},
    {"trace", "CONDITIONS interface count seconds dropped brief"},
    {"explain", "in src dst proto sport dport icmp tcp-flags user groups config="},
    {"user list", ""},
    {"user show", "NAME"},
    {"user lockouts", ""},
    {"user unlock", "WHAT"},
    {"user add", "NAME role description group key no-password"},
    {"user set", "NAME role description"},
    {"user passwd", "NAME"},
    {"user delete", "NAME"},
    {"user enable", "NAME"},
    {"user disable", "NAME"},
    {"user group list", ""},
    {"user group add", "NAME description group"},
    {"user group delete", "NAME"},
    {"user group join", "NAME GROUP"},
    {"user group leave", "NAME GROUP"},
    {"user key add", "NAME KEY"},
    {"user key delete", "NAME KEY"},
    {"user import", "FILE= format group skip-bad dry-run"},
    {"user hash", ""},
    {"passwd-hash", ""},
    {"doctor", ""},
    {"support-bundle", "FILE!"},
    {"config schema", ""},
    {"version", ""},
});

constexpr std::string_view kMarks = "=#!";

const Row* find_row(std::string_view command) {
  auto found = std::find_if(kRows.begin(), kRows.end(),
                            [&](const Row& row) { return row.command == command; });
  return found == kRows.end() ? nullptr : &*found;
}

// One word of Row::options.
struct Allowed {
  std::string_view name;
  char mark = 0;
};

std::vector<Allowed> allowed_of(const Row& row) {
  std::vector<Allowed> all;
  std::string_view rest = row.options;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    Allowed one{rest.substr(0, end)};
    if (kMarks.find(one.name.back()) != std::string_view::npos) {
      one.mark = one.name.back();
      one.name.remove_suffix(1);
    }
    all.push_back(one);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return all;
}

bool is_number(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
}

bool is_fit(const std::string& value, char mark) {
  return mark == 0 || is_stream(value) || (mark == '#' && is_number(value));
}

Error denied(const std::string& what) {
  return {ErrorCode::denied, what};
}

// Arguments are told in capitals.
std::string shown(const Given& given) {
  const bool is_argument =
      given.name.find_first_of("abcdefghijklmnopqrstuvwxyz") == given.name.npos;
  return (is_argument ? "" : "--") + given.name;
}

Result<void> may_give(const Given& given) {
  const Row* row = find_row(given.command);
  const std::vector<Allowed> all = row == nullptr ? std::vector<Allowed>() : allowed_of(*row);
  auto found = std::find_if(all.begin(), all.end(),
                            [&](const Allowed& one) { return one.name == given.name; });
  if (found == all.end()) return denied(shown(given) + " is not for this shell");
  auto fits = [&](const std::string& value) { return is_fit(value, found->mark); };
  if (std::all_of(given.values.begin(), given.values.end(), fits)) return {};
  return denied(shown(given) + " names no files in this shell; - is its standard stream");
}

}  // namespace

bool is_stream(const std::string& file) {
  return file == "-" || file == "/dev/stdin" || file == "/dev/stdout";
}

Result<void> may_run(const Spoken& spoken) {
  const Row* row = find_row(spoken.command);
  if (row == nullptr || spoken.command.empty()) {
    return denied("`" + spoken.command + "` is not for this shell");
  }
  for (const Given& given : spoken.given) {
    if (auto may = may_give(given); !may) return may;
  }
  for (const Allowed& one : allowed_of(*row)) {
    auto is_it = [&](const Given& given) { return given.name == one.name; };
    if (one.mark != '!' || std::any_of(spoken.given.begin(), spoken.given.end(), is_it)) continue;
    return denied("`" + spoken.command + "` writes no files in this shell; - is standard output");
  }
  return {};
}

bool is_offered(const std::vector<std::string>& before, const std::string& word) {
  std::string command;
  for (const std::string& part : before) {
    const std::string longer = command.empty() ? part : command + " " + part;
    const bool leads_on = std::any_of(kRows.begin(), kRows.end(), [&](const Row& row) {
      return row.command == longer || row.command.starts_with(longer + " ");
    });
    if (leads_on) command = longer;
  }
  if (word == "--help") return true;
  if (!word.starts_with("--")) {
    if (!before.empty() && before.back().starts_with("-")) return true;  // a value
    const std::string longer = command.empty() ? word : command + " " + word;
    return std::any_of(kRows.begin(), kRows.end(), [&](const Row& row) {
      return row.command == longer || row.command.starts_with(longer + " ");
    });
  }
  const Row* row = find_row(command);
  const std::vector<Allowed> all = row == nullptr ? std::vector<Allowed>() : allowed_of(*row);
  return std::any_of(all.begin(), all.end(),
                     [&](const Allowed& one) { return one.name == word.substr(2); });
}

}  // namespace postern::cli
