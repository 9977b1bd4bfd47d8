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

namespace {

Admission judge(const Core& core, const Asked& asked, const Identity* identity, bool may_ask) {
  const UrlRules& rules = *core.settings.url_rules;
  UrlQuestion question;
  question.url = asked.url();
  question.host = asked.host();
  question.path = asked.path();
  if (identity != nullptr) question.principals = identity->principals;
  if (core.seams.time_holds) question.holds = &core.seams.time_holds;
  const UrlVerdict verdict = rules.judge(question);
  if (verdict.action == UrlAction::permit) return {};
  if (verdict.may_change_by_login && identity == nullptr && may_ask)
    return Admission{Admission::Kind::log_in, {}};
  Admission denial{Admission::Kind::deny, {}};
  if (!verdict.rule) return denial;
  denial.message = rules.rule(*verdict.rule).message;
  denial.rule = static_cast<uint32_t>(*verdict.rule);
  return denial;
}

Admission judge_both(const Core& core, const Asked& asked, const Identity* identity, bool may_ask) {
  const Admission admission = judge(core, asked, identity, may_ask);
  if (admission.kind != Admission::Kind::permit) return admission;
  const std::optional<Asked> loose = asked.loose();
  return loose ? judge(core, *loose, identity, may_ask) : admission;
}

}  // namespace

Admission admit(const Core& core, const Request& request, const Identity* identity, bool may_ask) {
  const bool must_log_in = core.settings.asks_login && identity == nullptr;
  if (must_log_in) return Admission{may_ask ? Admission::Kind::log_in : Admission::Kind::deny, {}};
  if (!core.settings.url_rules) return {};
  return judge_both(core, Asked(request), identity, may_ask);
}

Admission admit_at(const Core& core, const Request& request, const Peer& original,
                   const Identity* identity) {
  if (!core.settings.url_rules) return {};
  const std::string address = to_text(original.address);
  return judge_both(core, Asked(request, address, original.port), identity, false);
}

Admission admit_name(const Core& core, std::string_view name, uint16_t port,
                     const Identity* identity) {
  if (!core.settings.url_rules) return {};
  return judge(core, Asked(name, port), identity, false);
}

}  // namespace postern::http
