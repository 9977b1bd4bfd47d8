// SPDX-License-Identifier: BSD-3-Clause
// Accounts out of comma separated values (RFC 4180); ; and tabs separate, too, where the first line
// has them.
#include <algorithm>
#include <array>

#include "control/accounts/import.h"
#include "control/config/account_text.h"
#include "control/config/report.h"

namespace postern::accounts {
namespace {

constexpr size_t kFieldsMax = 64;
constexpr std::array<std::string_view, 7> kColumns = {"name", "description", "password", "hash",
                                                      "role", "enabled",     "groups"};

struct Record {
  std::vector<std::string> fields;
  size_t line = 0;  // its first
  bool is_whole = true;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {
    std::string_view first = text.substr(0, text.find('\n'));
    for (char by : {';', '\t'}) {
      if (first.find(',') == std::string_view::npos && first.find(by) != std::string_view::npos) {
        separator_ = by;
      }
    }
  }
  bool is_at_end() const { return rest_.empty(); }

  Record read() {
    Record record;
    record.line = line_;
    do {
      std::string field;
      if (rest_.starts_with('"')) record.is_whole &= read_quoted(field);
      read_plain(field);
      if (record.fields.size() < kFieldsMax) {
        record.fields.push_back(std::move(field));
      } else {
        record.is_whole = false;
      }
    } while (take(separator_));
    take('\r');
    if (take('\n')) ++line_;
    return record;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // From quote to quote; two of them stand for one.
  bool read_quoted(std::string& field) {
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      if (take('"') && !rest_.starts_with('"')) return true;
      if (rest_.empty()) return false;
      if (rest_[0] == '\n') ++line_;
      field += rest_[0];
      rest_.remove_prefix(1);
    }
    return false;
  }

  void read_plain(std::string& field) {
    const std::array<char, 3> ends = {separator_, '\n', '\r'};
    size_t end =
        std::min(rest_.find_first_of(std::string_view(ends.data(), ends.size())), rest_.size());
    // A lone carriage return belongs to the field, or nothing would take it.
    while (end < rest_.size() && rest_[end] == '\r' && !rest_.substr(end).starts_with("\r\n")) {
      end = std::min(rest_.find_first_of(std::string_view(ends.data(), ends.size()), end + 1),
                     rest_.size());
    }
    field += rest_.substr(0, end);
    rest_.remove_prefix(end);
  }

  std::string_view rest_;
  char separator_ = ',';
  size_t line_ = 1;
};

// Which column each field is in; empty when one is not known.
std::vector<size_t> columns_of(const Record& head, Import& import) {
  std::vector<size_t> columns;
  for (const std::string& field : head.fields) {
    auto known = std::find(kColumns.begin(), kColumns.end(), config::folded_name(field));
    auto column = static_cast<size_t>(known - kColumns.begin());
    if (known == kColumns.end() ||
        std::find(columns.begin(), columns.end(), column) != columns.end()) {
      import.refuse(head.line, "unknown column " + config::quote(field) +
                                   ", or one twice; the first line names them: name, description, "
                                   "password, hash, role, enabled, groups");
      return {};
    }
    columns.push_back(column);
  }
  if (std::find(columns.begin(), columns.end(), 0u) == columns.end()) {
    import.refuse(head.line, "no column is called name");
    return {};
  }
  return columns;
}

void take_groups(std::string_view text, config::User& user) {
  while (!text.empty()) {
    size_t end = std::min(text.find_first_of("; ,"), text.size());
    if (end > 0) user.groups.push_back(config::folded_name(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// What is wrong with the value; empty: nothing.
std::string take_value(std::string_view column, const std::string& value, ImportedUser& found) {
  config::User& user = found.user;
  if (column == "name") {
    user.name = value;
  } else if (column == "description") {
    user.description = value;
  } else if (column == "password") {
    found.password = value;
  } else if (column == "hash") {
    user.password = value;
  } else if (column == "groups") {
    take_groups(value, user);
  } else if (column == "enabled" && !value.empty()) {
    std::string word = config::folded_name(value);
    user.enabled = word == "true" || word == "yes" || word == "1";
    if (!user.enabled && word != "false" && word != "no" && word != "0") {
      return "enabled is true or false, not " + config::quote(value);
    }
  } else if (column == "role" && !value.empty()) {
    auto role = config::find_role(config::folded_name(value));
    if (!role) return config::quote(value) + " is no role: none, viewer, operator, admin";
    user.role = *role;
  }
  return {};
}

}  // namespace

void read_csv(std::string_view text, const config::PasswordPolicy& policy, Import& import) {
  Reader reader(text);
  if (reader.is_at_end()) return;
  const std::vector<size_t> columns = columns_of(reader.read(), import);
  while (!columns.empty() && !reader.is_at_end()) {
    Record record = reader.read();
    if (record.fields.size() == 1 && record.fields[0].empty()) continue;
    std::string fault;
    if (!record.is_whole || record.fields.size() != columns.size()) {
      fault = "has " + std::to_string(record.fields.size()) + " fields, not " +
              std::to_string(columns.size()) + ", or an open quote";
    }
    ImportedUser found;
    found.line = record.line;
    for (size_t i = 0; i < record.fields.size() && fault.empty(); ++i)
      fault = take_value(kColumns[columns[i]], record.fields[i], found);
    if (fault.empty() && !found.password.empty() && !found.user.password.empty()) {
      fault = "has a password and a hash";
    }
    if (!fault.empty()) {
      import.refuse(record.line, std::move(fault));
    } else {
      add_imported(std::move(found), policy, import);
    }
  }
}

}  // namespace postern::accounts
