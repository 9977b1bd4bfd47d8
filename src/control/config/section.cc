// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/section.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace postern::config {
namespace {

// Sections that later versions bring; an early user should not look for a typing error.
constexpr std::string_view kLater[] = {"tests"};

// Keys of other programs, or of a section inside, that people look for here.
struct Sought {
  std::string_view section;
  std::string_view key;
  std::string_view text;
};
constexpr std::string_view kOfHosts = "it belongs to an item of relay.hosts";
constexpr std::string_view kInFiles = "passwords are in files: password_file";
constexpr Sought kSought[] = {
    {"services.mail", "imap", "mailboxes are read by POP3 alone"},
    {"services.mail", "quota", "there are no quotas"},
    {"services.mail.relay", "host", kOfHosts},
    {"services.mail.relay", "port", kOfHosts},
    {"services.mail.relay", "tls", kOfHosts},
    {"services.mail.relay", "user", kOfHosts},
    {"services.mail.relay", "password_file", kOfHosts},
    {"services.mail.relay", "password", kInFiles},
    {"services.mail.relay.hosts[]", "password", kInFiles},
    {"services.mail.fetch[]", "password", kInFiles},
    {"services.mail.fetch[]", "protocol", "mail is fetched by POP3 alone"},
};

// Where else `key` would be right, when that is one place only: the line is indented wrongly then.
void find_owners(const SectionSpec& section, std::string_view key,
                 std::vector<const SectionSpec*>& owners) {
  for (const KeySpec& spec : section.keys) {
    bool is_listed = std::find(owners.begin(), owners.end(), &section) != owners.end();
    if (spec.key == key && !is_listed) owners.push_back(&section);
    if (spec.section != nullptr) find_owners(*spec.section, key, owners);
  }
}

std::string place_hint(const SectionSpec& here, std::string_view key) {
  std::vector<const SectionSpec*> owners;
  find_owners(kFile, key, owners);
  if (owners.size() != 1 || owners[0] == &here) return {};
  if (owners[0]->path.empty()) return "; it is a key of the file itself, without indentation";
  return "; it is a key of " + std::string(owners[0]->path) + ": is its line indented wrongly?";
}

std::string unknown_key_text(const SectionSpec& spec, const Entry& entry) {
  std::string text = "unknown key " + quote(entry.key);
  if (spec.path.empty() &&
      std::find(std::begin(kLater), std::end(kLater), entry.key) != std::end(kLater)) {
    return quote(entry.key) + " is not part of this version; remove it";
  }
  if (size_t colon = entry.key.find(':');
      colon != std::string::npos && entry.value.kind == NodeKind::null &&
      find_key(spec, std::string_view(entry.key).substr(0, colon))) {
    return text + "; a space is missing after ':'";
  }
  for (const Sought& sought : kSought) {
    if (sought.section == spec.path && sought.key == entry.key)
      return text + "; " + std::string(sought.text);
  }
  std::vector<std::string_view> keys;
  for (const KeySpec& key : spec.keys)
    keys.push_back(key.key);
  if (nearest_word(entry.key, keys).empty()) {
    if (std::string place = place_hint(spec, entry.key); !place.empty()) return text + place;
  }
  return text + hint(entry.key, keys);
}

// How many entries of a list are read; one list cannot make the checks of all others slow.
size_t bounded_count(const Field& field) {
  auto max = static_cast<size_t>(field.spec.max);
  size_t count = field.node.entries.size();
  if (count <= max) return count;
  field.error("has more than " + std::to_string(max) + " entries");
  return max;
}

}  // namespace

bool expect_map(Report& report, const Node& node, const std::string& path) {
  if (node.kind == NodeKind::map) return true;
  if (node.kind == NodeKind::refused) return false;
  bool is_switch = node.kind == NodeKind::scalar && node.text == "true";
  report.error(node.mark, path,
               node.kind == NodeKind::null ? "is empty; remove the key or write {}"
               : is_switch ? "expected a map of keys and values; {} has the defaults"
                           : "expected a map of keys and values");
  return false;
}

