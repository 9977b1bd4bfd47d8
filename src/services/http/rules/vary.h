// SPDX-License-Identifier: BSD-3-Clause
// The second key of a stored response: the fields of its request that its Vary names (RFC 9111
// section 4.1), normalised. Two requests match when their keys are the same octets.
//
// Normalised is what means the same: names in lower case, in order and once; several fields of one
// name joined; white space around commas dropped. Of Accept, Accept-Charset, Accept-Encoding and
// Accept-Language also the white space in members and their order, and, Accept aside, their case.
//
// Bounds: kVaryNamesMax names, kVaryKeyMax octets; more than that is not kept. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "services/http/message/fields.h"

namespace postern::http {

constexpr size_t kVaryNamesMax = 16;
constexpr size_t kVaryKeyMax = 4096;

// The names in Vary as they are kept with the response: "accept,user-agent"; empty: no Vary.
// Nothing: a "*" is among them, or there are too many; such a response is not kept.
std::optional<std::string> vary_names(const Fields& response);

// The key of a request by `names`; empty without names. Nothing: it would be too long.
std::optional<std::string> vary_key(std::string_view names, const Fields& request);

struct Variant {
  std::string_view names;  // of vary_names
  std::string_view key;    // of vary_key for the request that it answered
  int64_t date_s = 0;      // StoredFacts::date_s
};

// The one of several stored responses to take for `request`: the newest that matches (section 4).
// One without Vary counts only when it is not older than those with it. Nothing: a miss by Vary.
// Cost: one key for each different list of names.
std::optional<size_t> pick_variant(std::span<const Variant> variants, const Fields& request);

}  // namespace postern::http
