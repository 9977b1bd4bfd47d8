// SPDX-License-Identifier: BSD-3-Clause
// Whether a shared cache may keep a response (RFC 9111 section 3), and which of its fields (3.1).
// What the office set comes on top and never loosens no-store, private or Authorization.
//
// Thread: any. Bounds: none of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "services/http/message/fields.h"

namespace postern::http {

// A request and its response as the rules see them; views that the caller keeps.
struct RequestView {
  std::string_view method;
  std::string_view uri;  // the target, absolute and normalised: what the store has as its key
  const Fields* fields = nullptr;
};

struct ResponseView {
  unsigned status = 0;
  const Fields* fields = nullptr;
  // Octets of content when they are known: the Content-Length, or what came. -1: not yet.
  int64_t octets = -1;
  bool is_cut_short = false;  // the connection ended before the content did
};

// What the office set for one URL.
struct StoreRules {
  int64_t object_octets_max = 1 << 30;
  bool keeps_redirects = true;               // 300 to 308
  std::optional<int64_t> url_lifetime_s;     // of this URL where the server tells none
  int64_t default_lifetime_s = 0;            // where nobody tells one, not even Last-Modified
  int64_t heuristic_lifetime_max_s = 86400;  // bound of the tenth of the time since Last-Modified
  // The lifetimes of the server, its no-cache and must-revalidate do not count (against RFC 9111,
  // by the will of the office); url_lifetime_s and default_lifetime_s do. Responses that set
  // cookies are then kept only when they are public.
  bool ignores_server_lifetimes = false;
};

enum class StoreRefusal : uint8_t {
  none,           // may be kept
  method,         // neither GET nor a POST that says so (RFC 9110 section 9.3.3)
  status,         // interim, not understood, 304, or about one request only
  no_store,       // of the response (5.2.2.5)
  request,        // no-store of the request (5.2.1.5)
  is_private,     // 5.2.2.7
  authorization,  // 3.5
  vary,           // Vary: *, or more than is kept track of
  lifetime,       // nothing allows it (3, last item), or it could never be used again
  size,           // more than object_octets_max
  partial,        // a 206 without one known range, or one whose length is not what it says
  incomplete,     // cut short, and no range request could complete it (3.3)
  redirect,       // the office keeps none
  cookie,         // Set-Cookie where the server names no lifetime, or none that counts
};

// The word of the log: "no-store", ...
std::string_view to_text(StoreRefusal refusal);

// May the response be kept? A 206 and a 200 that was cut short are kept as incomplete responses.
// A POST that may be kept is kept for GET, after what it invalidates was invalidated.
StoreRefusal storable(const RequestView& request, const ResponseView& response,
                      const StoreRules& rules);

// Statuses whose responses may be kept without an explicit lifetime (RFC 9110 section 15.1).
bool is_heuristically_cacheable(unsigned status);

// The fields to keep of a response: not what ends at the next program (RFC 9110 section 7.6.1), nor
// what is between a client and a proxy (RFC 9111 section 3.1), nor what is withheld. Views of the
// same octets.
Fields kept_fields(const Fields& response);

}  // namespace postern::http
