// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/request.h"

#include <algorithm>

#include "base/assert.h"

namespace postern::http {

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
  if (target.form != TargetForm::authority && !url.authority.host.empty()) {
    // What a user has is kept for nobody; the text without the user is for rules and logs.
    Url nameless = url;
    nameless.user = {};
    has_key = make_key(nameless, key) && url.user.empty();
  }
  return {};
}

std::string_view Request::shown_url() const {
  if (!key.text.empty()) return key.text;
  // One that was refused, or that is too long for a key.
  const std::string_view text = head().target;
  const size_t place = text.find("://");
  if (place == std::string_view::npos) return text;
  const size_t end = std::min(text.find_first_of("/?#", place + 3), text.size());
  const size_t at = text.substr(0, end).rfind('@');
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

std::shared_ptr<Request> keep_request(std::string_view head, const HeadLimits& limits) {
  auto kept = std::make_shared<Request>(limits);
  kept->text = head;
  POSTERN_ASSERT(kept->reader.read(kept->text) == Step::done);
  POSTERN_ASSERT(!kept->analyse());
  return kept;
}

std::string host_of(const Authority& authority) {
  std::string host(authority.host);
  for (char& letter : host) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return host;
}

}  // namespace postern::http
