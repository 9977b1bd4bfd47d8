// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "services/http/message/fields.h"
#include "services/http/message/octets.h"
#include "services/http/message/percent.h"

namespace postern::http {
namespace {

constexpr uint16_t kBadRequest = 400;
constexpr uint16_t kNotImplemented = 501;
constexpr size_t kHostMax = 253;
constexpr size_t kLabelMax = 63;

// Whether inet_aton() or a browser could take a name with this last label for an IPv4 address.
bool is_like_number(std::string_view label) {
  if (all_of(label, kDigitOctet)) return true;
  if (label.size() < 2 || label[0] != '0' || lower(label[1]) != 'x') return false;
  return label.size() == 2 || all_of(label.substr(2), kHexOctet);
}

bool is_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kHostMax) return false;
  for (;;) {
    const size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    if (label.size() > kLabelMax || !all_of(label, kNameOctet)) return false;
    if (dot == std::string_view::npos) return !is_like_number(label);
    host.remove_prefix(dot + 1);
  }
}

bool is_ipv6(std::string_view host) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (host.size() >= text.size() || host.find('\0') != std::string_view::npos) return false;
  std::copy(host.begin(), host.end(), text.begin());
  in6_addr address;
  return inet_pton(AF_INET6, text.data(), &address) == 1;
}

// ":" and digits; none of them means the same as no ":" (RFC 3986 section 6.2.3).
bool parse_port(std::string_view text, uint16_t& port) {
  if (text.empty()) return true;
  if (text[0] != ':') return false;
  text.remove_prefix(1);
  if (text.empty()) return true;
  if (!all_of(text, kDigitOctet) || text[0] == '0') return false;
  return std::from_chars(text.data(), text.data() + text.size(), port).ec == std::errc();
}

// Whether a NUL, LF or CR stands in `text` behind a percent-encoding.
bool hides_line_end(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    const unsigned octet = encoded_octet(text, at).value_or(' ');
    if (octet == '\0' || octet == '\n' || octet == '\r') return true;
  }
  return false;
}

std::optional<Scheme> find_scheme(std::string_view name) {
  for (const Scheme scheme : {Scheme::http, Scheme::ftp, Scheme::gopher}) {
    if (same_word(name, to_text(scheme))) return scheme;
  }
  return std::nullopt;
}

// RFC 3986 section 3.1.
bool is_scheme(std::string_view name) {
  return !name.empty() && lower(name[0]) >= 'a' && lower(name[0]) <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char octet) {
           return octet == '+' || octet == '.' || (is_of(octet, kNameOctet) && octet != '_');
         });
}

}  // namespace

std::string_view to_text(Scheme scheme) {
  switch (scheme) {
    case Scheme::http:
      return "http";
    case Scheme::ftp:
      return "ftp";
    case Scheme::gopher:
      return "gopher";
  }
  return {};
}

uint16_t default_port(Scheme scheme) {
  switch (scheme) {
    case Scheme::http:
      return 80;
    case Scheme::ftp:
      return 21;
    case Scheme::gopher:
      return 70;
  }
  return 0;
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return std::nullopt;
    authority.host = text.substr(1, end - 1);
    authority.kind = HostKind::ipv6;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    authority.host = text.substr(0, end);
    if (const auto address = parse_ipv4(authority.host)) {
      authority.address = *address;
      authority.kind = HostKind::ipv4;
    } else if (!is_name(authority.host)) {
      return std::nullopt;
    }
  }
  if (!parse_port(text.substr(end), authority.port)) return std::nullopt;
  return authority;
}

void append_authority(std::string& out, const Authority& authority, uint16_t default_port) {
  const bool is_ipv6 = authority.kind == HostKind::ipv6;
  if (is_ipv6) out += '[';
  for (const char letter : authority.host)
    out += lower(letter);
  if (is_ipv6) out += ']';
  if (authority.port == 0 || authority.port == default_port) return;
  std::array<char, 5> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), authority.port);
  out += ':';
  out.append(digits.data(), end.ptr);
}

Refusal parse_url(std::string_view text, Url& url) {
  url = Url();
  if (!is_visible(text)) return {kBadRequest, "url"};
  const size_t colon = text.find("://");
  const std::string_view name = text.substr(0, colon);
  if (colon == std::string_view::npos || !is_scheme(name)) return {kBadRequest, "url"};
  const auto scheme = find_scheme(name);
  if (!scheme) return {kNotImplemented, "scheme"};
  url.scheme = *scheme;
  text.remove_prefix(colon + 3);
  if (text.find('#') != std::string_view::npos) return {kBadRequest, "fragment"};

  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  std::string_view place = text.substr(0, authority_end);
  url.path = text.substr(authority_end);
  if (const size_t at = place.find('@'); at != std::string_view::npos) {
    // RFC9110-4.2.4: http://bank.example@attacker.example/ is meant to deceive.
    url.user = place.substr(0, at);
    if (url.scheme != Scheme::ftp || url.user.empty()) return {kBadRequest, "user_in_url"};
    place.remove_prefix(at + 1);
  }
  const auto authority = parse_authority(place);
  if (!authority) return {kBadRequest, "host"};
  url.authority = *authority;
  if (url.scheme != Scheme::http && (hides_line_end(url.path) || hides_line_end(url.user))) {
    return {kBadRequest, "hidden_line_end"};
  }
  return {};
}

Refusal parse_target(std::string_view method, std::string_view text, Target& target) {
  target = Target();
  if (method == "CONNECT") {
    target.form = TargetForm::authority;
    const auto authority = parse_authority(text);
    if (!authority || authority->port == 0) return {kBadRequest, "target"};
    target.url.authority = *authority;
    return {};
  }
  if (text == "*" && method == "OPTIONS") {
    target.form = TargetForm::asterisk;
    return {};
  }
  if (text.starts_with('/')) {
    if (!is_visible(text)) return {kBadRequest, "target"};
    if (text.find('#') != std::string_view::npos) return {kBadRequest, "fragment"};
    target.url.path = text;
    return {};
  }
  target.form = TargetForm::absolute;
  return parse_url(text, target.url);
}

void append_origin_form(std::string& out, std::string_view method, const Url& url) {
  if (url.path.empty() && method == "OPTIONS") {
    out += '*';
    return;
  }
  if (!url.path.starts_with('/')) out += '/';
  out += url.path;
}

}  // namespace postern::http
