// SPDX-License-Identifier: BSD-3-Clause
// Cache-Control of requests and responses (RFC 9111 section 5.2), Pragma of requests (5.4) and the
// lifetimes of RFC 5861, as plain data.
//
// Whatever can be read in two ways is read in the way that reuses less: of a directive that comes
// twice the shortest lifetime counts (RFC 9111 section 4.2.1), a lifetime that is no number is
// zero, and no-cache with a list of fields that is empty is no-cache. Unknown directives are passed
// over (5.2.3), and so is what stands in a quoted value.
//
// Bounds: those of Fields; nothing is allocated. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "services/http/message/fields.h"

namespace postern::http {

// Seconds that count as "for ever" (RFC 9111 section 1.2.2): what is more becomes this.
constexpr int64_t kDeltaMax = 2147483648;

// A number of seconds: digits and nothing else; more than kDeltaMax is kDeltaMax.
std::optional<int64_t> parse_delta(std::string_view text);

struct RequestControl {
  std::optional<int64_t> max_age;
  std::optional<int64_t> min_fresh;
  std::optional<int64_t> max_stale;  // kDeltaMax: however stale
  std::optional<int64_t> stale_if_error;
  bool no_cache = false;  // or Pragma: no-cache where there is no Cache-Control
  bool no_store = false;
  bool no_transform = false;
  bool only_if_cached = false;
};

RequestControl read_request_control(const Fields& request);

struct ResponseControl {
  std::optional<int64_t> max_age;
  std::optional<int64_t> s_maxage;
  std::optional<int64_t> stale_if_error;
  std::optional<int64_t> stale_while_revalidate;
  bool no_cache = false;         // without a list of fields
  bool no_cache_fields = false;  // with one: see is_withheld()
  bool is_private = false;       // without a list of fields
  bool private_fields = false;   // with one: see is_withheld()
  bool no_store = false;
  bool no_transform = false;
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
};

ResponseControl read_response_control(const Fields& response);

// Whether `name` is in the list of no-cache="..." or private="...": such a field is not kept by a
// shared cache (RFC 9111 sections 3.1, 5.2.2.4 and 5.2.2.7).
bool is_withheld(const Fields& response, std::string_view name);

}  // namespace postern::http
