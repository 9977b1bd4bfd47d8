// SPDX-License-Identifier: BSD-3-Clause
// What the log-in page says (services/portal/pages.h), and what is sent to it: forms and cookies.
// The page is found by the ids and classes of its elements. It comes from a gateway that has
// proved who it is, but may be anything: what does not look as it ought to is no page, and what is
// shown to people has only printable ASCII. Pure; thread: any. Bounded by the answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::cli {

constexpr std::string_view kLoginCookie = "__Host-postern", kFormCookie = "__Host-postern-form";

struct Page {
  enum class Kind {
    form,   // to log in with
    state,  // somebody is logged in, by the cookie that came
    other,
  } kind = Kind::other;
  std::string token;    // of its form
  std::string trouble;  // what it complains of; may be empty
  // state:
  std::string user, address;
  int64_t left_s = -1;    // until it is over; -1: it never is
  int64_t idle_s = 0;     // of quiet after which it ends; 0: it does not
  int64_t refresh_s = 0;  // the page is to be asked for so often; 0: need not
};
Page read_page(std::string_view html);

// When to ask for it again, so that neither quiet nor its own wish ends the log-in, and so that
// its end is seen soon: 1 to 60 s.
int64_t keep_alive_s(const Page& state);

// The value of a cookie of the gateway in the values of Set-Cookie headers (RFC 6265 section 4.1);
// empty where there is none that looks like one.
std::string cookie_in(const std::vector<std::string>& set_cookies, std::string_view name);
bool is_cookie(std::string_view text);

// application/x-www-form-urlencoded. One allocation, so that secrets are in one place.
using Fields = std::vector<std::pair<std::string_view, std::string_view>>;
std::string encode_form(const Fields& fields);

}  // namespace postern::cli
