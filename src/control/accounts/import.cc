// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/import.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "control/accounts/account_file.h"
#include "control/config/account_text.h"
#include "control/config/report.h"

namespace postern::accounts {
namespace {

constexpr uint32_t kPeopleFirst = 1000,
                   kPeopleLast = 65533;  // ids of people, as adduser gives them

std::vector<std::string_view> split(std::string_view line, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    size_t end = line.find(by);
    parts.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + 1);
  }
}

bool is_comment(std::string_view line) {
  return line.empty() || line[0] == '#';
}

// The name, the comma of the office and telephone number left out.
std::string real_name(std::string_view gecos) {
  return std::string(gecos.substr(0, gecos.find(',')));
}

std::map<std::string, std::string, std::less<>> read_shadow(std::string_view text) {
  std::map<std::string, std::string, std::less<>> hashes;
  while (!text.empty()) {
    auto parts = split(take_line(text), ':');
    if (parts.size() >= 2) hashes.emplace(parts[0], parts[1]);
  }
  return hashes;
}

void read_passwd(std::string_view text, std::string_view shadow,
                 const config::PasswordPolicy& policy, Import& import) {
  const auto hashes = read_shadow(shadow);
  for (size_t line = 1; !text.empty(); ++line) {
    std::string_view here = take_line(text);
    if (is_comment(here)) continue;
    auto parts = split(here, ':');
    uint32_t uid = 0;
    if (parts.size() != 7 ||
        std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), uid).ptr !=
            parts[2].data() + parts[2].size() ||
        parts[2].empty()) {
      import.refuse(line, "is no line of a passwd file: seven fields with : between");
      continue;
    }
    if (uid < kPeopleFirst || uid > kPeopleLast) {
      ++import.left_out;
      continue;
    }
    ImportedUser found;
    found.line = line;
    found.user.name = parts[0];
    found.user.description = real_name(parts[4]);
    auto hash = hashes.find(parts[0]);
    take_hash(hash == hashes.end() ? parts[1] : std::string_view(hash->second), found);
    add_imported(std::move(found), policy, import);
  }
}

void read_htpasswd(std::string_view text, const config::PasswordPolicy& policy, Import& import) {
  for (size_t line = 1; !text.empty(); ++line) {
    std::string_view here = take_line(text);
    if (is_comment(here)) continue;
    size_t colon = here.find(':');
    if (colon == std::string_view::npos) {
      import.refuse(line, "is no line of the form NAME:HASH");
      continue;
    }
    ImportedUser found;
    found.line = line;
    found.user.name = here.substr(0, colon);
    take_hash(here.substr(colon + 1), found);
    add_imported(std::move(found), policy, import);
  }
}

// Names twice, groups once, and no more accounts than there may be.
void settle(Import& import) {
  std::set<std::string> names;
  std::set<std::string> groups;
  std::vector<ImportedUser> kept;
  for (ImportedUser& found : import.users) {
    if (!names.insert(found.user.name).second) {
      import.refuse(found.line, found.user.name + " is there twice");
    } else if (kept.size() == config::kAccountsMax) {
      import.refuse(found.line,
                    "is beyond the limit of " + std::to_string(config::kAccountsMax) + " accounts");
    } else {
      groups.insert(found.user.groups.begin(), found.user.groups.end());
      kept.push_back(std::move(found));
    }
  }
  import.users = std::move(kept);
  import.groups.assign(groups.begin(), groups.end());
  std::stable_sort(import.bad.begin(), import.bad.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
}

}  // namespace

std::optional<ImportFormat> find_format(std::string_view word) {
  if (word == "passwd") return ImportFormat::passwd;
  if (word == "htpasswd") return ImportFormat::htpasswd;
  if (word == "csv") return ImportFormat::csv;
  if (word == "ldif") return ImportFormat::ldif;
  return std::nullopt;
}

void Import::refuse(size_t line, std::string text) {
  ++bad_count;
  if (bad.size() < kBadMax) bad.push_back({line, std::move(text)});
}

std::string_view take_line(std::string_view& text) {
  size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void take_hash(std::string_view value, ImportedUser& found) {
  constexpr std::string_view kClear = "{CLEARTEXT}";
  // An account that is locked has no password; whether it has keys is not told.
  if (value.empty() || value == "x" || value[0] == '!' || value[0] == '*') {
    found.user.enabled = value.empty() || value == "x";
  } else if (value.starts_with(kClear)) {
    found.password = value.substr(kClear.size());
  } else {
    found.user.password = value;
  }
}

void add_imported(ImportedUser found, const config::PasswordPolicy& policy, Import& import) {
  config::User& user = found.user;
  user.name = config::folded_name(user.name);
  std::sort(user.groups.begin(), user.groups.end());
  user.groups.erase(std::unique(user.groups.begin(), user.groups.end()), user.groups.end());
  std::string fault = fault_of(user);
  if (fault.empty() && !found.password.empty()) {
    fault = config::password_fault(policy, user.name, found.password);
    if (!fault.empty()) fault = user.name + ": " + fault;
  }
  if (!fault.empty()) return import.refuse(found.line, fault);
  import.users.push_back(std::move(found));
}

std::string group_name_of(std::string_view text) {
  std::string name = config::folded_name(text.substr(0, config::kAccountNameMax));
  for (char& c : name) {
    bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (!fits) c = '-';
  }
  name.erase(0, std::min(name.find_first_not_of(".-"), name.size()));
  return config::is_account_name(name) ? name : std::string();
}

Import read_import(ImportFormat format, std::string_view text, std::string_view shadow,
                   const config::PasswordPolicy& policy) {
  Import import;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // what some editors put in front
  switch (format) {
    case ImportFormat::passwd:
      read_passwd(text, shadow, policy, import);
      break;
    case ImportFormat::htpasswd:
      read_htpasswd(text, policy, import);
      break;
    case ImportFormat::csv:
      read_csv(text, policy, import);
      break;
    case ImportFormat::ldif:
      read_ldif(text, policy, import);
      break;
  }
  settle(import);
  return import;
}

}  // namespace postern::accounts
