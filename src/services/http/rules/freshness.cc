// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/freshness.h"

#include <algorithm>

#include "services/http/message/date.h"
#include "services/http/rules/conditional.h"

namespace postern::http {
namespace {

std::optional<int64_t> date_of(const Fields& response, std::string_view name, int64_t now_s) {
  const std::optional<std::string_view> text = response.find(name);
  return text ? parse_date(*text, now_s) : std::nullopt;
}

// RFC9111-5.3: the earliest of several Expires; one that is no date has passed.
std::optional<int64_t> expires_of(const Fields& response, int64_t now_s) {
  std::optional<int64_t> earliest;
  for (const Field& field : response) {
    if (!same_word(field.name, "Expires")) continue;
    const std::optional<int64_t> one = parse_date(field.value, now_s);
    if (!one) return INT64_MIN / 2;
    earliest = std::min(earliest.value_or(*one), *one);
  }
  return earliest;
}

int64_t within_bounds(int64_t seconds) {
  return std::clamp<int64_t>(seconds, 0, kDeltaMax);
}

struct Told {
  Lifetime kind = Lifetime::none;
  int64_t seconds = 0;
};

// RFC9111-4.2.1, the first that there is.
Told explicit_lifetime(const Fields& response, const ResponseControl& control,
                       const StoredFacts& facts) {
  if (control.s_maxage) return {Lifetime::explicit_, *control.s_maxage};
  if (control.max_age) return {Lifetime::explicit_, *control.max_age};
  if (const std::optional<int64_t> expires = expires_of(response, facts.response_s))
    return {Lifetime::explicit_, within_bounds(*expires - facts.date_s)};
  return {};
}

// RFC9111-4.2.2: for what may be kept without an explicit lifetime only.
Told assigned_lifetime(const Fields& response, const StoredFacts& facts, const StoreRules& rules) {
  if (rules.url_lifetime_s) return {Lifetime::url, within_bounds(*rules.url_lifetime_s)};
  if (const std::optional<int64_t> modified = date_of(response, "Last-Modified", facts.response_s);
      modified && *modified <= facts.date_s) {
    const int64_t tenth = (facts.date_s - *modified) / 10;
    return {Lifetime::heuristic, within_bounds(std::min(tenth, rules.heuristic_lifetime_max_s))};
  }
  if (rules.default_lifetime_s > 0)
    return {Lifetime::by_default, within_bounds(rules.default_lifetime_s)};
  return {};
}

Told lifetime_of(const ResponseView& response, const ResponseControl& control,
                 const StoredFacts& facts, const StoreRules& rules) {
  const Told told = explicit_lifetime(*response.fields, control, facts);
  if (rules.ignores_server_lifetimes) {
    const Told ours = assigned_lifetime(*response.fields, facts, rules);
    return ours.kind == Lifetime::none ? told : ours;
  }
  if (told.kind != Lifetime::none) return told;
  if (!control.is_public && !is_heuristically_cacheable(response.status) && response.status != 206)
    return {};
  return assigned_lifetime(*response.fields, facts, rules);
}

void take_demands(const ResponseControl& control, bool ignores, StoredFacts& facts) {
  facts.stale_if_error_s = control.stale_if_error.value_or(-1);
  facts.stale_while_revalidate_s = control.stale_while_revalidate.value_or(-1);
  facts.shared_by_users =
      control.is_public || control.must_revalidate || control.s_maxage.has_value();
  if (ignores) return;
  facts.always_validate = control.no_cache;
  facts.validate_when_stale =
      control.must_revalidate || control.proxy_revalidate || control.s_maxage.has_value();
}

}  // namespace

std::optional<int64_t> read_age(const Fields& response) {
  const std::optional<std::string_view> first = ListWalk(response, "Age").next();
  return first ? parse_delta(*first) : std::nullopt;
}

StoredFacts facts_of(const ResponseView& response, Moments when, const StoreRules& rules) {
  const Fields& fields = *response.fields;
  const ResponseControl control = read_response_control(fields);
  StoredFacts facts;
  facts.status = static_cast<uint16_t>(response.status);
  facts.response_s = when.response_s;
  const std::optional<int64_t> date = date_of(fields, "Date", when.response_s);
  facts.date_s = date.value_or(when.response_s);
  // RFC9111-4.2.3: the greater of what the clocks and what the caches before us say.
  const int64_t apparent = std::max<int64_t>(0, when.response_s - facts.date_s);
  const int64_t delay = std::max<int64_t>(0, when.response_s - when.request_s);
  facts.initial_age_s = within_bounds(std::max(apparent, read_age(fields).value_or(0) + delay));
  take_demands(control, rules.ignores_server_lifetimes, facts);
  const Told lifetime = lifetime_of(response, control, facts, rules);
  facts.lifetime = lifetime.kind;
  facts.lifetime_s = lifetime.seconds;
  facts.is_complete = response.status != 206 && !response.is_cut_short;
  const Validators validators = validators_of(fields, when.response_s);
  facts.has_validator = validators.has_any();
  facts.has_strong_validator = validators.has_strong();
  return facts;
}

bool is_worth_keeping(const StoredFacts& facts) {
  if (facts.has_validator) return true;
  if (facts.always_validate) return false;
  return freshness_left(facts, facts.response_s) > 0 || facts.stale_while_revalidate_s > 0 ||
         facts.stale_if_error_s > 0;
}

bool shares_cookies(const ResponseView& response, const StoredFacts& facts) {
  if (!response.fields->has("Set-Cookie")) return true;
  if (facts.always_validate || facts.lifetime_s <= 0) return false;
  return facts.lifetime == Lifetime::explicit_ || read_response_control(*response.fields).is_public;
}

int64_t age_of(const StoredFacts& stored, int64_t now_s) {
  // A clock that was put back makes nothing younger than it came.
  return within_bounds(stored.initial_age_s + std::max<int64_t>(0, now_s - stored.response_s));
}

int64_t freshness_left(const StoredFacts& stored, int64_t now_s) {
  return stored.lifetime_s - age_of(stored, now_s);
}

Reuse reuse_of(const StoredFacts& stored, const RequestControl& request, int64_t now_s) {
  // RFC9111-5.2.1.4 and 5.2.2.4: not without the origin.
  if (stored.is_invalidated || stored.always_validate || request.no_cache)
    return Reuse::must_validate;
  // RFC9111-5.2.1.1: not older than the client takes it; max-age=0 asks for the origin's word even
  // within the first second.
  const int64_t age = age_of(stored, now_s);
  if (request.max_age && (*request.max_age == 0 || age > *request.max_age))
    return Reuse::must_validate;
  const int64_t left = stored.lifetime_s - age;
  if (left > 0 && left >= request.min_fresh.value_or(0)) return Reuse::fresh;
  // RFC9111-4.2.4: stale only where nobody forbids it and somebody allows it.
  if (stored.validate_when_stale || request.min_fresh) return Reuse::must_validate;
  if (request.max_stale && -left <= *request.max_stale) return Reuse::stale_allowed;
  // A client that says how old is too old is not given something stale.
  if (!request.max_age && stored.stale_while_revalidate_s >= 0 &&
      -left <= stored.stale_while_revalidate_s) {
    return Reuse::stale_while_revalidated;
  }
  return Reuse::must_validate;
}

}  // namespace postern::http
