// SPDX-License-Identifier: BSD-3-Clause
// HTTP-date (RFC 9110 section 5.6.7): the three forms are read, the first is written.
//
//   Sun, 06 Nov 1994 08:49:37 GMT    IMF-fixdate
//   Sunday, 06-Nov-94 08:49:37 GMT   RFC 850, obsolete
//   Sun Nov  6 08:49:37 1994         asctime(), obsolete
//
// As a cache has to (RFC 9111 section 4.2): without regard to case, no other zone than GMT, and
// anything else is no date. There is no clock here and no locale. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::http {

// Seconds since 1970-01-01 00:00:00 UTC; negative before. Nothing: it is not a date.
// `now_s`, the same, decides about years of two digits: what would lie more than 50 years ahead is
// the last such year behind us. A name of a day that does not fit the date is not looked at, as
// only some senders get it wrong and the date says all without it.
std::optional<int64_t> parse_date(std::string_view text, int64_t now_s);

// The 29 octets of an IMF-fixdate. `time_s` lies in the years 0 to 9999.
void append_date(std::string& out, int64_t time_s);

}  // namespace postern::http
