// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/cache_status.h"

#include <algorithm>

namespace postern::http {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain(std::string_view name) {
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
         });
}

// A string of RFC 8941 section 3.3.3: what is no printable ASCII has no place in it.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  out += '"';
}

}  // namespace

std::string_view to_text(Forwarded why) {
  switch (why) {
    case Forwarded::no:
      return "hit";
    case Forwarded::bypass:
      return "bypass";
    case Forwarded::method:
      return "method";
    case Forwarded::uri_miss:
      return "uri-miss";
    case Forwarded::vary_miss:
      return "vary-miss";
    case Forwarded::request:
      return "request";
    case Forwarded::stale:
      return "stale";
    case Forwarded::partial:
      break;
  }
  return "partial";
}

std::string encode_cache_status(std::string_view cache, const CacheStatus& status) {
  std::string text;
  if (is_plain(cache)) {
    text = cache;
  } else {
    append_string(text, cache);
  }
  const bool is_hit = status.forwarded == Forwarded::no;
  text.append(is_hit ? "; " : "; fwd=").append(to_text(status.forwarded));
  if (!is_hit && status.forwarded_status)
    text.append("; fwd-status=").append(std::to_string(*status.forwarded_status));
  if (!is_hit && status.is_stored) text += "; stored";
  if (!is_hit && status.is_collapsed) text += "; collapsed";
  if (status.ttl_s) text.append("; ttl=").append(std::to_string(*status.ttl_s));
  return text;
}

}  // namespace postern::http
