// SPDX-License-Identifier: BSD-3-Clause
// What to do with a request: the table of contents of the caching rules.
//
//   read_request()      once for each request                                    RFC 9111
//     -> decide()       with what the store has for its key          (4, 4.2.4, 5.2.1)
//          serve ............. plan_answer(): 200, 206, 304, 416          (4.3.2)
//          serve_and_refresh . the same, and validate in the background   (RFC 5861 section 3)
//          validate .......... condition_for() to the origin (4.3.1), then
//                                304: read_not_modified(), updated_fields()   (4.3.4)
//                                5xx or nobody there: may_serve_after_failure() (RFC 5861 section
//                                4)
//          fetch_missing ..... missing_octets() with If-Range             (3.3, 3.4)
//          forward ........... as it came; then storable(), facts_of(), is_worth_keeping()  (3)
//                              and invalidated_by()                       (4.4)
//          gateway_timeout ... 504                                        (5.2.1.7)
//
// decide() allocates nothing unless the stored response has only some of its octets. Thread: any.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "services/http/message/fields.h"
#include "services/http/rules/cache_control.h"
#include "services/http/rules/cache_status.h"
#include "services/http/rules/conditional.h"
#include "services/http/rules/freshness.h"
#include "services/http/rules/octets.h"
#include "services/http/rules/range.h"

namespace postern::http {

// What the office set for all requests.
struct ServeRules {
  bool always_validates = false;  // what is stored is sent only after the origin agreed
  bool is_offline = false;        // nothing is forwarded; what is stored is sent, stale or not
  // Stale for how long is still sent when the origin cannot be reached (RFC 9111 section 4.2.4) or
  // answers 500, 502, 503 or 504 and did not say stale-if-error itself; 0: not at all.
  int64_t stale_if_unreachable_s = 86400;
  int64_t stale_if_error_s = 0;
};

enum class MethodKind : uint8_t { get, head, other_safe, unsafe };

// What decide() needs of a request. `range` is a view of the request's fields.
struct RequestFacts {
  MethodKind method = MethodKind::get;
  RequestControl control;
  std::string_view range;  // of a GET; empty: none
  bool has_if_range = false;
  bool has_authorization = false;
  bool has_own_precondition = false;  // If-Match or If-Unmodified-Since: the origin's to judge
};

RequestFacts read_request(std::string_view method, const Fields& request);

// What the store has for the URI of the request.
struct Found {
  const StoredFacts* stored = nullptr;  // of the variant that matches; none
  bool has_variants = false;            // there are responses, none of which matches
  const OctetSet* held = nullptr;       // of an incomplete response: which octets
  int64_t length = -1;                  // of the whole object; -1: not known
};

enum class Course : uint8_t {
  serve,
  serve_and_refresh,
  validate,
  fetch_missing,
  forward,
  gateway_timeout,
};

struct Decision {
  Course course = Course::forward;
  Forwarded why = Forwarded::uri_miss;  // `no` when it is served
  int64_t age_s = 0;                    // the Age of what is served
  int64_t ttl_s = 0;                    // freshness_left() of what is stored
};

Decision decide(const RequestFacts& request, const Found& found, int64_t now_s,
                const ServeRules& rules);

// The origin was asked and did not answer (`status` 0) or failed (5xx): may what is stored be sent
// instead? Otherwise the client gets the failure, or a 504 where nobody answered.
bool may_serve_after_failure(const RequestFacts& request, const Found& found, unsigned status,
                             int64_t now_s, const ServeRules& rules);

// How the answer from a stored response begins.
struct StoredAnswer {
  unsigned status = 200;       // the stored one, or 206, 304, 416
  std::vector<Octets> ranges;  // of a 206: several make it multipart/byteranges
};

// The answer to a GET or HEAD from the stored response whose fields and whole length are given: by
// the client's condition first, then by its range (RFC 9110 section 13.2.2).
StoredAnswer plan_answer(std::string_view method, const Fields& request, const StoredFacts& facts,
                         const Fields& stored, int64_t length);

// The octets to ask the origin for, to answer the request from what is held and what comes;
// If-Range has the stored validator. Empty: ask for the whole.
std::vector<Octets> missing_octets(const RequestFacts& request, const Found& found);

}  // namespace postern::http
