// SPDX-License-Identifier: BSD-3-Clause
// How old a stored response is and how long it may be used (RFC 9111 section 4.2, RFC 5861).
//
//   age:      what the servers before us say (Age), or what Date says, the greater one; it grows
//             from the moment the response came                                       (4.2.3)
//   lifetime: s-maxage, else max-age, else Expires - Date, else that of the office for this URL,
//             else a tenth of Date - Last-Modified, else the default of the office     (4.2.1)
//
// A StoredFacts is made once, when a response is kept or freshened, and again when the store is
// read at start: a look at a stored response costs no parsing. Time: whole seconds since the epoch.
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>

#include "services/http/message/fields.h"
#include "services/http/rules/cache_control.h"
#include "services/http/rules/storable.h"

namespace postern::http {

enum class Lifetime : uint8_t { none, explicit_, url, heuristic, by_default };

struct StoredFacts {
  int64_t response_s = 0;         // when it came, or was last validated
  int64_t date_s = 0;             // its Date; response_s where it has none: the newest wins by this
  int64_t initial_age_s = 0;      // corrected_initial_age at response_s
  int64_t lifetime_s = 0;         // at most kDeltaMax
  int64_t stale_if_error_s = -1;  // -1: the server says nothing
  int64_t stale_while_revalidate_s = -1;  // -1: the server says nothing
  uint16_t status = 0;
  Lifetime lifetime = Lifetime::none;
  bool always_validate = false;      // no-cache
  bool validate_when_stale = false;  // must-revalidate, proxy-revalidate or s-maxage
  bool shared_by_users = false;      // may answer requests with Authorization (3.5)
  bool is_invalidated = false;       // 4.4; set by the store
  bool is_complete = true;           // false: 206, or cut short
  bool has_validator = false;        // ETag or Last-Modified that can be used
  bool has_strong_validator = false;

  friend bool operator==(const StoredFacts&, const StoredFacts&) = default;
};

// When the request went out and when the response came.
struct Moments {
  int64_t request_s = 0;
  int64_t response_s = 0;
};

StoredFacts facts_of(const ResponseView& response, Moments when, const StoreRules& rules);

// Whether there is any use in keeping it: it is fresh for a while, can be validated, or may be sent
// though stale. Nothing else is kept (RFC 9111 section 3, last note).
bool is_worth_keeping(const StoredFacts& facts);

// Whether the cookies that it sets, if any, may be sent to all who are served it later. That it may
// be kept says little of them where only we, and not its server, say for how long it is the same
// for all, or where the server is asked at each use.
bool shares_cookies(const ResponseView& response, const StoredFacts& facts);

// Seconds since it was made or validated at its origin (current_age); not negative.
int64_t age_of(const StoredFacts& stored, int64_t now_s);

// Seconds that it stays fresh; negative: it has been stale for so long.
int64_t freshness_left(const StoredFacts& stored, int64_t now_s);

// What the first Age field says; nothing for one that is no number (5.1).
std::optional<int64_t> read_age(const Fields& response);

enum class Reuse : uint8_t {
  fresh,
  stale_allowed,            // the client takes it so (max-stale)
  stale_while_revalidated,  // may be sent, and is to be validated beside that (RFC 5861 section 3)
  must_validate,
};

// How the stored response may be used for a request with these directives.
Reuse reuse_of(const StoredFacts& stored, const RequestControl& request, int64_t now_s);

}  // namespace postern::http
