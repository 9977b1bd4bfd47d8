// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/request.h"

namespace postern::http {
namespace {

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

std::string host_of(const Authority& authority) {
  std::string host(authority.host);
  for (char& letter : host) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return host;
}

}  // namespace postern::http
