// SPDX-License-Identifier: BSD-3-Clause
// The target of a request (RFC 9112 section 3.2) and the URLs that a proxy is asked for: http, ftp
// and gopher (RFC 9110 section 4.2, RFC 3986, RFC 4266), split into views of the text that was
// read.
//
//   http://www.example.com:8080/a/b?c     absolute   scheme, authority, path "/a/b?c"
//   /a/b?c                                origin     path "/a/b?c"
//   www.example.com:443                   authority  of CONNECT: the port must be there
//   *                                     asterisk   of OPTIONS
//
// Hosts are names of letters, digits, '-', '_' and '.', IPv4 addresses of four plain decimal
// numbers, or IPv6 addresses in brackets. What some resolvers would take for an address and others
// for a name (127.1, 0x7f.0.0.1, 017.0.0.1, 2130706433) is refused: rules are held against hosts.
//
// Bounds: the text is bounded by the limits of the head, a name by 253 octets, a key by kKeyMax.
// Thread: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "services/http/message/outcome.h"

namespace postern::http {

constexpr size_t kKeyMax = 8192;

enum class Scheme : uint8_t { http, ftp, gopher };

std::string_view to_text(Scheme scheme);
uint16_t default_port(Scheme scheme);  // 80, 21, 70

enum class HostKind : uint8_t { name, ipv4, ipv6 };

struct Authority {
  std::string_view host;  // as it was written, IPv6 without its brackets
  HostKind kind = HostKind::name;
  Ipv4Address address;  // of kind ipv4
  uint16_t port = 0;    // 0: none was written

  uint16_t port_or(uint16_t otherwise) const { return port != 0 ? port : otherwise; }
};

// uri-host [":" port], as in the field Host and behind CONNECT; nothing else, and no user.
std::optional<Authority> parse_authority(std::string_view text);

// host[:port] as the field Host has it (RFC 9110 section 7.2): in lower case, IPv6 in brackets, the
// port only where it is not `default_port`.
void append_authority(std::string& out, const Authority& authority, uint16_t default_port);

struct Url {
  Scheme scheme = Scheme::http;
  Authority authority;
  std::string_view user;  // user or user:password, percent-encoded as written; of ftp alone
  std::string_view path;  // with the query; empty, or begins with '/' or '?'

  uint16_t port() const { return authority.port_or(default_port(scheme)); }
};

// An absolute URL without fragment. Refused with 400, or with 501 where only the scheme is not
// ours.
Refusal parse_url(std::string_view text, Url& url);

enum class TargetForm : uint8_t { origin, absolute, authority, asterisk };

struct Target {
  TargetForm form = TargetForm::origin;
  Url url;  // absolute: all of it; authority: url.authority; origin: url.path
};

// `method` decides: CONNECT has the authority form and nothing else has, '*' is for OPTIONS alone.
Refusal parse_target(std::string_view method, std::string_view text, Target& target);

// What an origin server is asked for (RFC 9112 section 3.2): path and query as they were written,
// for a proxy must not rewrite them, but "/" for an empty path, or "*" where `method` is OPTIONS.
void append_origin_form(std::string& out, std::string_view method, const Url& url);

struct CacheKey {
  std::string text;  // http://www.example.com/a/b?c
  // The path stands in `text` octet for octet as in the URL (an empty one counts as "/"). Where it
  // does not, the two are equivalent by RFC 3986 section 6.2.2, but an origin may not know that:
  // answer from what is kept under the key, yet keep only what came for the normal form. So nobody
  // puts the answer for /%69ndex or /x/../index in the place of the one for /index.
  bool is_exact = true;
  size_t path_start = 0;        // in `text`
  bool is_well_encoded = true;  // every '%' of the path begins a percent-encoding
};

// Puts the normal form of `url` (RFC 9110 section 4.2.3, RFC 3986 section 6.2.2) into `key`, whose
// memory is used again: scheme and host in lower case, no default port, unreserved octets plain,
// other percent-encodings with upper case digits, no dot segments (but in gopher, where the
// selector is opaque), "/" for an empty path. Everything else stays: reserved octets, the query
// with its order, a '?' without query, doubled slashes, the dot behind a name. A path with a '%'
// that is no percent-encoding stays as it is. False: nothing is kept for this URL, as it holds a
// user or the key is above kKeyMax; it is the normal form all the same, without the user.
[[nodiscard]] bool make_key(const Url& url, CacheKey& key);

}  // namespace postern::http
