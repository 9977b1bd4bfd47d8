// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/decide.h"

#include <algorithm>

namespace postern::http {
namespace {

MethodKind kind_of(std::string_view method) {
  if (method == "GET") return MethodKind::get;
  if (method == "HEAD") return MethodKind::head;
  return method == "OPTIONS" || method == "TRACE" ? MethodKind::other_safe : MethodKind::unsafe;
}

// Whether all octets that the request asks for are there.
bool is_held(const RequestFacts& request, const Found& found) {
  if (found.stored->is_complete) return true;
  // What If-Range comes to is only known with the fields of the stored response.
  if (found.held == nullptr || request.range.empty() || request.has_if_range) return false;
  if (request.method != MethodKind::get) return false;
  const RangePlan plan = plan_ranges(request.range, found.length);
  return plan.kind == RangePlan::Kind::some &&
         std::all_of(plan.ranges.begin(), plan.ranges.end(),
                     [&](const Octets& range) { return found.held->holds(range); });
}

bool is_for_this_user(const RequestFacts& request, const StoredFacts& stored) {
  return !request.has_authorization || stored.shared_by_users;
}

// On to the origin, where the client and the office allow it (RFC9111-5.2.1.7).
Decision go(Decision decision, Course course, Forwarded why, bool may_ask) {
  decision.course = may_ask ? course : Course::gateway_timeout;
  decision.why = why;
  return decision;
}

Decision serve(Decision decision, Course course) {
  decision.course = course;
  decision.why = Forwarded::no;
  return decision;
}

// Whether it may be sent, stale or not, where nobody can be asked (RFC9111-4.2.4).
bool may_serve_disconnected(const StoredFacts& stored, int64_t ttl_s) {
  if (stored.is_invalidated || stored.always_validate) return false;
  return ttl_s > 0 || !stored.validate_when_stale;
}

// Its own freshness decides, then the client, then the office.
Decision by_freshness(const RequestFacts& request, const Found& found, int64_t now_s,
                      const ServeRules& rules, Decision decision) {
  const StoredFacts& stored = *found.stored;
  const bool may_ask = !rules.is_offline && !request.control.only_if_cached;
  const Reuse reuse = reuse_of(stored, request.control, now_s);
  const Course ask = stored.has_validator ? Course::validate : Course::forward;
  if (reuse == Reuse::must_validate) {
    if (rules.is_offline && may_serve_disconnected(stored, decision.ttl_s))
      return serve(decision, Course::serve);
    const bool is_wish = decision.ttl_s > 0 && !stored.always_validate && !stored.is_invalidated;
    return go(decision, ask, is_wish ? Forwarded::request : Forwarded::stale, may_ask);
  }
  if (rules.always_validates && may_ask)
    return go(decision, ask, decision.ttl_s > 0 ? Forwarded::bypass : Forwarded::stale, true);
  const bool refreshes = reuse == Reuse::stale_while_revalidated && may_ask;
  return serve(decision, refreshes ? Course::serve_and_refresh : Course::serve);
}

bool is_failure(unsigned status) {
  return status == 0 || status == 500 || status == 502 || status == 503 || status == 504;
}

// For how long something stale may stand in for such a failure.
int64_t stale_for_s(const RequestFacts& request, const StoredFacts& stored, unsigned status,
                    const ServeRules& rules) {
  int64_t told = std::max(stored.stale_if_error_s, request.control.stale_if_error.value_or(-1));
  if (told < 0) told = rules.stale_if_error_s;
  return status == 0 ? std::max(told, rules.stale_if_unreachable_s) : told;
}

}  // namespace

RequestFacts read_request(std::string_view method, const Fields& request) {
  RequestFacts facts;
  facts.method = kind_of(method);
  facts.control = read_request_control(request);
  facts.has_authorization = request.has("Authorization");
  facts.has_own_precondition = request.has("If-Match") || request.has("If-Unmodified-Since");
  facts.has_if_range = request.has("If-Range");
  if (facts.method == MethodKind::get && request.count("Range") == 1)
    facts.range = *request.find("Range");
  return facts;
}

Decision decide(const RequestFacts& request, const Found& found, int64_t now_s,
                const ServeRules& rules) {
  const bool may_ask = !rules.is_offline && !request.control.only_if_cached;
  Decision decision;
  // RFC9111-4: whatever is unsafe is written through.
  if (request.method != MethodKind::get && request.method != MethodKind::head)
    return go(decision, Course::forward, Forwarded::method, !rules.is_offline);
  if (found.stored == nullptr) {
    const Forwarded why = found.has_variants ? Forwarded::vary_miss : Forwarded::uri_miss;
    return go(decision, Course::forward, why, may_ask);
  }
  const StoredFacts& stored = *found.stored;
  decision.age_s = age_of(stored, now_s);
  decision.ttl_s = stored.lifetime_s - decision.age_s;
  // RFC9111-4.3.2: such a condition is for the origin, and RFC9111-3.5: so are credentials.
  if (request.has_own_precondition || !is_for_this_user(request, stored))
    return go(decision, Course::forward, Forwarded::request, may_ask);
  if (!is_held(request, found)) {
    const bool can_complete = stored.has_strong_validator && !stored.is_invalidated &&
                              !request.has_if_range && !missing_octets(request, found).empty();
    const Course course = can_complete ? Course::fetch_missing : Course::forward;
    return go(decision, course, Forwarded::partial, may_ask);
  }
  return by_freshness(request, found, now_s, rules, decision);
}

bool may_serve_after_failure(const RequestFacts& request, const Found& found, unsigned status,
                             int64_t now_s, const ServeRules& rules) {
  const bool is_read = request.method == MethodKind::get || request.method == MethodKind::head;
  if (found.stored == nullptr || !is_read || !is_failure(status)) return false;
  const StoredFacts& stored = *found.stored;
  if (request.control.no_cache || request.has_own_precondition) return false;
  if (!is_for_this_user(request, stored) || !is_held(request, found)) return false;
  const int64_t left = freshness_left(stored, now_s);
  if (!may_serve_disconnected(stored, left)) return false;
  return left > 0 || -left <= stale_for_s(request, stored, status, rules);
}

StoredAnswer plan_answer(std::string_view method, const Fields& request, const StoredFacts& facts,
                         const Fields& stored, int64_t length) {
  StoredAnswer answer;
  answer.status = facts.status;
  if (facts.status != 200 && facts.status != 206) return answer;
  const bool has_condition = request.has("If-None-Match") || request.has("If-Modified-Since");
  const bool has_range = request.has("Range");
  if (!has_condition && !has_range) return answer;
  const Validators validators = validators_of(stored, facts.response_s);
  if (has_condition && is_not_modified(request, validators, facts.date_s)) {
    answer.status = 304;
    return answer;
  }
  RangePlan plan = plan_ranges(method, request, validators, length);
  if (plan.kind == RangePlan::Kind::some) answer.status = 206;
  if (plan.kind == RangePlan::Kind::unsatisfiable) answer.status = 416;
  answer.ranges = std::move(plan.ranges);
  return answer;
}

std::vector<Octets> missing_octets(const RequestFacts& request, const Found& found) {
  std::vector<Octets> missing;
  if (found.held == nullptr || found.length <= 0 || request.method != MethodKind::get)
    return missing;
  RangePlan plan = plan_ranges(request.range, found.length);
  if (plan.kind == RangePlan::Kind::unsatisfiable) return missing;
  if (plan.kind == RangePlan::Kind::whole) plan.ranges = {Octets{0, found.length - 1}};
  for (const Octets& range : plan.ranges) {
    const std::vector<Octets> gaps = found.held->missing(range);
    missing.insert(missing.end(), gaps.begin(), gaps.end());
  }
  // So many that their heads cost more than what they spare.
  if (missing.size() > kRangesMax) missing.clear();
  return missing;
}

}  // namespace postern::http
