// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as a URL, as the target of a request and as a host. A key is a URL that
// is its own key; a host that was taken is one host to everybody; what goes to the next program has
// no octet that ends a line or a word.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/http/message/octets.h"
#include "services/http/message/url.h"

namespace http = postern::http;

namespace {

void demand_sound(const http::Authority& authority) {
  std::string text;
  http::append_authority(text, authority, 80);
  POSTERN_ASSERT(http::is_visible(text));
  POSTERN_ASSERT(text.find_first_of("@/?#\\%") == std::string::npos);
  const auto again = http::parse_authority(text);
  POSTERN_ASSERT(again);
  POSTERN_ASSERT(again->kind == authority.kind);
  POSTERN_ASSERT(again->address == authority.address);
  POSTERN_ASSERT(again->port_or(80) == authority.port_or(80));
}

void as_url(std::string_view text) {
  http::Url url;
  if (http::parse_url(text, url)) return;
  demand_sound(url.authority);
  std::string asked;
  http::append_origin_form(asked, "GET", url);
  POSTERN_ASSERT(asked.starts_with('/') && http::is_visible(asked));
  http::CacheKey key;
  if (!http::make_key(url, key)) return;
  POSTERN_ASSERT(key.text.size() <= http::kKeyMax);
  http::Url again;
  http::CacheKey other;
  POSTERN_ASSERT(!http::parse_url(key.text, again));
  POSTERN_ASSERT(http::make_key(again, other));
  POSTERN_ASSERT(other.text == key.text && other.is_exact);
  POSTERN_ASSERT(again.port() == url.port() && again.scheme == url.scheme);
  std::string asked_again;
  http::append_origin_form(asked_again, "GET", again);
  POSTERN_ASSERT(key.is_exact == (asked == asked_again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  as_url(text);
  as_url("http://a/" + text);
  if (const auto authority = http::parse_authority(text)) demand_sound(*authority);
  for (const std::string_view method : {"GET", "OPTIONS", "CONNECT"}) {
    http::Target target;
    if (http::parse_target(method, text, target)) continue;
    POSTERN_ASSERT(http::is_visible(text));
    POSTERN_ASSERT((target.form == http::TargetForm::authority) == (method == "CONNECT"));
  }
  return 0;
}
