// SPDX-License-Identifier: BSD-3-Clause
// Accounts out of LDIF (RFC 2849), as ldapsearch, slapcat and ldifde write it.
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "control/accounts/import.h"
#include "control/config/account_text.h"
#include "control/config/report.h"

namespace postern::accounts {
namespace {

constexpr uint32_t kAccountDisabled = 2;  // of userAccountControl, MS-ADTS 2.2.16
constexpr size_t kValuesMax = 100'000;    // of one entry; the members of a group

struct Attribute {
  std::string name;  // small letters, options left out
  std::string value;
};

struct LdifEntry {
  size_t line = 0;  // of its dn
  std::vector<Attribute> attributes;
  std::string fault;

  const std::string* find(std::string_view name) const {
    auto found = std::find_if(attributes.begin(), attributes.end(),
                              [&](const Attribute& a) { return a.name == name; });
    return found == attributes.end() ? nullptr : &found->value;
  }
  bool has(std::string_view name, std::string_view value) const {
    return std::any_of(attributes.begin(), attributes.end(), [&](const Attribute& a) {
      return a.name == name && config::folded_name(a.value) == value;
    });
  }
};

std::optional<std::string> decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                        text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

// "name: value", "name:: base64". Values by URL (":<") are not followed.
void take_attribute(std::string_view line, LdifEntry& entry) {
  size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    entry.fault = "has a line without an attribute";
    return;
  }
  Attribute attribute;
  attribute.name = config::folded_name(line.substr(0, std::min(colon, line.find(';'))));
  line.remove_prefix(colon + 1);
  const bool is_base64 = line.starts_with(':');
  if (is_base64 || line.starts_with('<')) line.remove_prefix(1);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  attribute.value = line;
  if (is_base64) {
    auto bytes = decoded(line);
    if (!bytes) entry.fault = "has a value that is no base64";
    attribute.value = bytes.value_or("");
  }
  if (entry.attributes.size() < kValuesMax) {
    entry.attributes.push_back(std::move(attribute));
  } else {
    entry.fault = "has too many values";
  }
}

// Lines that begin with a space go on where the one before ended.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool is_at_end() const { return rest_.empty(); }
  size_t line() const { return line_; }  // of what was read last

  std::string read() {
    line_ = next_;
    std::string whole(take());
    while (rest_.starts_with(' ')) {
      rest_.remove_prefix(1);
      whole += take();
    }
    return whole;
  }

 private:
  std::string_view take() {
    ++next_;
    return take_line(rest_);
  }

  std::string_view rest_;
  size_t line_ = 0;
  size_t next_ = 1;
};

std::vector<LdifEntry> read_entries(std::string_view text) {
  std::vector<LdifEntry> entries;
  Lines lines(text);
  bool is_open = false;
  while (!lines.is_at_end()) {
    std::string line = lines.read();
    if (line.starts_with('#')) continue;
    if (line.empty()) {
      is_open = false;
      continue;
    }
    if (!is_open && line.starts_with("version:")) continue;
    if (!is_open) {
      entries.emplace_back().line = lines.line();
      is_open = true;
    }
    take_attribute(line, entries.back());
  }
  return entries;
}

// The value of the first part of a distinguished name: "cn=Staff,dc=example" -> "Staff".
std::string first_of(std::string_view dn) {
  size_t equals = dn.find('=');
  if (equals == std::string_view::npos) return std::string(dn);
  std::string value;
  for (size_t i = equals + 1; i < dn.size() && dn[i] != ','; ++i) {
    if (dn[i] == '\\' && i + 1 < dn.size()) ++i;
    value += dn[i];
  }
  return value;
}

bool is_group(const LdifEntry& entry) {
  for (const char* kind : {"posixgroup", "groupofnames", "groupofuniquenames", "group"}) {
    if (entry.has("objectclass", kind)) return true;
  }
  return false;
}

const std::string* name_of(const LdifEntry& entry) {
  const std::string* uid = entry.find("uid");
  return uid != nullptr ? uid : entry.find("samaccountname");
}

// Members by name of the account and by distinguished name, small letters: their groups.
using Memberships = std::multimap<std::string, std::string>;

void take_group(const LdifEntry& entry, Memberships& memberships, Import& import) {
  const std::string* cn = entry.find("cn");
  std::string group = group_name_of(cn != nullptr ? *cn : std::string());
  if (group.empty()) return import.refuse(entry.line, "is a group without a usable cn");
  for (const Attribute& attribute : entry.attributes) {
    bool is_member = attribute.name == "memberuid" || attribute.name == "member" ||
                     attribute.name == "uniquemember";
    if (is_member) memberships.emplace(config::folded_name(attribute.value), group);
  }
}

void add_groups(const std::string& member, const Memberships& memberships, config::User& user) {
  auto [first, last] = memberships.equal_range(config::folded_name(member));
  for (auto group = first; group != last; ++group)
    user.groups.push_back(group->second);
}

void take_person(const LdifEntry& entry, const Memberships& memberships,
                 const config::PasswordPolicy& policy, Import& import) {
  ImportedUser found;
  found.line = entry.line;
  found.user.name = *name_of(entry);
  for (const char* source : {"displayname", "cn", "gecos"}) {
    const std::string* text = entry.find(source);
    if (text != nullptr && found.user.description.empty()) found.user.description = *text;
  }
  if (const std::string* password = entry.find("userpassword")) {
    take_hash(*password, found);
    bool is_clear = !found.user.password.empty() && found.user.password[0] != '{' &&
                    found.user.password[0] != '$';
    if (is_clear) found.password = std::exchange(found.user.password, {});
  }
  if (const std::string* control = entry.find("useraccountcontrol")) {
    uint32_t bits = 0;
    std::from_chars(control->data(), control->data() + control->size(), bits);
    if ((bits & kAccountDisabled) != 0) found.user.enabled = false;
  }
  for (const Attribute& attribute : entry.attributes) {
    if (attribute.name != "memberof") continue;
    std::string group = group_name_of(first_of(attribute.value));
    if (group.empty()) {
      return import.refuse(
          entry.line, "is in a group without a usable name: " + config::quote(attribute.value));
    }
    found.user.groups.push_back(std::move(group));
  }
  add_groups(found.user.name, memberships, found.user);
  if (const std::string* dn = entry.find("dn")) add_groups(*dn, memberships, found.user);
  add_imported(std::move(found), policy, import);
}

bool is_sound(const LdifEntry& entry, Import& import) {
  const std::string* change = entry.find("changetype");
  std::string fault = entry.fault;
  if (entry.find("dn") == nullptr) fault = "is an entry without dn";
  if (change != nullptr && *change != "add") fault = "is a change, not an entry";
  if (!fault.empty()) import.refuse(entry.line, fault);
  return fault.empty();
}

}  // namespace

void read_ldif(std::string_view text, const config::PasswordPolicy& policy, Import& import) {
  std::vector<LdifEntry> entries = read_entries(text);
  std::erase_if(entries, [&](const LdifEntry& entry) { return !is_sound(entry, import); });
  Memberships memberships;
  for (const LdifEntry& entry : entries) {
    if (is_group(entry)) take_group(entry, memberships, import);
  }
  for (const LdifEntry& entry : entries) {
    if (is_group(entry)) continue;
    if (name_of(entry) == nullptr || entry.has("objectclass", "computer")) {
      ++import.left_out;  // the tree above the people, and machines
    } else {
      take_person(entry, memberships, policy, import);
    }
  }
}

}  // namespace postern::accounts
