// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/vary.h"

#include <algorithm>
#include <vector>

namespace postern::http {
namespace {

// How the value of a field may be changed without changing what it means (RFC 9110 section 12.5).
enum class Kind : uint8_t {
  other,   // a list at most: only the white space around commas
  ranges,  // Accept: order and white space
  words,   // Accept-Charset, Accept-Encoding, Accept-Language: case as well
};

Kind kind_of(std::string_view name) {
  if (name == "accept") return Kind::ranges;
  const bool is_words =
      name == "accept-charset" || name == "accept-encoding" || name == "accept-language";
  return is_words ? Kind::words : Kind::other;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return lower;
}

// Without white space; what is quoted stays.
std::string without_space(std::string_view member) {
  std::string dense;
  dense.reserve(member.size());
  bool quoted = false;
  for (size_t at = 0; at < member.size(); ++at) {
    const char octet = member[at];
    if (quoted && octet == '\\' && at + 1 < member.size()) dense += member[at++];
    if (octet == '"') quoted = !quoted;
    if (quoted || (octet != ' ' && octet != '\t')) dense += member[at];
  }
  return dense;
}

std::string normalised(std::string_view member, Kind kind) {
  if (kind == Kind::other) return std::string(member);
  const std::string dense = without_space(member);
  return kind == Kind::words ? lower_case(dense) : dense;
}

// The members of all fields of that name, normalised; joined with commas, as ListWalk parts them.
void append_value(std::string_view name, const Fields& request, std::string& key) {
  const Kind kind = kind_of(name);
  std::vector<std::string> members;
  ListWalk walk(request, name);
  while (const std::optional<std::string_view> member = walk.next())
    members.push_back(normalised(*member, kind));
  if (kind != Kind::other) std::sort(members.begin(), members.end());
  for (size_t at = 0; at < members.size(); ++at)
    key.append(at == 0 ? "" : ",").append(members[at]);
}

}  // namespace

std::optional<std::string> vary_names(const Fields& response) {
  std::vector<std::string> names;
  ListWalk walk(response, "Vary");
  while (const std::optional<std::string_view> member = walk.next()) {
    // RFC9111-4.1: "*" never matches, wherever it stands.
    if (*member == "*" || names.size() == kVaryNamesMax) return std::nullopt;
    std::string name = lower_case(*member);
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  std::string joined;
  for (const std::string& name : names)
    joined.append(joined.empty() ? "" : ",").append(name);
  if (joined.size() > kVaryKeyMax) return std::nullopt;
  return joined;
}

// "name:value" a line for a field that is there, "name" for one that is not: an empty field is not
// the same as none.
std::optional<std::string> vary_key(std::string_view names, const Fields& request) {
  std::string key;
  ListWalk walk(names);
  while (const std::optional<std::string_view> name = walk.next()) {
    key += *name;
    if (request.has(*name)) {
      key += ':';
      append_value(*name, request, key);
    }
    key += '\n';
    if (key.size() > kVaryKeyMax) return std::nullopt;
  }
  return key;
}

std::optional<size_t> pick_variant(std::span<const Variant> variants, const Fields& request) {
  std::optional<size_t> newest;
  int64_t newest_with_vary_s = INT64_MIN;
  std::string_view names;  // those that `key` is of
  std::optional<std::string> key = std::string();
  for (size_t at = 0; at < variants.size(); ++at) {
    const Variant& variant = variants[at];
    if (!variant.names.empty()) newest_with_vary_s = std::max(newest_with_vary_s, variant.date_s);
    if (variant.names != names) {
      names = variant.names;
      key = vary_key(names, request);
    }
    if (!key || variant.key != *key) continue;
    if (!newest || variant.date_s > variants[*newest].date_s) newest = at;
  }
  // RFC9111-4.1: a response that leaves Vary out is not for everybody when a newer one has it.
  const bool is_default = newest && variants[*newest].names.empty();
  if (is_default && variants[*newest].date_s < newest_with_vary_s) return std::nullopt;
  return newest;
}

}  // namespace postern::http
