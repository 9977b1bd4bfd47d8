// SPDX-License-Identifier: BSD-3-Clause
// Validators (RFC 9110 section 8.8) and conditions (section 13): the condition that is sent to an
// origin to validate what is stored (RFC 9111 section 4.3.1), and what a client's own condition
// comes to when it is answered from the store (4.3.2).
//
// Bounds: kTagsMax entity tags of a list are looked at. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "services/http/message/fields.h"

namespace postern::http {

constexpr size_t kTagsMax = 64;

struct EntityTag {
  std::string_view opaque;  // with its quotes
  bool is_weak = false;
};

// Nothing for what is no entity tag (no quotes, a space in it, w/ in lower case, ...).
std::optional<EntityTag> parse_entity_tag(std::string_view text);

// RFC 9110 section 8.8.3.2.
bool match_strongly(const EntityTag& one, const EntityTag& other);
bool match_weakly(const EntityTag& one, const EntityTag& other);

// What a response can be recognised by. Views of its fields.
struct Validators {
  std::optional<EntityTag> tag;
  std::optional<int64_t> modified_s;  // Last-Modified
  std::string_view tag_text;          // as it came; empty: none
  std::string_view modified_text;     // as it came; empty: none, or no date
  bool modified_is_strong = false;    // RFC 9110 section 8.8.2.2: Date is a minute later or more

  bool has_any() const { return tag.has_value() || modified_s.has_value(); }
  bool has_strong() const { return (tag && !tag->is_weak) || modified_is_strong; }
};

// `now_s`: the present, by which years of two digits are understood.
Validators validators_of(const Fields& response, int64_t now_s);

// Whether the two are the same by a strong validator that both have, as combining needs (RFC 9111
// section 3.4).
bool same_strongly(const Validators& one, const Validators& other);

// Fields of a request to the origin, to take the place of the client's of the same names.
struct Condition {
  std::string if_none_match;      // empty: none is sent
  std::string if_modified_since;  // empty: none is sent
  bool has_tags_of_client = false;

  bool empty() const { return if_none_match.empty() && if_modified_since.empty(); }
};

// What to ask the origin with: the tags of all `stored` (the variants of one URL; the one to be
// validated first), the Last-Modified of the first, and the tags of the client's If-None-Match
// where ours are sent, too (RFC 9111 section 4.3.2). The client's If-Modified-Since is never sent
// beside ours. Leave out partial responses that the request is not all within. Empty: nothing to
// ask by.
Condition condition_for(std::span<const Validators> stored, const Fields& client_request);

// Whether a field of the client's request gives way when a Condition is sent.
bool is_replaced_by_condition(std::string_view name);

// Whether a GET or HEAD that a stored 200 or 206 could answer is answered with 304: by
// If-None-Match, weakly, and only without one by If-Modified-Since (RFC 9110 section 13.2.2).
// `date_s`, the Date of the stored response, stands in for a missing Last-Modified (RFC 9111
// section 4.3.2). If-Match and If-Unmodified-Since are never judged here: only an origin may
// (ibid.), so that such requests are forwarded. If-Range is in range.h.
bool is_not_modified(const Fields& request, const Validators& stored, int64_t date_s);

// Whether the field of a stored response belongs into a 304 made of it (RFC 9110 section 15.4.5).
bool is_sent_in_304(std::string_view name);

}  // namespace postern::http
