// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any fields, a line each, as those of a request and of its response. What forbids
// reuse must forbid it however the rest is written, and no time may run backwards or over its
// bound.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "services/http/rules/decide.h"
#include "services/http/rules/freshening.h"
#include "services/http/rules/invalidation.h"
#include "services/http/rules/vary.h"

namespace http = postern::http;

namespace {

constexpr int64_t kNow = 1767225600;

// Name and value of each line, whatever octets they have; an empty line ends the fields.
http::Fields take_fields(std::string_view& text) {
  http::Fields fields;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) break;
    const size_t colon = std::min(line.find(':'), line.size());
    const std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (!fields.add(line.substr(0, colon), value)) break;
  }
  return fields;
}

void demand_bounds(const http::StoredFacts& facts) {
  POSTERN_ASSERT(facts.lifetime_s >= 0 && facts.lifetime_s <= http::kDeltaMax);
  int64_t before = 0;
  for (const int64_t now_s : {kNow - 10, kNow, kNow + 1, kNow + http::kDeltaMax, INT64_MAX / 2}) {
    const int64_t age = http::age_of(facts, now_s);
    POSTERN_ASSERT(age >= before && age <= http::kDeltaMax);
    before = age;
  }
}

void demand_obedience(const http::RequestView& request, const http::ResponseView& response) {
  const http::ResponseControl control = http::read_response_control(*response.fields);
  const http::StoreRefusal refusal = http::storable(request, response, {});
  if (control.no_store && !control.must_understand)
    POSTERN_ASSERT(refusal == http::StoreRefusal::no_store);
  if (control.is_private) POSTERN_ASSERT(refusal != http::StoreRefusal::none);
  const http::StoredFacts facts =
      http::facts_of(response, http::Moments{kNow - 1, kNow}, http::StoreRules{});
  demand_bounds(facts);
  const http::Found found{&facts, false, nullptr, -1};
  const http::RequestFacts asked = http::read_request(request.method, *request.fields);
  for (const int64_t after_s : {0, 1, 3600, 100000000}) {
    const http::Decision decision = http::decide(asked, found, kNow + after_s, {});
    const bool is_served = decision.course == http::Course::serve ||
                           decision.course == http::Course::serve_and_refresh;
    if (control.no_cache || asked.control.no_cache) POSTERN_ASSERT(!is_served);
    if (control.must_revalidate && decision.ttl_s <= 0) POSTERN_ASSERT(!is_served);
    if (asked.control.only_if_cached)
      POSTERN_ASSERT(is_served || decision.course == http::Course::gateway_timeout);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const http::Fields request = take_fields(text);
  const http::Fields response = take_fields(text);
  const http::Fields update = take_fields(text);
  const http::RequestView asked{"GET", "http://www.example.com/a/b?c", &request};
  for (const unsigned status : {200u, 206u, 404u, 599u})
    demand_obedience(asked, http::ResponseView{status, &response, 10, false});

  const http::Fields kept = http::kept_fields(response);
  POSTERN_ASSERT(kept.size() <= response.size() && !kept.has("Transfer-Encoding"));
  // What is kept is kept the second time as well.
  POSTERN_ASSERT(http::kept_fields(kept).size() == kept.size());
  if (const auto merged = http::updated_fields(kept, update))
    POSTERN_ASSERT(merged->count("Content-Type") == kept.count("Content-Type"));

  if (const auto names = http::vary_names(response)) {
    const auto key = http::vary_key(*names, request);
    POSTERN_ASSERT(!key || key->size() <= http::kVaryKeyMax);
  }
  const http::Validators validators = http::validators_of(response, kNow);
  const http::Condition condition = http::condition_for({&validators, 1}, request);
  POSTERN_ASSERT(condition.empty() == !validators.has_any());
  const http::NotModified result =
      http::read_not_modified(update, {&validators, 1}, condition, request);
  POSTERN_ASSERT(result.freshened.size() <= 1);
  const http::RequestView unsafe{"POST", asked.uri, &request};
  for (const std::string& uri :
       http::invalidated_by(unsafe, http::ResponseView{200, &response, -1, false}))
    POSTERN_ASSERT(http::same_origin(uri, asked.uri));
  return 0;
}
