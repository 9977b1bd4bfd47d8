// SPDX-License-Identifier: BSD-3-Clause
// The parameters of MAIL and RCPT (RFC 5321 section 4.1.2) of the extensions that we know, and
// xtext (RFC 3461 section 4).
//
//   MAIL FROM:<joe@a.example> SIZE=4711 BODY=8BITMIME SMTPUTF8 AUTH=<> RET=HDRS ENVID=q+2B1
//   RCPT TO:<ann@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ann@c.example
//
// Each at most once. Bounds (RFC 3461 sections 4.2, 4.4 and 5.4): ENVID 100 octets, ORCPT 500; AUTH
// 500; SIZE 20 digits. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

enum class ParameterFault : uint8_t {
  none,
  unknown,  // 555 5.5.4
  value,    // 501 5.5.4
  twice,    // 501 5.5.4
};

struct MailParameters {
  std::optional<uint64_t> size;  // octets; what is above 2^64-1 counts as that
  bool is_8bit = false;
  bool is_utf8 = false;
  uint8_t returns = 0;  // Returns of envelope.h
  std::string id;       // ENVID in xtext, as written
  std::string auth;     // AUTH in xtext, as written
};

struct RcptParameters {
  uint8_t notify = 0;    // Notify bits of envelope.h
  std::string original;  // ORCPT as written, with its type
};

// `text`: what stands behind the path, beginning with a space or empty. `is_auth`: whether AUTH= is
// offered.
ParameterFault parse_mail_parameters(std::string_view text, bool is_auth, MailParameters& out);
ParameterFault parse_rcpt_parameters(std::string_view text, RcptParameters& out);

// Nothing: it is not xtext.
std::optional<std::string> decode_xtext(std::string_view text);
std::string encode_xtext(std::string_view text);

}  // namespace postern::mail
