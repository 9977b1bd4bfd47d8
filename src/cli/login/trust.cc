// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/trust.h"

#include <fmt/format.h>

#include <optional>

namespace postern::cli {
namespace {

using Word = KeyOpinion::Word;
constexpr std::string_view kPrefix = "sha256:";
constexpr size_t kDigits = 64;

KeyOpinion refused(std::string why) {
  return {Word::refused, std::move(why)};
}

}  // namespace

Result<std::string> parse_fingerprint(std::string_view text) {
  std::string rest(text);
  if (rest.size() > kPrefix.size() && rest[kPrefix.size() - 1] == ':' &&
      (rest.starts_with("sha256") || rest.starts_with("SHA256"))) {
    rest.erase(0, kPrefix.size());
  }
  std::string fingerprint;
  size_t digits = 0;
  for (char c : rest) {
    if (c == ':' && digits % 2 == 0) continue;
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
    if (!is_digit || digits == kDigits) digits = kDigits + 1;
    if (digits > kDigits) break;
    if (digits != 0 && digits % 2 == 0) fingerprint += ':';
    fingerprint += c;
    ++digits;
  }
  if (digits == kDigits) return fingerprint;
  return Error{ErrorCode::invalid,
               "a fingerprint is the SHA-256 of a certificate, 64 hexadecimal "
               "digits, not `" +
                   std::string(text) + "`"};
}

Result<KeyOpinion> judge_certificate(const Trust& trust, const std::string& host,
                                     const SeenCertificate& seen) {
  if (!trust.fingerprint.empty()) {
    if (trust.fingerprint == seen.fingerprint) return KeyOpinion{Word::known, ""};
    return refused(
        fmt::format("the certificate of {} has the SHA-256 {}, not that of --fingerprint: "
                    "somebody may be in between; nothing was told to it",
                    host, seen.fingerprint));
  }
  if (!trust.ca_file.empty()) {
    if (seen.is_verified) return KeyOpinion{Word::known, ""};
    return refused(
        fmt::format("the certificate of {} is not good by {}: {}; nothing was told to it", host,
                    trust.ca_file, seen.reason));
  }
  auto known = find_known_line(trust.known_file, host);
  if (!known) return std::move(known).error();
  if (!*known) return KeyOpinion{seen.is_verified ? Word::known : Word::unknown, ""};
  auto was = parse_fingerprint((*known)->value);
  if (!was) {
    return Error{ErrorCode::invalid, fmt::format("{}:{}: is not HOST:PORT and a fingerprint",
                                                 trust.known_file, (*known)->line)};
  }
  if (*was == seen.fingerprint) return KeyOpinion{Word::known, ""};
  return refused(fmt::format(
      "the certificate of {} has changed: somebody may be in between; nothing was told to it. Its "
      "SHA-256 was {} and is {}. If the gateway has got a new one (`postern show logins --json` on "
      "the gateway itself tells it), remove line {} of {}",
      host, *was, seen.fingerprint, (*known)->line, trust.known_file));
}

Result<void> add_known_page(const Trust& trust, const std::string& host,
                            const SeenCertificate& seen) {
  return add_known_line(trust.known_file, host, std::string(kPrefix) + seen.fingerprint);
}

}  // namespace postern::cli
