// SPDX-License-Identifier: BSD-3-Clause
// Fields: the header or trailer fields of an HTTP message (RFC 9110 section 5), as views into the
// octets that they were read from: nothing is copied, the octets belong to somebody else and must
// stay. Names are compared without regard to case; the order is that of the message.
//
// Bounds: kFieldsMax fields. Thread: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::http {

constexpr size_t kFieldsMax = 128;

struct Field {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

// Whether two are the same without regard to the case of ASCII letters.
bool same_word(std::string_view one, std::string_view other);

// `text` without spaces and tabs around it (OWS, RFC 9110 section 5.6.3).
std::string_view trimmed(std::string_view text);

class Fields {
 public:
  // False: there are kFieldsMax already.
  [[nodiscard]] bool add(std::string_view name, std::string_view value);
  void clear() { fields_.clear(); }

  // The first of that name, if any.
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  size_t count(std::string_view name) const;

  std::vector<Field>::const_iterator begin() const { return fields_.begin(); }
  std::vector<Field>::const_iterator end() const { return fields_.end(); }
  size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

// Walks the members of all fields of one name, as if they had been one field with commas between
// them (RFC 9110 section 5.6.1): commas in quoted strings do not part members, empty members are
// passed over.
class ListWalk {
 public:
  ListWalk(const Fields& fields, std::string_view name);
  explicit ListWalk(std::string_view value);

  // The next member, without white space around it; nothing at the end.
  std::optional<std::string_view> next();

 private:
  const Fields* fields_ = nullptr;
  std::string_view name_;
  size_t field_ = 0;  // the next one to look at
  std::string_view rest_;
};

}  // namespace postern::http
