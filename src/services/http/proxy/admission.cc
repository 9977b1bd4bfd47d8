// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/admission.h"

#include <sodium.h>

#include <array>

#include "services/http/message/fields.h"

namespace postern::http {
namespace {

constexpr size_t kCredentialsMax = 1024;  // octets, as they come

}  // namespace

Credentials::~Credentials() {
  sodium_memzero(password.data(), password.size());
}

std::optional<Credentials> parse_basic(std::string_view value) {
  const size_t space = value.find(' ');
  if (space == std::string_view::npos || !same_word(value.substr(0, space), "basic"))
    return std::nullopt;
  const std::string_view coded = trimmed(value.substr(space));
  if (coded.size() > kCredentialsMax) return std::nullopt;
  std::array<char, kCredentialsMax> plain;
  size_t size = 0;
  const char* end = nullptr;
  const int decoded =
      sodium_base642bin(reinterpret_cast<unsigned char*>(plain.data()), plain.size(), coded.data(),
                        coded.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL);
  const std::string_view text(plain.data(), size);
  const size_t colon = text.find(':');
  std::optional<Credentials> credentials;
  if (decoded == 0 && end == coded.data() + coded.size() && colon != std::string_view::npos) {
    credentials.emplace();
    credentials->user = text.substr(0, colon);
    credentials->password = text.substr(colon + 1);
  }
  sodium_memzero(plain.data(), plain.size());
  return credentials;
}

Asked asked_of(const Request& request) {
  if (request.target.form == TargetForm::authority)
    return Asked{request.head().target, request.url.authority.host, {}};
  return Asked{request.shown_url(), request.url.authority.host, request.url.path};
}

Admission admit(const Core& core, const Asked& asked, const Identity* identity, bool may_ask) {
  const bool must_log_in = core.settings.asks_login && identity == nullptr;
  if (must_log_in) return Admission{may_ask ? Admission::Kind::log_in : Admission::Kind::deny, {}};
  if (!core.settings.url_rules) return {};
  UrlQuestion question;
  question.url = asked.url;
  question.host = asked.host;
  question.path = asked.path;
  if (identity != nullptr) question.principals = identity->principals;
  if (core.seams.time_holds) question.holds = &core.seams.time_holds;
  const UrlVerdict verdict = core.settings.url_rules->judge(question);
  if (verdict.action == UrlAction::permit) return {};
  if (verdict.may_change_by_login && identity == nullptr && may_ask)
    return Admission{Admission::Kind::log_in, {}};
  const std::string_view message =
      verdict.rule ? std::string_view(core.settings.url_rules->rule(*verdict.rule).message)
                   : std::string_view();
  return Admission{Admission::Kind::deny, message};
}

}  // namespace postern::http
