// SPDX-License-Identifier: BSD-3-Clause
// The part of ClientSession up to the first message: greeting, EHLO, STARTTLS, AUTH.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "services/mail/message/address.h"
#include "services/mail/message/base64.h"
#include "services/mail/message/octets.h"
#include "services/mail/smtp/client_session.h"

namespace postern::mail {
namespace {

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

void note_mechanisms(std::string_view list, Offers& offers) {
  for (std::string_view word = take_word(list); !word.empty(); word = take_word(list)) {
    offers.is_plain = offers.is_plain || same_word(word, "PLAIN");
    offers.is_login = offers.is_login || same_word(word, "LOGIN");
    offers.is_cram_md5 = offers.is_cram_md5 || same_word(word, "CRAM-MD5");
    offers.is_xoauth2 = offers.is_xoauth2 || same_word(word, "XOAUTH2");
  }
}

void note_offer(std::string_view line, Offers& offers) {
  const std::string_view word = take_word(line);
  line = trim(line);
  if (same_word(word, "PIPELINING")) offers.is_pipelining = true;
  if (same_word(word, "8BITMIME")) offers.is_8bit = true;
  if (same_word(word, "SMTPUTF8")) offers.is_utf8 = true;
  if (same_word(word, "DSN")) offers.is_dsn = true;
  if (same_word(word, "STARTTLS")) offers.is_tls = true;
  if (same_word(word, "AUTH")) note_mechanisms(line, offers);
  // What servers said before RFC 4954, and some still do.
  constexpr std::string_view kOldAuth = "AUTH=";
  if (same_word(word.substr(0, kOldAuth.size()), kOldAuth)) {
    note_mechanisms(word.substr(kOldAuth.size()), offers);
    note_mechanisms(line, offers);
  }
  if (same_word(word, "SIZE")) {
    offers.is_size = true;
    // What is no number, or too large for one, is no limit.
    uint64_t most = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), most);
    const bool is_number = read.ec == std::errc() && read.ptr == line.data() + line.size();
    offers.size_max = is_number ? most : 0;
  }
}

// RFC 2195 section 2: the user, and the HMAC-MD5 of the challenge in hexadecimal digits.
std::string cram_md5(const Credentials& credentials, const std::string& challenge) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned int length = 0;
  const unsigned char* made =
      HMAC(EVP_md5(), credentials.password.data(), static_cast<int>(credentials.password.size()),
           reinterpret_cast<const unsigned char*>(challenge.data()), challenge.size(),
           digest.data(), &length);
  std::string text = credentials.user + ' ';
  if (made == nullptr) return text;  // the library may not: the server says no
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (size_t i = 0; i < length; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string encode_and_wipe(std::string text) {
  std::string encoded = encode_base64(text);
  OPENSSL_cleanse(text.data(), text.size());
  return encoded;
}

}  // namespace

Offers parse_offers(std::string_view text) {
  Offers offers;
  bool is_greeting = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (!is_greeting) note_offer(text.substr(0, end), offers);
    is_greeting = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return offers;
}

void ClientSession::take_greeting(const Reply& reply) {
  if (!reply.is_ok()) return refuse_server(reply);
  put("EHLO " + settings_.helo, Expected::extended_hello);
}

void ClientSession::take_extended_hello(const Reply& reply) {
  if (reply.is_ok()) {
    offers_ = parse_offers(reply.text);
    return opened();
  }
  if (!reply.is_permanent()) return refuse_server(reply);
  // RFC5321-4.1.1.1: a server that does not know EHLO.
  put("HELO " + settings_.helo, Expected::hello);
}

void ClientSession::take_hello(const Reply& reply) {
  if (!reply.is_ok()) return refuse_server(reply);
  offers_ = {};
  opened();
}

void ClientSession::opened() {
  if (!has_tls_ && settings_.starts_tls && offers_.is_tls) {
    return put("STARTTLS", Expected::start_tls);
  }
  if (!has_tls_ && settings_.needs_tls) {
    return refuse_server({451, "4.7.4", "The server offers no STARTTLS, and TLS is required"});
  }
  log_in();
}

void ClientSession::take_start_tls(const Reply& reply) {
  if (reply.is_ok()) {
    state_ = State::tls;
    offers_ = {};
    lines_.restart();
    actions_.emplace_back(StartTls{});
    return;
  }
  if (settings_.needs_tls) return refuse_server(reply);
  log_in();
}

ClientActions ClientSession::tls_is_up(Instant now) {
  POSTERN_ASSERT(state_ == State::tls);
  begin_call(now);
  has_tls_ = true;
  state_ = State::opening;
  put("EHLO " + settings_.helo, Expected::extended_hello);
  return end_call();
}

