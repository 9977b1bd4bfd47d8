// SPDX-License-Identifier: BSD-3-Clause
// Why the proxy answers by itself instead of the origin: one list for the status, the word in the
// log (those of RFC 9209 where it has one) and the page that the user reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::http {

enum class Problem : uint8_t {
#define POSTERN_HTTP_PROBLEM(name, status, reason, text) name,
#include "services/http/proxy/problems.def"
#undef POSTERN_HTTP_PROBLEM
};

struct ProblemText {
  unsigned status;
  std::string_view name;
  std::string_view reason;  // the reason phrase
  std::string_view text;    // a sentence for the user
};

const ProblemText& describe(Problem problem);
// A rule says no: nothing has failed that something stored could stand in for.
bool is_refusal(Problem problem);

struct ErrorPage {
  Problem problem = Problem::none;
  std::string_view proxy;   // name of the proxy
  std::string_view url;     // empty: not known
  std::string_view detail;  // empty: none
};

// A small page of HTML; everything in it that came from outside is escaped, and bounded.
std::string error_page(const ErrorPage& page);

}  // namespace postern::http
