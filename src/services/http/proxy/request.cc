// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/request.h"

#include "base/assert.h"

namespace postern::http {

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
  return {};
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
