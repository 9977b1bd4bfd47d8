// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/request.h"

#include <algorithm>
#include <array>

namespace postern::http {
namespace {

constexpr std::array<std::string_view, 14> kHidden = {"x-forwarded-host",
                                                      "x-forwarded-server",
                                                      "x-forwarded-scheme",
                                                      "x-forwarded-proto",
                                                      "x-forwarded-port",
                                                      "x-forwarded-prefix",
                                                      "x-host",
                                                      "x-original-host",
                                                      "x-original-url",
                                                      "x-rewrite-url",
                                                      "x-http-method",
                                                      "x-http-method-override",
                                                      "x-method-override",
                                                      "x-http-host-override"};

// "for" and "by" tell who asks; what was asked for is the business of "host" and "proto" (RFC
// 7239).
bool names_target(const Fields& fields) {
  ListWalk walk(fields, "Forwarded");
  while (auto member = walk.next()) {
    while (!member->empty()) {
      const size_t end = std::min(member->find(';'), member->size());
      const std::string_view pair = trimmed(member->substr(0, end));
      const std::string_view name = trimmed(pair.substr(0, pair.find('=')));
      if (same_word(name, "host") || same_word(name, "proto")) return true;
      member->remove_prefix(std::min(end + 1, member->size()));
    }
  }
  return false;
}

// RFC 9110 section 7.8. HTTP/2 and TLS are not for those who read HTTP/1 here, and would carry
// requests that nobody judges; a body would have to be read first.
std::string_view upgrade_of(const Request& request) {
  const Fields& fields = request.head().fields;
  if (fields.count("Upgrade") != 1 || request.head().minor == 0 || request.has_body()) return {};
  bool is_listed = false;
  ListWalk options(fields, "Connection");
  while (const auto option = options.next())
    is_listed = is_listed || same_word(*option, "upgrade");
  if (!is_listed || !request.is("GET")) return {};
  ListWalk protocols(fields, "Upgrade");
  while (const auto protocol = protocols.next()) {
    const std::string_view name = protocol->substr(0, protocol->find('/'));
    if (same_word(name, "h2c") || same_word(name, "http") || same_word(name, "tls")) return {};
  }
  return *fields.find("Upgrade");
}

}  // namespace

Refusal Request::analyse() {
  has_key = false;
  key.text.clear();
  if (const Refusal refusal = parse_target(head().method, head().target, target)) return refusal;
  if (const Refusal refusal = frame_request(head(), target, framing)) return refusal;
  expects = expectation(head().minor, head().fields);
  facts = read_request(head().method, head().fields);
  url = target.url;
  if (target.form == TargetForm::origin || target.form == TargetForm::asterisk)
    url.authority = framing.host;
  if (target.form != TargetForm::authority && !url.authority.host.empty())
    has_key = make_key(url, key);
  upgrade = upgrade_of(*this);
  return {};
}

std::string_view Request::shown_url() const {
  if (!key.text.empty()) return key.text;
  // Of a tunnel, or of one that was refused unread.
  const std::string_view text = head().target;
  const size_t place = text.find("://");
  if (place == std::string_view::npos) return text;
  const size_t end = std::min(text.find_first_of("/?#", place + 3), text.size());
  const size_t at = text.substr(0, end).rfind('@');
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

bool has_hidden_input(const Request& request) {
  // The server may read the body of a GET, too.
  if ((request.is("GET") || request.is("HEAD")) && request.has_body()) return true;
  const Fields& fields = request.head().fields;
  const Connection connection(fields);
  const bool has_some = std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
    // What Vary speaks of, and the server does not get.
    if (!connection.passes(field.name) && !is_hop_by_hop(field.name)) return true;
    return std::any_of(kHidden.begin(), kHidden.end(), [&](std::string_view hidden) {
      return hidden.size() == field.name.size() && same_word(hidden, field.name);
    });
  });
  return has_some || names_target(fields);
}

bool binds_connection(const Fields& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    if (!same_word(field.name, "authorization")) return false;
    const std::string_view scheme = field.value.substr(0, field.value.find(' '));
    return same_word(scheme, "ntlm") || same_word(scheme, "negotiate") ||
           same_word(scheme, "kerberos");
  });
}

std::string host_of(const Authority& authority) {
  std::string host(authority.host);
  for (char& letter : host) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return host;
}

}  // namespace postern::http
