// SPDX-License-Identifier: BSD-3-Clause
// Dates of mail (RFC 5322 section 3.3, read with the forms of section 4.3, too).
//
//   Mon, 23 Nov 2026 09:05:00 +0100
//
// No clock and no locale here. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

// `time_s`: seconds since 1970-01-01 00:00:00 UTC, in the years 1900 to 9999. `zone_min`: minutes
// that the local clock is ahead of UTC.
std::string to_date(int64_t time_s, int zone_min = 0);

// Nothing: it is no date. The day of the week is not looked at, comments behind the zone neither;
// letters for zones count as UTC but for those of North America (RFC 5322 section 4.3).
std::optional<int64_t> parse_date(std::string_view text);

}  // namespace postern::mail
