// SPDX-License-Identifier: BSD-3-Clause
// make_key() of url.h: the normal form of a URL (RFC3986-6.2.2, RFC9110-4.2.3).
#include <algorithm>

#include "services/http/message/octets.h"
#include "services/http/message/percent.h"
#include "services/http/message/url.h"

namespace postern::http {
namespace {

// Whether every '%' of `text` begins a percent-encoding.
bool is_well_encoded(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    if (!encoded_octet(text, at)) return false;
  }
  return true;
}

char upper(char digit) {
  return digit >= 'a' && digit <= 'f' ? static_cast<char>(digit - ('a' - 'A')) : digit;
}

// Appends `text`, of which every '%' begins a percent-encoding, with unreserved octets decoded. One
// pass: what a decoded octet and its neighbours look like is not decoded again.
void append_encoded(std::string& out, std::string_view text) {
  for (;;) {
    const size_t plain = std::min(text.find('%'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    const auto octet = text.empty() ? std::nullopt : encoded_octet(text, 0);
    if (!octet) return;
    if (is_of(static_cast<char>(*octet), kUnreservedOctet)) {
      out += static_cast<char>(*octet);
    } else {
      out += '%';
      out += upper(text[1]);
      out += upper(text[2]);
    }
    text.remove_prefix(3);
  }
}

// RFC 3986 section 5.2.4 on the path that begins with '/' at `start` and goes to the end.
void remove_dot_segments(std::string& text, size_t start) {
  if (text.find("/.", start) == std::string::npos) return;
  size_t out = start;
  for (size_t at = start; at < text.size();) {
    const size_t end = std::min(text.find('/', at + 1), text.size());
    const std::string_view segment = std::string_view(text).substr(at + 1, end - at - 1);
    const bool is_up = segment == "..";
    if (is_up || segment == ".") {
      while (is_up && out > start && text[--out] != '/') {
      }
      if (end == text.size()) text[out++] = '/';
    } else {
      std::copy(text.begin() + static_cast<long>(at), text.begin() + static_cast<long>(end),
                text.begin() + static_cast<long>(out));
      out += end - at;
    }
    at = end;
  }
  text.resize(out);
}

}  // namespace

bool make_key(const Url& url, CacheKey& key) {
  key.text.clear();
  key.text += to_text(url.scheme);
  key.text += "://";
  append_authority(key.text, url.authority, default_port(url.scheme));
  const size_t start = key.text.size();
  key.path_start = start;
  key.is_well_encoded = is_well_encoded(url.path);
  const bool has_slash = url.path.starts_with('/');
  if (!has_slash) key.text += '/';
  if (key.is_well_encoded) {
    const size_t query = std::min(url.path.find('?'), url.path.size());
    append_encoded(key.text, url.path.substr(0, query));
    if (url.scheme != Scheme::gopher) remove_dot_segments(key.text, start);
    append_encoded(key.text, url.path.substr(query));
  } else {
    key.text += url.path;
  }
  key.is_exact = std::string_view(key.text).substr(start + (has_slash ? 0 : 1)) == url.path;
  return url.user.empty() && key.text.size() <= kKeyMax;
}

}  // namespace postern::http
