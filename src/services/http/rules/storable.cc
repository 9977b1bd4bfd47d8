// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/storable.h"

#include <algorithm>
#include <array>

#include "services/http/message/hop.h"
#include "services/http/rules/cache_control.h"
#include "services/http/rules/conditional.h"
#include "services/http/rules/invalidation.h"
#include "services/http/rules/range.h"
#include "services/http/rules/vary.h"

namespace postern::http {
namespace {

// RFC 9110 section 15.1, without 206: a part is kept by rules of its own.
constexpr std::array<unsigned, 11> kHeuristic = {200, 203, 204, 300, 301, 308,
                                                 404, 405, 410, 414, 501};
// Statuses beside those whose rules for caches are kept here (RFC 9111 section 5.2.2.3).
constexpr std::array<unsigned, 11> kUnderstood = {206, 302, 303, 307, 400, 403,
                                                  500, 502, 503, 504, 421};

// About what is in one request and in no key: its conditions, body, fields or Range. Others with
// the same key would get something else (RFC 9110 section 15.5, RFC 6585).
constexpr std::array<unsigned, 7> kAboutRequest = {412, 413, 415, 416, 417, 428, 431};

bool is_about_request(unsigned status) {
  return std::find(kAboutRequest.begin(), kAboutRequest.end(), status) != kAboutRequest.end();
}

bool is_understood(unsigned status) {
  return is_heuristically_cacheable(status) ||
         std::find(kUnderstood.begin(), kUnderstood.end(), status) != kUnderstood.end();
}

bool has_explicit_lifetime(const ResponseControl& control, const Fields& response) {
  return control.s_maxage || control.max_age || response.has("Expires");
}

// RFC 9110 section 9.3.3: the answer to a POST can serve a GET when it says how long it lasts, and
// that it is what a GET of the same target would give.
bool is_post_for_get(const RequestView& request, const ResponseView& response) {
  if (!has_explicit_lifetime(read_response_control(*response.fields), *response.fields))
    return false;
  const std::optional<std::string_view> location = response.fields->find("Content-Location");
  if (!location || response.status != 200 || response.fields->count("Content-Location") != 1)
    return false;
  return resolve_reference(request.uri, *location) == request.uri;
}

StoreRefusal refusal_of_request(const RequestView& request, const ResponseView& response,
                                const ResponseControl& control) {
  const bool is_get = request.method == "GET";
  if (!is_get && !(request.method == "POST" && is_post_for_get(request, response)))
    return StoreRefusal::method;
  if (read_request_control(*request.fields).no_store) return StoreRefusal::request;
  // RFC9111-3.5: only what says that it is for all users.
  const bool is_shared = control.is_public || control.must_revalidate || control.s_maxage;
  if (request.fields->has("Authorization") && !is_shared) return StoreRefusal::authorization;
  return StoreRefusal::none;
}

StoreRefusal refusal_of_status(unsigned status, const ResponseControl& control,
                               const StoreRules& rules) {
  if (status < 200 || status > 599 || status == 304) return StoreRefusal::status;
  if (control.must_understand && !is_understood(status)) return StoreRefusal::status;
  if (is_about_request(status)) return StoreRefusal::status;
  if (status >= 300 && status <= 308 && !rules.keeps_redirects) return StoreRefusal::redirect;
  return StoreRefusal::none;
}

// RFC9111-5.2.2.3: who understands the status need not obey the no-store beside must-understand.
bool has_no_store(const ResponseControl& control, unsigned status) {
  return control.no_store && !(control.must_understand && is_understood(status));
}

// RFC9111-3.3: parts are kept when it is certain which octets they are.
StoreRefusal refusal_of_part(const ResponseView& response) {
  const std::optional<std::string_view> text = response.fields->find("Content-Range");
  if (!text || response.fields->count("Content-Range") != 1) return StoreRefusal::partial;
  const std::optional<ContentRange> range = parse_content_range(*text);
  if (!range || !range->total) return StoreRefusal::partial;
  if (response.octets < 0) return StoreRefusal::none;
  const int64_t said = range->octets.size();
  const bool fits = response.is_cut_short ? response.octets <= said : response.octets == said;
  return fits ? StoreRefusal::none : StoreRefusal::partial;
}

StoreRefusal refusal_of_content(const RequestView& request, const ResponseView& response,
                                const StoreRules& rules) {
  if (response.octets > rules.object_octets_max) return StoreRefusal::size;
  if (response.status == 206)
    return request.method == "GET" ? refusal_of_part(response) : StoreRefusal::partial;
  if (!response.is_cut_short) return StoreRefusal::none;
  // A rest can be asked for by what tells that it is the rest of the same.
  const std::optional<std::string_view> ranges = response.fields->find("Accept-Ranges");
  const bool can_be_completed = request.method == "GET" && response.status == 200 &&
                                validators_of(*response.fields, 0).has_strong() &&
                                response.fields->has("Content-Length") &&
                                !(ranges && same_word(*ranges, "none"));
  return can_be_completed ? StoreRefusal::none : StoreRefusal::incomplete;
}

// RFC9111-3, the last item: something must allow it.
bool is_allowed(const ResponseView& response, const ResponseControl& control) {
  return control.is_public || has_explicit_lifetime(control, *response.fields) ||
         is_heuristically_cacheable(response.status) || response.status == 206;
}

}  // namespace

bool is_heuristically_cacheable(unsigned status) {
  return std::find(kHeuristic.begin(), kHeuristic.end(), status) != kHeuristic.end();
}

StoreRefusal storable(const RequestView& request, const ResponseView& response,
                      const StoreRules& rules) {
  const ResponseControl control = read_response_control(*response.fields);
  if (has_no_store(control, response.status)) return StoreRefusal::no_store;
  if (control.is_private) return StoreRefusal::is_private;
  StoreRefusal refusal = refusal_of_status(response.status, control, rules);
  if (refusal != StoreRefusal::none) return refusal;
  refusal = refusal_of_request(request, response, control);
  if (refusal != StoreRefusal::none) return refusal;
  const std::optional<std::string> names = vary_names(*response.fields);
  if (!names || !vary_key(*names, *request.fields)) return StoreRefusal::vary;
  refusal = refusal_of_content(request, response, rules);
  if (refusal != StoreRefusal::none) return refusal;
  if (!is_allowed(response, control)) return StoreRefusal::lifetime;
  if (rules.ignores_server_lifetimes && response.fields->has("Set-Cookie") && !control.is_public)
    return StoreRefusal::cookie;
  return StoreRefusal::none;
}

std::string_view to_text(StoreRefusal refusal) {
  switch (refusal) {
    case StoreRefusal::none:
      return "stored";
    case StoreRefusal::method:
      return "method";
    case StoreRefusal::status:
      return "status";
    case StoreRefusal::no_store:
      return "no-store";
    case StoreRefusal::request:
      return "request-no-store";
    case StoreRefusal::is_private:
      return "private";
    case StoreRefusal::authorization:
      return "authorization";
    case StoreRefusal::vary:
      return "vary";
    case StoreRefusal::lifetime:
      return "lifetime";
    case StoreRefusal::size:
      return "size";
    case StoreRefusal::partial:
      return "partial";
    case StoreRefusal::incomplete:
      return "incomplete";
    case StoreRefusal::redirect:
      return "redirect";
    case StoreRefusal::cookie:
      break;
  }
  return "cookie";
}

Fields kept_fields(const Fields& response) {
  const Connection connection(response);
  const ResponseControl control = read_response_control(response);
  const bool withholds = control.no_cache_fields || control.private_fields;
  Fields kept;
  for (const Field& field : response) {
    if (!connection.passes(field.name)) continue;
    if (withholds && is_withheld(response, field.name)) continue;
    if (!kept.add(field.name, field.value)) break;  // never: there are no more than in `response`
  }
  return kept;
}

}  // namespace postern::http
