// SPDX-License-Identifier: BSD-3-Clause
// The Cache-Status field (RFC 9211): what the cache did with a request, for whoever looks for
// faults. The key is left out: it would tell one client what others asked for.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::http {

// Why a request went on to the origin (RFC 9211 section 2.2).
enum class Forwarded : uint8_t { no, bypass, method, uri_miss, vary_miss, request, stale, partial };

// "uri-miss", ...: the word of the field and of the log; "hit" for `no`.
std::string_view to_text(Forwarded why);

struct CacheStatus {
  Forwarded forwarded = Forwarded::no;  // no: a hit
  std::optional<unsigned> forwarded_status = {};
  std::optional<int64_t> ttl_s = {};  // negative: stale for so long
  bool is_stored = false;
  bool is_collapsed = false;
};

// One member of the list, to be put behind those that came from further caches. `cache`: a name of
// letters, digits and ".-_", beginning with a letter; anything else becomes a quoted string.
std::string encode_cache_status(std::string_view cache, const CacheStatus& status);

}  // namespace postern::http
