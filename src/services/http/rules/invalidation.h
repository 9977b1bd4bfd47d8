// SPDX-License-Identifier: BSD-3-Clause
// Which stored responses the answer to an unsafe request makes invalid (RFC 9111 section 4.4):
// those of its target, and those of Location and Content-Location where they are of the same
// origin.
//
// Bounds: three URIs, kUriMax octets each. Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/http/message/fields.h"
#include "services/http/rules/storable.h"

namespace postern::http {

constexpr size_t kUriMax = 8192;

// GET, HEAD, OPTIONS, TRACE (RFC 9110 section 9.2.1); what is unknown is unsafe.
bool is_safe(std::string_view method);

// Absolute URIs, the target first, to be normalised as every key is. Empty: nothing to do (a safe
// method, or a status that is neither 2xx nor 3xx).
std::vector<std::string> invalidated_by(const RequestView& request, const ResponseView& response);

// `reference` as seen from `base`, absolute (RFC 3986 section 5.2), without a fragment. Nothing: it
// is longer than kUriMax, or `base` is no absolute URI with an authority.
std::optional<std::string> resolve_reference(std::string_view base, std::string_view reference);

// Scheme, host and port are the same (RFC 9110 section 4.3.1), the port that goes without saying
// included.
bool same_origin(std::string_view one, std::string_view other);

}  // namespace postern::http
