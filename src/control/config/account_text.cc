// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/account_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "control/config/report.h"

namespace postern::config {
namespace {

constexpr std::array<std::string_view, 4> kRoles = {"none", "viewer", "operator", "admin"};
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kSshType = "ssh-ed25519";
constexpr std::string_view kShortType = "ed25519:";
// RFC 8709 section 4: the type as a string, then the key as a string.
constexpr std::string_view kSshHead{"\0\0\0\x0bssh-ed25519\0\0\0\x20", 19};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

// Strict: whole groups with padding, no bits beyond the last byte. Empty also for empty text.
std::string decode_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > 1024) return {};
  while (text.ends_with('=') && text.size() % 4 != 2)
    text.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  unsigned held = 0;
  for (char c : text) {
    size_t value = kBase64.find(c);
    if (value == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFF);
  }
  bool has_rest = (bits & ((1u << held) - 1)) != 0 || held == 6;
  return has_rest ? std::string() : out;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k)
      out += k <= count ? kBase64[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string_view bytes_of(const PublicKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
}

// Takes "m=65536" off the text: the number behind `name`, up to `end` which goes, too.
std::optional<uint32_t> take_number(std::string_view& text, std::string_view name, char end) {
  size_t stop = text.find(end);
  if (!text.starts_with(name) || stop == std::string_view::npos) return std::nullopt;
  std::string_view digits = text.substr(name.size(), stop - name.size());
  uint32_t number = 0;
  auto [last, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (wrong != std::errc() || last != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  text.remove_prefix(stop + 1);
  return number;
}

bool is_base64(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most &&
         text.find_first_not_of(kBase64) == std::string_view::npos;
}

CharacterClass class_of(char c) {
  if (is_small(c)) return CharacterClass::lower;
  if (is_capital(c)) return CharacterClass::upper;
  return is_digit(c) ? CharacterClass::digit : CharacterClass::special;
}

std::string_view class_text(CharacterClass wanted) {
  switch (wanted) {
    case CharacterClass::lower:
      return "a small letter";
    case CharacterClass::upper:
      return "a capital letter";
    case CharacterClass::digit:
      return "a digit";
    case CharacterClass::special:
      return "a special character";
  }
  return "";
}

std::string classes_text(const std::vector<CharacterClass>& classes) {
  std::string out;
  for (size_t i = 0; i < classes.size(); ++i) {
    if (i > 0) out += i + 1 == classes.size() ? " and " : ", ";
    out += class_text(classes[i]);
  }
  return out;
}

constexpr size_t kNoGroup = SIZE_MAX;

struct Levels {
  std::vector<size_t> above;  // levels above each group
  std::vector<size_t> by;     // the group that gave it this level
};

// The way up from a group that is too deep ends in a circle or not at all for a while.
GroupFault fault_of(std::span<const UserGroup> groups, const Levels& levels, size_t start) {
  std::vector<size_t> trail;
  size_t at = start;
  while (at != kNoGroup && std::find(trail.begin(), trail.end(), at) == trail.end()) {
    trail.push_back(at);
    at = levels.by[at];
  }
  auto first = at == kNoGroup ? trail.begin() : std::find(trail.begin(), trail.end(), at);
  std::string text;
  for (auto i = first; i != trail.end(); ++i)
    text += (i == first ? "" : " -> ") + groups[*i].name;
  if (at != kNoGroup) return {at, "contains itself: " + text + " -> " + groups[at].name};
  return {start, "is nested deeper than " + std::to_string(kGroupDepthMax) + ": " + text};
}

}  // namespace

bool is_account_name(std::string_view text) {
  return account_name_fault(text).empty();
}

std::string account_name_fault(std::string_view text) {
  if (text == "any" || text == "none") return quote(text) + " has a meaning of its own";
  auto is_first = [](char c) { return is_small(c) || is_digit(c) || c == '_'; };
  bool fits = !text.empty() && text.size() <= kAccountNameMax && is_first(text[0]) &&
              std::all_of(text.begin(), text.end(),
                          [&](char c) { return is_first(c) || c == '.' || c == '-'; });
  if (fits) return {};
  return quote(text) +
         " is not a name: small letters, digits, . _ and -, not first . or -, at most " +
         std::to_string(kAccountNameMax);
}

std::string folded_name(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (is_capital(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view to_word(Role role) {
  return kRoles[static_cast<size_t>(role)];
}

std::optional<Role> find_role(std::string_view word) {
  auto found = std::find(kRoles.begin(), kRoles.end(), word);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin());
}

Result<UserKey> parse_public_key(std::string_view text) {
  text = trimmed(text);
  if (text.find("PRIVATE KEY") != std::string_view::npos) {
    return Error{ErrorCode::invalid,
                 "is a private key; the public one is in the file ending in .pub"};
  }
  const Error fault{ErrorCode::invalid,
                    "is not an Ed25519 key: the line of a .pub file (ssh-ed25519 AAAA...) or "
                    "ed25519: and 32 bytes in base64"};
  const bool is_short = text.starts_with(kShortType);
  if (!is_short && !text.starts_with(std::string(kSshType) + " ")) return fault;
  text.remove_prefix(is_short ? kShortType.size() : kSshType.size() + 1);
  text = trimmed(text);
  const size_t end = std::min(text.find(' '), text.size());
  std::string bytes = decode_base64(text.substr(0, end));
  if (!is_short) {
    if (!bytes.starts_with(kSshHead)) return fault;
    bytes.erase(0, kSshHead.size());
  }
  UserKey key;
  if (bytes.size() != key.key.size()) return fault;
  std::copy(bytes.begin(), bytes.end(), key.key.begin());
  key.comment = trimmed(text.substr(end));
  if (key.comment.size() > kKeyCommentMax || has_control(key.comment)) {
    return Error{ErrorCode::invalid, "has a comment that is longer than " +
                                         std::to_string(kKeyCommentMax) +
                                         " bytes or has control characters"};
  }
  return key;
}

std::string to_text(const UserKey& key) {
  std::string out(kSshType);
  out += " " + encode_base64(std::string(kSshHead) + std::string(bytes_of(key.key)));
  return key.comment.empty() ? out : out + " " + key.comment;
}

std::string short_text(const PublicKey& key) {
  return std::string(kShortType) + encode_base64(bytes_of(key));
}

std::string password_hash_fault(std::string_view text) {
  constexpr std::string_view kHead = "$argon2id$v=19$";
  constexpr size_t kHashMax = 127;  // what libsodium reads
  std::string fault =
      "is not a hash of Argon2id ($argon2id$v=19$...); `postern passwd-hash` makes one";
  if (!text.starts_with(kHead) || text.size() > kHashMax) return fault;
  text.remove_prefix(kHead.size());
  // Between braces a comma ends a value of YAML.
  if (text.find_first_of(",$") == std::string_view::npos) {
    return "is the beginning of a hash; within { } it is put in quotes";
  }
  auto memory_kib = take_number(text, "m=", ',');
  auto passes = take_number(text, "t=", ',');
  auto lanes = take_number(text, "p=", '$');
  size_t salt = text.find('$');
  if (!memory_kib || !passes || !lanes || salt == std::string_view::npos) return fault;
  if (!is_base64(text.substr(0, salt), 11, 64) || !is_base64(text.substr(salt + 1), 22, 86)) {
    return fault;
  }
  if (*lanes != 1) return "has p=" + std::to_string(*lanes) + "; only p=1 is known here";
  if (*memory_kib < kHashMibMin * 1024 || *memory_kib > kHashMibMax * 1024) {
    return "has m=" + std::to_string(*memory_kib) + "; from " + std::to_string(kHashMibMin * 1024) +
           " to " + std::to_string(kHashMibMax * 1024) + " KiB are allowed";
  }
  if (*passes < 1 || *passes > kHashPassesMax) {
    return "has t=" + std::to_string(*passes) + "; from 1 to " + std::to_string(kHashPassesMax) +
           " are allowed";
  }
  return {};
}

std::string password_fault(const PasswordPolicy& policy, std::string_view account,
                           std::string_view password) {
  if (password.empty()) return "the password is empty";
  if (password.size() > kPasswordMax) {
    return "the password is longer than " + std::to_string(kPasswordMax) + " bytes";
  }
  if (password.find_first_of(std::string_view("\0\n\r", 3)) != std::string_view::npos) {
    return "the password has a line end or a NUL in it";
  }
  if (password.size() < policy.min_length) {
    return "the password is too short: " + to_text(policy) + " is asked for";
  }
  for (CharacterClass wanted : policy.classes) {
    bool has_one = std::any_of(password.begin(), password.end(),
                               [&](char c) { return class_of(c) == wanted; });
    if (!has_one) {
      return "the password has not " + std::string(class_text(wanted)) +
             " in it: " + to_text(policy) + " is asked for";
    }
  }
  if (folded_name(password).find(account) != std::string::npos && account.size() >= 3) {
    return "the password has the name of the account in it";
  }
  return {};
}

std::string to_text(const PasswordPolicy& policy) {
  std::string out = "at least " + std::to_string(policy.min_length) + " bytes";
  return policy.classes.empty() ? out : out + " with " + classes_text(policy.classes);
}

std::optional<GroupFault> find_group_fault(std::span<const UserGroup> groups) {
  std::unordered_map<std::string_view, size_t> index;
  for (size_t i = 0; i < groups.size(); ++i)
    index.emplace(groups[i].name, i);
  // Levels above each group, raised until nothing moves: a circle would raise them for ever.
  Levels levels{std::vector<size_t>(groups.size()), std::vector<size_t>(groups.size(), kNoGroup)};
  for (bool moves = true; moves;) {
    moves = false;
    for (size_t i = 0; i < groups.size(); ++i) {
      for (const std::string& name : groups[i].groups) {
        auto found = index.find(name);
        if (found == index.end() || levels.above[i] > levels.above[found->second]) continue;
        levels.above[i] = levels.above[found->second] + 1;
        levels.by[i] = found->second;
        moves = true;
      }
      if (levels.above[i] > kGroupDepthMax) return fault_of(groups, levels, i);
    }
  }
  return std::nullopt;
}

}  // namespace postern::config
