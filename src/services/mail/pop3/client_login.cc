// SPDX-License-Identifier: BSD-3-Clause
// How Pop3Client gets from the greeting to the transaction: CAPA, STLS, and one way to log in.
#include <algorithm>
#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/base64.h"
#include "services/mail/message/octets.h"
#include "services/mail/pop3/client_session.h"

namespace postern::mail {
namespace {

// The next word from the front of `text`, which loses it.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// As an argument of USER or PASS: what USER and PASS were made for.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char octet) { return octet > 0x20 && octet < 0x7f; });
}

bool is_sayable(std::string_view text) {
  return find_breaker(text, 0) == text.size();
}

}  // namespace

void Pop3Client::ask_offers() {
  offers_ = {};
  say("CAPA", State::offers);
}

void Pop3Client::take_offer(std::string_view line) {
  if (line == ".") return opened();
  if (++offer_lines_ > kOffersMax)
    return end(ErrorCode::invalid, "the server offers more than there is");
  const std::string_view word = take_word(line);
  if (same_word(word, "STLS")) offers_.is_stls = true;
  if (same_word(word, "USER")) offers_.is_user = true;
  if (!same_word(word, "SASL")) return;
  while (!trim(line).empty())
    offers_.is_plain = same_word(take_word(line), "PLAIN") || offers_.is_plain;
}

void Pop3Client::opened() {
  if (is_secure_ || settings_.tls == TlsMode::none) return log_in();
  if (offers_.is_stls) return say("STLS", State::stls);
  end(ErrorCode::denied, "the server offers no TLS, and no password goes without");
}

void Pop3Client::tls_started() {
  if (state_ != State::handshake) return;
  is_secure_ = true;
  lines_.restart();
  ask_offers();
}

void Pop3Client::log_in() {
  if (settings_.user.empty() || !is_sayable(settings_.user) || !is_sayable(settings_.password))
    return end(ErrorCode::invalid, "there is no user name, or it or its password has line ends");
  if (settings_.has_token) {
    state_ = State::token;
    return host_.ask_token(tokens_asked_++ != 0);
  }
  if (prefers_plain()) return say("AUTH PLAIN", State::sasl);
  say("USER " + settings_.user, State::user);
}

// What is no ASCII has a meaning in PLAIN alone (RFC 4616).
bool Pop3Client::prefers_plain() const {
  if (!offers_.is_plain) return false;
  return !offers_.is_user || !is_plain(settings_.user) || !is_plain(settings_.password);
}

void Pop3Client::give_token(const std::string& token) {
  if (state_ != State::token) return;
  if (token.empty() || !is_sayable(token))
    return end(ErrorCode::invalid, "the token is empty, or has line ends");
  token_ = token;
  is_challenged_ = false;
  say("AUTH XOAUTH2", State::sasl);
}

std::string Pop3Client::sasl_response() const {
  if (!settings_.has_token) return encode_base64('\0' + settings_.user + '\0' + settings_.password);
  return encode_base64("user=" + settings_.user + "\x01" + "auth=Bearer " + token_ + "\x01\x01");
}

void Pop3Client::take_challenge() {
  if (state_ == State::sasl) return say(sasl_response(), State::sasl_response);
  if (std::exchange(is_challenged_, true))
    return end(ErrorCode::invalid, "the server asks for more than PLAIN or XOAUTH2 have");
  // XOAUTH2 tells what is wrong as a challenge; the empty response brings the -ERR.
  say(settings_.has_token ? "" : "*", State::sasl_response);
}

void Pop3Client::take_login(const Answer& answer) {
  if (!answer.is_ok) {
    token_.clear();
    // It may have expired.
    const bool is_token_refused = settings_.has_token && state_ == State::sasl_response;
    if (is_token_refused && tokens_asked_ < 2) return log_in();
    return refused(settings_.has_token ? "the server refuses the token"
                                       : "the server refuses the user or the password",
                   answer.text);
  }
  if (state_ == State::sasl) return end(ErrorCode::invalid, "the server lets everybody in");
  token_.clear();
  if (state_ == State::user) return say("PASS " + settings_.password, State::password);
  say("STAT", State::stat);
}

}  // namespace postern::mail
