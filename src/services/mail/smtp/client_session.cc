// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/smtp/client_session.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"

namespace postern::mail {

ClientSession::ClientSession(ClientSettings settings)
    : settings_(std::move(settings)), has_tls_(settings_.has_tls) {}

ClientSession::~ClientSession() {
  std::string& password = settings_.credentials.password;
  OPENSSL_cleanse(password.data(), password.size());
  OPENSSL_cleanse(response_.data(), response_.size());
}

ClientActions ClientSession::start(Instant now) {
  POSTERN_ASSERT(state_ == State::fresh);
  begin_call(now);
  state_ = State::opening;
  expected_.push_back(Expected::greeting);
  since_ = now;
  until_ = now + settings_.command_timeout + kOpeningMax;
  return end_call();
}

ClientActions ClientSession::take(std::string_view octets, Instant now) {
  begin_call(now);
  // RFC3207-4.2: what came in clear behind the reply to STARTTLS counts for nothing.
  while (!octets.empty() && state_ != State::over && state_ != State::tls) {
    const LineReader::Piece piece = lines_.feed(octets);
    octets.remove_prefix(piece.taken);
    if (piece.step == LineStep::more) break;
    if (piece.step != LineStep::line) {
      break_off("What came " + waited_for() + " is no reply");
      break;
    }
    switch (replies_.take(piece.line)) {
      case ReplyReader::Step::more:
        break;
      case ReplyReader::Step::bad:
        break_off("What came " + waited_for() + " is no reply");
        break;
      case ReplyReader::Step::done:
        since_ = now_;
        take_reply(replies_.reply());
        break;
    }
  }
  return end_call();
}

ClientSession::Handler ClientSession::handler_of(Expected expected) {
  switch (expected) {
    case Expected::greeting:
      return &ClientSession::take_greeting;
    case Expected::extended_hello:
      return &ClientSession::take_extended_hello;
    case Expected::hello:
      return &ClientSession::take_hello;
    case Expected::start_tls:
      return &ClientSession::take_start_tls;
    case Expected::auth:
      return &ClientSession::take_auth;
    case Expected::reset:
      return &ClientSession::take_reset;
    case Expected::sender:
      return &ClientSession::take_sender;
    case Expected::recipient:
      return &ClientSession::take_recipient;
    case Expected::data:
      return &ClientSession::take_data;
    case Expected::end:
      return &ClientSession::take_end;
    case Expected::empty_end:
      return &ClientSession::take_empty_end;
    case Expected::said:
      break;
  }
  return &ClientSession::take_said;
}

void ClientSession::take_reply(const Reply& reply) {
  constexpr uint16_t kGoing = 421;  // RFC5321-3.8: at any time; nothing follows it
  if (reply.code == kGoing) return end_session(reply);
  if (expected_.empty()) {
    if (state_ == State::text) return take_early(reply);
    return break_off("The server answers what was not asked: " + to_text(reply));
  }
  const Expected expected = expected_.front();
  expected_.pop_front();
  was_heard_ = was_heard_ || has_message();
  (this->*handler_of(expected))(reply);
}

ClientActions ClientSession::say(const std::string& line, Instant now) {
  POSTERN_ASSERT(is_ready());
  begin_call(now);
  state_ = State::saying;
  until_ = now + settings_.command_timeout + kOpeningMax;
  put(line, Expected::said);
  return end_call();
}

ClientActions ClientSession::quit(Instant now) {
  begin_call(now);
  if (state_ != State::over) {
    actions_.emplace_back(SendOctets{"QUIT\r\n"});
    actions_.emplace_back(CloseConnection{});
    state_ = State::over;
  }
  return end_call();
}

ClientActions ClientSession::lost(const std::string& why, Instant now) {
  begin_call(now);
  if (state_ != State::over) {
    end_session({451, "4.4.2", "The connection was lost " + waited_for() + ": " + why});
  }
  return end_call();
}

ClientActions ClientSession::on_time(Instant now) {
  begin_call(now);
  const std::optional<Instant> until = deadline();
  if (until && *until <= now) {
    const bool is_slow = state_ != State::text_end && until_ < since_ + settings_.command_timeout;
    const std::string what = is_slow ? "was too slow " : "was silent for too long ";
    end_session({451, "4.4.2", "The server " + what + waited_for()});
  }
  return end_call();
}

std::optional<Instant> ClientSession::deadline() const {
  switch (state_) {
    case State::fresh:
    case State::token:
    case State::ready:
    case State::over:
      return std::nullopt;
    case State::text_end:
      return since_ + settings_.end_timeout;
    case State::opening:
    case State::tls:
    case State::envelope:
    case State::text:
    case State::saying:
      break;
  }
  return std::min(since_ + settings_.command_timeout, until_);
}

void ClientSession::begin_call(Instant now) {
  now_ = now;
  actions_.clear();
}

ClientActions ClientSession::end_call() {
  // Commands that were put one after another go in one piece (RFC 2920 section 3.1).
  ClientActions merged;
  merged.reserve(actions_.size());
  for (ClientAction& action : actions_) {
    auto* octets = std::get_if<SendOctets>(&action);
    auto* before = merged.empty() ? nullptr : std::get_if<SendOctets>(&merged.back());
    if (octets != nullptr && before != nullptr) {
      before->octets += octets->octets;
    } else {
      merged.push_back(std::move(action));
    }
  }
  actions_.clear();
  return merged;
}

void ClientSession::put(const std::string& line, Expected expected) {
  actions_.emplace_back(SendOctets{line + "\r\n"});
  expected_.push_back(expected);
  since_ = now_;
}

// `reply` is what a message that is under way is put off with, or failed.
void ClientSession::end_session(const Reply& reply) {
  state_ = State::over;
  if (has_message()) {
    settle_rest(reply);
    end_message();
  }
  actions_.emplace_back(SessionOver{reply});
  actions_.emplace_back(CloseConnection{});
}

// The two sides are out of step.
void ClientSession::break_off(const std::string& what) {
  end_session({451, "4.5.0", what});
}

// "while waiting for the answer to MAIL"
std::string ClientSession::waited_for() const {
  if (state_ == State::text) return "in the middle of the text";
  if (state_ == State::tls) return "in the TLS handshake";
  if (expected_.empty()) return "between two messages";
  constexpr std::array<std::string_view, 12> kNames = {"greeting",
                                                       "answer to EHLO",
                                                       "answer to HELO",
                                                       "answer to STARTTLS",
                                                       "answer to AUTH",
                                                       "answer to RSET",
                                                       "answer to MAIL",
                                                       "answer to RCPT",
                                                       "answer to DATA",
                                                       "answer to the end of the text",
                                                       "answer to the end of the text",
                                                       "answer"};
  return "while waiting for the " + std::string(kNames[static_cast<size_t>(expected_.front())]);
}

}  // namespace postern::mail
