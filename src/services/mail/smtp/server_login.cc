// SPDX-License-Identifier: BSD-3-Clause
// STARTTLS (RFC 3207) and AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN.
#include <string.h>

#include <algorithm>
#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/base64.h"
#include "services/mail/message/octets.h"
#include "services/mail/smtp/server_session.h"

namespace postern::mail {
namespace {

constexpr size_t kNameMax = 255;  // of users and passwords, octets (RFC 4616 section 2)

void wipe(std::string& secret) {
  explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace

void ServerSession::handle_start_tls(std::string_view /*argument*/) {
  if (!settings_.offers_tls) {
    fail({502, "5.5.1", "STARTTLS is not offered"});
  } else if (!tls_.empty()) {
    fail({503, "5.5.1", "TLS is there already"});
  } else if (behind_ != 0 || is_ended_) {
    // RFC3207-6: who wrote what came in clear behind it would be taken for the client
    // (CVE-2011-0411).
    close_with({554, "5.5.1", "STARTTLS is the last command before the handshake"});
  } else {
    say({220, "2.0.0", "Go ahead"});
    state_ = State::tls;
    actions_.emplace_back(StartTls{});
  }
}

// RFC3207-4.2: all that was said in clear is forgotten.
SmtpActions ServerSession::tls_is_up(std::string_view tls, Instant now) {
  begin_call(now);
  if (state_ != State::tls) return end_call();
  state_ = State::command;
  since_ = now;
  tls_ = tls;
  lines_.restart();
  reset();
  envelope_.helo.clear();
  envelope_.user.clear();
  is_extended_ = false;
  return end_call();
}

void ServerSession::handle_auth(std::string_view argument) {
  if (!settings_.offers_auth) {
    fail({502, "5.5.1", "AUTH is not offered"});
    return;
  }
  if (!offers_auth()) {
    fail({538, "5.7.11", "AUTH is for encrypted connections"});
    return;
  }
  if (!is_extended_ || !envelope_.user.empty() || has_sender_) {
    fail({503, "5.5.1", is_extended_ ? "AUTH is not allowed now" : "EHLO first"});
    return;
  }
  const size_t space = std::min(argument.find(' '), argument.size());
  const std::string_view mechanism = argument.substr(0, space);
  const std::string_view initial = trim(argument.substr(space));
  if (same_word(mechanism, "PLAIN")) {
    login_ = Login::plain;
  } else if (same_word(mechanism, "LOGIN")) {
    login_ = Login::login_user;
  } else {
    fail({504, "5.5.4", "This mechanism is not offered"});
    return;
  }
  if (!initial.empty()) {
    // RFC4954-4: "=" is an initial response of no octets.
    take_login(initial == "=" ? std::string_view() : initial);
  } else {
    say({334, "", login_ == Login::plain ? "" : encode_base64("Username:")});
  }
}

void ServerSession::take_login(std::string_view line) {
  if (line == "*") {
    login_ = Login::none;
    wipe(user_);
    fail({501, "5.7.0", "Authentication cancelled"});
    return;
  }
  std::optional<std::string> text = decode_base64(line);
  if (!text) {
    login_ = Login::none;
    fail({501, "5.5.2", "This is not base 64"});
    return;
  }
  if (login_ == Login::plain) {
    take_plain(*text);
  } else {
    take_login_word(*text);
  }
  wipe(*text);
}

// [authorize as] NUL user NUL password
void ServerSession::take_plain(std::string_view text) {
  login_ = Login::none;
  const size_t first = text.find('\0');
  const size_t second = first == std::string_view::npos ? first : text.find('\0', first + 1);
  if (second == std::string_view::npos) {
    fail({501, "5.5.2", "This is no response of PLAIN"});
    return;
  }
  const std::string_view as = text.substr(0, first);
  const std::string_view user = text.substr(first + 1, second - first - 1);
  // Nobody acts for somebody else.
  if (!as.empty() && as != user) {
    fail({535, "5.7.8", "Authentication failed"});
    return;
  }
  ask_password(std::string(user), std::string(text.substr(second + 1)));
}

void ServerSession::take_login_word(std::string_view text) {
  if (login_ == Login::login_user) {
    user_ = text;
    login_ = Login::login_password;
    say({334, "", encode_base64("Password:")});
    return;
  }
  login_ = Login::none;
  ask_password(std::exchange(user_, std::string()), std::string(text));
}

void ServerSession::ask_password(std::string user, std::string password) {
  const auto is_sound = [](const std::string& name) {
    return !name.empty() && name.size() <= kNameMax && is_utf8(name) &&
           name.find('\0') == std::string::npos;
  };
  if (!is_sound(user) || std::any_of(user.begin(), user.end(), is_control) || !is_sound(password)) {
    wipe(password);
    answer_password({535, "5.7.8", "Authentication failed"});
    return;
  }
  user_ = user;
  ask(Question::password, AskPassword{std::move(user), std::move(password)});
}

void ServerSession::answer_password(const Reply& reply) {
  std::string user = std::exchange(user_, std::string());
  if (!reply || reply.is_ok()) {
    envelope_.user = std::move(user);
    say({235, "2.7.0", "Authenticated"});
    return;
  }
  ++tries_;
  if (tries_ >= settings_.auth_tries_max) {
    close_with({421, "4.7.0", settings_.host + " Too many attempts to authenticate"});
  } else {
    fail(reply);
  }
}

}  // namespace postern::mail
