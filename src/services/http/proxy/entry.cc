// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/entry.h"

#include <cstring>

#include "services/http/message/head.h"
#include "services/http/message/writer.h"

namespace postern::http {
namespace {

constexpr uint8_t kForm = 1;  // of the octets; another one is not read

enum Flag : uint8_t {
  kAlwaysValidate = 1,
  kValidateWhenStale = 2,
  kSharedByUsers = 4,
  kIsInvalidated = 8,
  kIsComplete = 16,
  kHasValidator = 32,
  kHasStrongValidator = 64,
};

// Of one machine: its own order of octets.
template <typename T>
void put(std::string& out, T value) {
  char octets[sizeof value];
  std::memcpy(octets, &value, sizeof value);
  out.append(octets, sizeof value);
}

class Reader {
 public:
  explicit Reader(std::string_view octets) : rest_(octets) {}

  template <typename T>
  T take() {
    T value = {};
    const std::string_view octets = take(sizeof value);
    if (octets.size() == sizeof value) std::memcpy(&value, octets.data(), sizeof value);
    return value;
  }
  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      count = 0;
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest() const { return rest_; }
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

uint8_t flags_of(const StoredFacts& facts) {
  return static_cast<uint8_t>(
      (facts.always_validate ? kAlwaysValidate : 0) |
      (facts.validate_when_stale ? kValidateWhenStale : 0) |
      (facts.shared_by_users ? kSharedByUsers : 0) | (facts.is_invalidated ? kIsInvalidated : 0) |
      (facts.is_complete ? kIsComplete : 0) | (facts.has_validator ? kHasValidator : 0) |
      (facts.has_strong_validator ? kHasStrongValidator : 0));
}

void set_flags(StoredFacts& facts, uint8_t flags) {
  facts.always_validate = (flags & kAlwaysValidate) != 0;
  facts.validate_when_stale = (flags & kValidateWhenStale) != 0;
  facts.shared_by_users = (flags & kSharedByUsers) != 0;
  facts.is_invalidated = (flags & kIsInvalidated) != 0;
  facts.is_complete = (flags & kIsComplete) != 0;
  facts.has_validator = (flags & kHasValidator) != 0;
  facts.has_strong_validator = (flags & kHasStrongValidator) != 0;
}

}  // namespace

std::string encode_entry(const Entry& entry) {
  std::string out;
  out.reserve(96 + entry.vary_names.size() + entry.field_lines.size());
  const StoredFacts& facts = entry.facts;
  put(out, kForm);
  put(out, static_cast<uint8_t>(entry.kind));
  put(out, facts.status);
  put(out, static_cast<uint8_t>(facts.lifetime));
  put(out, flags_of(facts));
  put(out, facts.response_s);
  put(out, facts.date_s);
  put(out, facts.initial_age_s);
  put(out, facts.lifetime_s);
  put(out, facts.stale_if_error_s);
  put(out, facts.stale_while_revalidate_s);
  put(out, entry.origin.number);
  put(out, static_cast<uint32_t>(entry.vary_names.size()));
  out += entry.vary_names;
  out += entry.field_lines;
  return out;
}

std::optional<Entry> parse_entry(std::string_view octets) {
  Reader reader(octets);
  Entry entry;
  StoredFacts& facts = entry.facts;
  if (reader.take<uint8_t>() != kForm) return std::nullopt;
  const auto kind = reader.take<uint8_t>();
  facts.status = reader.take<uint16_t>();
  const auto lifetime = reader.take<uint8_t>();
  set_flags(facts, reader.take<uint8_t>());
  facts.response_s = reader.take<int64_t>();
  facts.date_s = reader.take<int64_t>();
  facts.initial_age_s = reader.take<int64_t>();
  facts.lifetime_s = reader.take<int64_t>();
  facts.stale_if_error_s = reader.take<int64_t>();
  facts.stale_while_revalidate_s = reader.take<int64_t>();
  entry.origin = Ipv4Address(reader.take<uint32_t>());
  entry.vary_names = reader.take(size_t{reader.take<uint32_t>()});
  entry.field_lines = reader.rest();
  const bool is_known = kind == static_cast<uint8_t>(Entry::Kind::response) ||
                        kind == static_cast<uint8_t>(Entry::Kind::signpost);
  if (reader.failed() || !is_known || lifetime > static_cast<uint8_t>(Lifetime::by_default))
    return std::nullopt;
  entry.kind = static_cast<Entry::Kind>(kind);
  facts.lifetime = static_cast<Lifetime>(lifetime);
  return entry;
}

std::string encode_field_lines(const Fields& fields) {
  std::string out;
  HeadWriter writer(out);
  for (const Field& field : fields) {
    if (!same_word(field.name, "content-length") && !same_word(field.name, "age"))
      writer.field(field);
  }
  return out;
}

std::optional<Fields> parse_entry_fields(const Entry& entry) {
  Fields fields;
  const Refusal refusal = parse_field_lines(entry.field_lines, kFieldsMax, fields);
  if (refusal) return std::nullopt;
  return fields;
}

std::string variant_of(std::string_view names, std::string_view key) {
  std::string variant(names);
  variant += '\n';
  variant += key;
  return variant;
}

}  // namespace postern::http