std::vector<Field> list_of(const Field& field) {
  const Node& node = field.node;
  if (node.kind != NodeKind::list) return {field};
  if (node.entries.empty() && !field.spec.empty_list) {
    field.error("is an empty list, which would match nothing; remove the key instead");
  }
  size_t count = node.entries.size();
  if (field.spec.type == Type::interface_address) count = bounded_count(field);
  std::vector<Field> fields;
  fields.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    fields.push_back({node.entries[i].value, field.spec, join(field.path, i), field.report, i});
  }
  return fields;
}

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> out;
  while (!words.empty()) {
    size_t bar = std::min(words.find('|'), words.size());
    out.push_back(words.substr(0, bar));
    words.remove_prefix(std::min(bar + 1, words.size()));
  }
  return out;
}

Section::Section(Report& report, const Node& node, std::string path, const SectionSpec& spec)
    : report_(report), node_(node), path_(std::move(path)), spec_(spec) {
  POSTERN_ASSERT(spec.keys.size() <= 64);
  if (node.kind != NodeKind::map) return;
  for (const Entry& entry : node.entries) {
    if (find_key(spec, entry.key)) continue;
    report_.error(entry.mark, join(path_, entry.key), unknown_key_text(spec, entry));
  }
}

const KeySpec& Section::ask(std::string_view key) {
  const KeySpec* spec = find_key(spec_, key);
  POSTERN_ASSERT(spec != nullptr);
  asked_ |= uint64_t{1} << (spec - spec_.keys.data());
  return *spec;
}

std::optional<Field> Section::find(std::string_view key) {
  const KeySpec& spec = ask(key);
  const Node* node = find_entry(node_, key);
  if (!node) return std::nullopt;
  return Field{*node, spec, join(path_, key), report_};
}

std::vector<Field> Section::find_list(std::string_view key) {
  auto whole = find(key);
  return whole ? list_of(*whole) : std::vector<Field>();
}

std::vector<Field> Section::find_sections(std::string_view key) {
  std::vector<Field> fields;
  auto whole = find(key);
  if (!whole) return fields;
  const Node& node = whole->node;
  if (node.kind == NodeKind::refused) return fields;
  if (node.kind != NodeKind::list) {
    whole->error(node.kind == NodeKind::null ? "is empty; remove the key or write []"
                                             : "expected a list (lines that begin with -)");
    return fields;
  }
  size_t count = bounded_count(*whole);
  fields.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    std::string path = join(whole->path, i);
    if (!expect_map(report_, node.entries[i].value, path)) continue;
    fields.push_back({node.entries[i].value, whole->spec, std::move(path), report_, i});
  }
  return fields;
}

std::optional<Section> Section::section(std::string_view key) {
  auto field = find(key);
  if (!field || !expect_map(report_, field->node, field->path)) return std::nullopt;
  return Section(report_, field->node, field->path, *field->spec.section);
}

void Section::boolean(std::string_view key, bool& out) {
  if (auto field = find(key)) out = read_boolean(*field).value_or(out);
}

void Section::duration(std::string_view key, Duration& out) {
  if (auto field = find(key)) out = read_duration(*field).value_or(out);
}

void Section::size(std::string_view key, uint64_t& out) {
  if (auto field = find(key)) out = read_size(*field).value_or(out);
}

void Section::string(std::string_view key, std::string& out) {
  if (auto field = find(key)) out = read_string(*field).value_or(out);
}

void Section::strings(std::string_view key, std::vector<std::string>& out) {
  for (const Field& field : find_list(key)) {
    if (auto text = read_string(field)) out.push_back(std::move(*text));
  }
}

void Section::address(std::string_view key, Ipv4Address& out) {
  if (auto field = find(key)) out = read_address(*field).value_or(out);
}

void Section::finish() {
  for (size_t i = 0; i < spec_.keys.size(); ++i) {
    const KeySpec& key = spec_.keys[i];
    POSTERN_ASSERT((asked_ >> i & 1) != 0);
    if (key.required && !find_entry(node_, key.key)) {
      report_.error(node_.mark, path_, "required key '" + std::string(key.key) + "' is missing");
    }
  }
}

}  // namespace postern::config
