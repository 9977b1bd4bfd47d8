// SPDX-License-Identifier: BSD-3-Clause
// Fields for tests of the caching rules, from literals, and the moment at which they take place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "services/http/message/date.h"
#include "services/http/message/fields.h"
#include "services/http/rules/freshness.h"
#include "services/http/rules/storable.h"

namespace postern::http {

constexpr int64_t kNow = 1767225600;  // Thu, 01 Jan 2026 00:00:00 GMT

// Views of what is passed, which must stay.
inline Fields fields_of(std::initializer_list<Field> list) {
  Fields fields;
  for (const Field& field : list)
    static_cast<void>(fields.add(field.name, field.value));
  return fields;
}

inline std::string date_text(int64_t time_s) {
  std::string text;
  append_date(text, time_s);
  return text;
}

// What is known of a response that came at kNow, with its Date unless `fields` has one.
inline StoredFacts stored_at_now(const Fields& fields, unsigned status = 200,
                                 const StoreRules& rules = {}) {
  return facts_of(ResponseView{status, &fields}, Moments{kNow, kNow}, rules);
}

}  // namespace postern::http
