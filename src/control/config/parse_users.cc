// SPDX-License-Identifier: BSD-3-Clause
// users: accounts, groups, and what is asked of passwords.
#include "control/config/account_text.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_account(Section& section, User& user) {
  section.string("description", user.description);
  section.boolean("enabled", user.enabled);
  section.string("password", user.password);
  for (const Field& field : section.find_list("keys")) {
    auto text = read_string(field);
    auto key = text ? parse_public_key(*text) : Result<UserKey>(Error{});
    if (key) user.keys.push_back(std::move(*key));
  }
  section.word("role", user.role);
  section.strings("groups", user.groups);
  section.finish();
}

void parse_group(Section& section, UserGroup& group) {
  section.string("description", group.description);
  section.strings("groups", group.groups);
  section.finish();
}

// The sections of a map from names; `parse` reads one of them.
template <typename Item>
void parse_named(Section& section, std::string_view key, void (*parse)(Section&, Item&),
                 std::vector<Item>& items) {
  auto field = section.find(key);
  if (!field || !expect_map(field->report, field->node, field->path)) return;
  for (const Entry& entry : field->node.entries) {
    if (items.size() == static_cast<size_t>(field->spec.max)) {
      return field->report.error(entry.mark, field->path,
                                 "has more than " + std::to_string(field->spec.max) + " entries");
    }
    std::string path = join(field->path, entry.key);
    if (std::string fault = account_name_fault(entry.key); !fault.empty()) {
      field->report.error(entry.mark, path, std::move(fault));
    }
    Item& item = items.emplace_back();
    item.name = entry.key;
    item.mark = entry.mark;
    if (!expect_map(field->report, entry.value, path)) continue;
    Section inner(field->report, entry.value, path, *field->spec.section);
    parse(inner, item);
  }
}

void parse_password(Section& section, PasswordPolicy& policy) {
  section.number("min_length", policy.min_length);
  if (section.has("classes")) policy.classes.clear();
  for (const Field& field : section.find_list("classes")) {
    if (auto word = read_word(field)) policy.classes.push_back(static_cast<CharacterClass>(*word));
  }
  section.number("hash_mib", policy.hash_mib);
  section.number("hash_passes", policy.hash_passes);
  section.finish();
}

void parse_lockout(Section& section, Lockout& lockout) {
  section.number("free_attempts", lockout.free_attempts);
  section.duration("delay", lockout.delay);
  section.number("attempts", lockout.attempts);
  section.number("address_attempts", lockout.address_attempts);
  section.duration("block", lockout.block);
  section.duration("forget", lockout.forget);
  section.strings("exempt", lockout.exempt);
  section.finish();
}

}  // namespace

void parse_users(Section& section, Users& users) {
  section.boolean("account_file", users.account_file);
  if (auto password = section.section("password")) parse_password(*password, users.password);
  if (auto lockout = section.section("lockout")) parse_lockout(*lockout, users.lockout);
  parse_named<User>(section, "accounts", parse_account, users.accounts);
  parse_named<UserGroup>(section, "groups", parse_group, users.groups);
  section.finish();
}

}  // namespace postern::config