// What a server says to us keeps our mail from this server for now; it says nothing about the mail.
void ClientSession::refuse_server(const Reply& reply) {
  Reply why = reply;
  if (!reply.is_transient()) {
    why = {451, reply.enhanced, "The server said " + to_text(reply)};
    if (!why.enhanced.empty()) why.enhanced.front() = '4';
  }
  actions_.emplace_back(SendOctets{"QUIT\r\n"});
  end_session(why);
}

void ClientSession::log_in() {
  if (settings_.credentials.user.empty()) return become_ready();
  if (!has_tls_ && !settings_.allows_clear_auth) {
    return refuse_server({451, "4.7.11", "There is no TLS, and without it no password is sent"});
  }
  mechanism_ = choose_mechanism();
  if (mechanism_ == Mechanism::none) {
    return refuse_server({451, "4.7.4", "The server offers no AUTH that could be used"});
  }
  if (mechanism_ != Mechanism::xoauth2) return begin_auth({});
  state_ = State::token;
  actions_.emplace_back(AskToken{has_asked_again_});
}

ClientSession::Mechanism ClientSession::choose_mechanism() const {
  if (!settings_.credentials.token_command.empty()) {
    return offers_.is_xoauth2 ? Mechanism::xoauth2 : Mechanism::none;
  }
  // In clear the one that does not tell the password; else those that need no MD5.
  if (!has_tls_ && offers_.is_cram_md5) return Mechanism::cram_md5;
  if (offers_.is_plain) return Mechanism::plain;
  if (offers_.is_login) return Mechanism::login;
  return offers_.is_cram_md5 ? Mechanism::cram_md5 : Mechanism::none;
}

ClientActions ClientSession::answer_token(std::string_view token, const std::string& why,
                                          Instant now) {
  begin_call(now);
  if (state_ != State::token) return end_call();
  until_ = now + settings_.command_timeout + kOpeningMax;
  if (token.empty()) {
    refuse_server({451, "4.7.0", "There is no token to log in with: " + why});
  } else {
    state_ = State::opening;
    begin_auth(token);
  }
  return end_call();
}

void ClientSession::begin_auth(std::string_view token) {
  const Credentials& own = settings_.credentials;
  auth_step_ = 0;
  switch (mechanism_) {
    case Mechanism::plain:  // RFC 4616 section 2
      return put_auth("PLAIN", encode_and_wipe('\0' + own.user + '\0' + own.password));
    case Mechanism::xoauth2:
      return put_auth("XOAUTH2", encode_and_wipe("user=" + own.user + "\1auth=Bearer " +
                                                 std::string(token) + "\1\1"));
    case Mechanism::login:
      return put("AUTH LOGIN", Expected::auth);
    case Mechanism::cram_md5:
      return put("AUTH CRAM-MD5", Expected::auth);
    case Mechanism::none:
      break;
  }
  POSTERN_ASSERT(mechanism_ != Mechanism::none);
}

// RFC4954-4: an initial response that makes the line too long waits for the server to ask for it.
// Tokens are always too long, and their servers take them so.
void ClientSession::put_auth(std::string_view name, const std::string& response) {
  const std::string line = "AUTH " + std::string(name) + ' ';
  if (mechanism_ == Mechanism::xoauth2 || line.size() + response.size() + 2 <= kCommandLineMax) {
    return put(line + response, Expected::auth);
  }
  response_ = response;
  put("AUTH " + std::string(name), Expected::auth);
}

void ClientSession::take_auth(const Reply& reply) {
  if (reply.is_more()) return answer_challenge(reply);
  if (reply.is_ok()) return become_ready();
  if (mechanism_ == Mechanism::xoauth2 && !std::exchange(has_asked_again_, true)) {
    state_ = State::token;
    actions_.emplace_back(AskToken{true});
    return;
  }
  refuse_server(reply);
}

void ClientSession::answer_challenge(const Reply& reply) {
  if (++auth_step_ > kAuthStepsMax) return break_off("AUTH goes on without an end");
  const Credentials& own = settings_.credentials;
  std::optional<std::string> answer;  // nothing: "*", which gives up
  if (mechanism_ == Mechanism::plain && !response_.empty()) {
    answer = std::exchange(response_, {});
  } else if (mechanism_ == Mechanism::login && auth_step_ <= 2) {
    answer = encode_base64(auth_step_ == 1 ? own.user : own.password);
  } else if (mechanism_ == Mechanism::cram_md5 && auth_step_ == 1) {
    const std::optional<std::string> challenge = decode_base64(reply.text);
    if (challenge) answer = encode_base64(cram_md5(own, *challenge));
  } else if (mechanism_ == Mechanism::xoauth2 && auth_step_ == 1) {
    answer = "";  // the challenge tells what is wrong; then comes the no
  }
  put(answer.value_or("*"), Expected::auth);
}

void ClientSession::become_ready() {
  state_ = State::ready;
  actions_.emplace_back(ReadyForMessage{});
}

}  // namespace postern::mail
