// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/asked.h"

#include <algorithm>

#include "services/http/message/octets.h"
#include "services/http/message/percent.h"

namespace postern::http {
namespace {

std::string_view without_dot(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

// What is visible in ASCII is decoded, once; the rest stays as it is.
std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    const auto octet = text[at] == '%' ? encoded_octet(text, at) : std::nullopt;
    const bool is_plain = octet && *octet > ' ' && *octet < 0x7f;
    out += is_plain ? static_cast<char>(*octet) : text[at];
    if (is_plain) at += 2;
  }
  return out;
}

// Segment by segment, without empty ones, "." and ".."; begins with '/'.
std::string plain_path(std::string_view path) {
  std::string out;
  out.reserve(path.size() + 1);
  bool is_open = true;  // ends with '/'
  while (!path.empty()) {
    const size_t end = std::min(path.find_first_of("/\\"), path.size());
    const std::string_view segment = path.substr(0, std::min(path.find(';'), end));
    is_open = end < path.size() || segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      out.resize(std::min(out.rfind('/'), out.size()));
      if (out == "/") out.clear();
    } else if (!segment.empty() && segment != ".") {
      out.append("/").append(segment);
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (is_open) out += '/';
  return out;
}

}  // namespace

Asked::Asked(const Request& request) {
  const Authority& authority = request.url.authority;
  host_ = without_dot(authority.host);
  const bool has_dot = host_.size() != authority.host.size();
  if (request.target.form == TargetForm::authority) {
    append_authority(text_, authority, 0);
    if (has_dot) text_.erase(host_.size(), 1);
    return;
  }
  has_path_ = true;
  path_start_ = request.key.path_start;
  is_well_encoded_ = request.key.is_well_encoded;
  view_ = request.key.text;
  if (!has_dot) return;
  text_ = view_;
  text_.erase(to_text(request.url.scheme).size() + 3 + host_.size(), 1);
  --path_start_;
}

Asked::Asked(const Request& request, std::string_view address, uint16_t port) : host_(address) {
  const Asked named(request);
  text_.append(to_text(request.url.scheme)).append("://").append(address);
  if (port != default_port(request.url.scheme)) text_.append(":").append(std::to_string(port));
  has_path_ = true;
  path_start_ = text_.size();
  is_well_encoded_ = named.is_well_encoded_;
  text_.append(named.path());
}

Asked::Asked(std::string_view name, uint16_t port) : host_(without_dot(name)) {
  text_.reserve(host_.size() + 6);
  for (const char letter : host_)
    text_ += lower(letter);
  text_.append(":").append(std::to_string(port));
}

std::optional<Asked> Asked::loose() const {
  if (!has_path_) return std::nullopt;
  const std::string_view whole = path();
  const std::string_view path = whole.substr(0, whole.find('?'));
  const bool is_odd = !is_well_encoded_ || path.find_first_of("%\\;") != std::string_view::npos ||
                      path.find("//") != std::string_view::npos;
  if (!is_odd) return std::nullopt;
  Asked other = *this;
  other.text_ = std::string(url().substr(0, path_start_)) + plain_path(decoded(path));
  const std::string_view query = whole.substr(path.size());
  other.text_ += is_well_encoded_ ? std::string(query) : decoded(query);
  if (other.text_ == url()) return std::nullopt;
  return other;
}

}  // namespace postern::http
