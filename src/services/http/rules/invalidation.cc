// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/invalidation.h"

#include <algorithm>

namespace postern::http {
namespace {

// RFC 3986 section 3: what an absolute URI, or a reference to one, is made of.
struct Parts {
  std::string_view scheme;     // empty: none
  std::string_view authority;  // with has_authority
  bool has_authority = false;
  std::string_view path;
  std::string_view query;  // with its "?"; empty: none
};

bool is_scheme(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
         });
}

Parts split(std::string_view text) {
  Parts parts;
  text = text.substr(0, text.find('#'));
  if (const size_t colon = text.find(':');
      colon != std::string_view::npos && is_scheme(text.substr(0, colon))) {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.substr(0, 2) == "//") {
    text.remove_prefix(2);
    const size_t end = std::min(text.find_first_of("/?"), text.size());
    parts.has_authority = true;
    parts.authority = text.substr(0, end);
    text.remove_prefix(end);
  }
  const size_t question = std::min(text.find('?'), text.size());
  parts.path = text.substr(0, question);
  parts.query = text.substr(question);
  return parts;
}

void drop_last_segment(std::string& path) {
  const size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

// RFC 3986 section 5.2.4, for a path that begins with "/".
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    const bool is_up = segment == "/..";
    if (is_up) drop_last_segment(out);
    if (!is_up && segment != "/.") {
      out.append(segment);
    } else if (path.empty()) {
      out += '/';
    }
  }
  return out;
}

std::string text_of(const Parts& parts, const std::string& path) {
  std::string text(parts.scheme);
  text.append("://").append(parts.authority).append(path).append(parts.query);
  return text;
}

std::string_view port_of(std::string_view scheme) {
  if (same_word(scheme, "http")) return "80";
  if (same_word(scheme, "https")) return "443";
  return same_word(scheme, "ftp") ? "21" : "";
}

struct HostPort {
  std::string_view host;
  std::string_view port;
};

HostPort host_of(const Parts& parts) {
  const std::string_view text = parts.authority;
  const size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos &&
                        text.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  HostPort result{has_port ? text.substr(0, colon) : text, ""};
  if (has_port) result.port = text.substr(colon + 1);
  if (result.port.empty()) result.port = port_of(parts.scheme);
  return result;
}

void add_same_origin(const RequestView& request, std::string_view reference,
                     std::vector<std::string>& uris) {
  const std::optional<std::string> uri = resolve_reference(request.uri, reference);
  // RFC9111-4.4: nobody makes invalid what is of somebody else.
  if (!uri || !same_origin(request.uri, *uri)) return;
  if (std::find(uris.begin(), uris.end(), *uri) == uris.end()) uris.push_back(*uri);
}

}  // namespace

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

std::vector<std::string> invalidated_by(const RequestView& request, const ResponseView& response) {
  std::vector<std::string> uris;
  const bool is_error = response.status < 200 || response.status > 399;
  if (is_safe(request.method) || is_error || request.uri.size() > kUriMax) return uris;
  uris.reserve(3);
  uris.emplace_back(request.uri);
  for (const std::string_view name : {"Location", "Content-Location"}) {
    if (const std::optional<std::string_view> value = response.fields->find(name))
      add_same_origin(request, *value, uris);
  }
  return uris;
}

std::optional<std::string> resolve_reference(std::string_view base, std::string_view reference) {
  if (base.size() + reference.size() > kUriMax) return std::nullopt;
  const Parts from = split(base);
  if (from.scheme.empty() || !from.has_authority) return std::nullopt;
  Parts to = split(reference);
  const bool is_absolute = !to.scheme.empty();
  if (is_absolute && !to.has_authority) return std::nullopt;
  if (!is_absolute) to.scheme = from.scheme;
  if (to.has_authority) return text_of(to, without_dots(to.path));
  to.authority = from.authority;
  if (to.path.empty()) {
    if (to.query.empty()) to.query = from.query;
    return text_of(to, std::string(from.path));
  }
  if (to.path.front() == '/') return text_of(to, without_dots(to.path));
  const size_t slash = from.path.rfind('/');
  std::string path(slash == std::string_view::npos ? "/" : from.path.substr(0, slash + 1));
  path.append(to.path);
  return text_of(to, without_dots(path));
}

bool same_origin(std::string_view one, std::string_view other) {
  const Parts left = split(one);
  const Parts right = split(other);
  if (!left.has_authority || !right.has_authority || !same_word(left.scheme, right.scheme))
    return false;
  // Who puts a user into it means something else than the host.
  if (left.authority.find('@') != std::string_view::npos ||
      right.authority.find('@') != std::string_view::npos) {
    return false;
  }
  const HostPort mine = host_of(left);
  const HostPort theirs = host_of(right);
  return same_word(mine.host, theirs.host) && mine.port == theirs.port;
}

}  // namespace postern::http
