// SPDX-License-Identifier: BSD-3-Clause
// Entry: what the store keeps of a response beside its body, as octets:
//
//   kind, facts, address of the origin, names of Vary, field lines
//
// The field lines stand as they are sent, so that a hit copies them and parses nothing. Of a URL
// whose responses vary, the entry of the variant "" is a signpost with the names alone.
//
// Octets that are not such an entry (an older form, another program) are none: parse() says so.
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "services/http/message/fields.h"
#include "services/http/rules/freshness.h"

namespace postern::http {

struct Entry {
  enum class Kind : uint8_t { response = 1, signpost = 2 };
  Kind kind = Kind::response;
  StoredFacts facts;
  Ipv4Address origin;            // of the server; unspecified: a trusted parent knows
  std::string_view vary_names;   // empty: it does not vary
  std::string_view field_lines;  // each with its CRLF; without Content-Length and Age
};

std::string encode_entry(const Entry& entry);
// Views into `octets`.
std::optional<Entry> parse_entry(std::string_view octets);

// The lines of `fields`, as an Entry has them.
std::string encode_field_lines(const Fields& fields);
// Nothing: they are no field lines.
std::optional<Fields> parse_entry_fields(const Entry& entry);

// The variant under which a response is stored that varies by `names`, for a request whose vary_key
// is `key`.
std::string variant_of(std::string_view names, std::string_view key);

}  // namespace postern::http
