// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/smtp/server_session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace postern::mail {
namespace {

const char* fault_text(LineStep step) {
  switch (step) {
    case LineStep::bare_cr:
      return "Bare CR in a command";
    case LineStep::bare_lf:
      return "Bare LF in a command: lines end in CRLF";
    case LineStep::nul:
      return "NUL in a command";
    default:
      return "Endless line";
  }
}

}  // namespace

ServerSession::ServerSession(const SmtpSettings& settings, Ipv4Address client, std::string_view tls)
    : settings_(settings),
      lines_(settings.command_line_max),
      tls_(tls),
      decoder_(settings.text_line_max),
      header_(settings.header) {
  envelope_.client = client;
}

SmtpActions ServerSession::start(Instant now) {
  begin_call(now);
  POSTERN_ASSERT(state_ == State::fresh);
  accepted_ = now;
  ask(Question::client, AskClient{});
  return end_call();
}

SmtpActions ServerSession::take(std::string_view octets, Instant now) {
  begin_call(now);
  if (is_closed() || octets.empty()) return end_call();
  const bool is_greeted = state_ != State::fresh && state_ != State::greet_delay &&
                          !(state_ == State::question && question_ == Question::client);
  if (!is_greeted) {
    // RFC5321-3.1: the server speaks first. Who does not wait does not listen, either.
    close_with({554, "5.5.1", settings_.host + " You spoke before the greeting"});
  } else if (state_ == State::tls) {
    close();
  } else if (held_.empty() && wants_octets()) {
    held_ = run(octets);
  } else {
    held_ += octets;
    if (held_.size() > kHeldMax + octets.size()) close();
    resume();
  }
  return end_call();
}

SmtpActions ServerSession::end_of_input(Instant now) {
  begin_call(now);
  is_ended_ = true;
  return end_call();
}

SmtpActions ServerSession::answer(const Reply& reply, Instant now) {
  begin_call(now);
  if (is_closed()) return end_call();
  POSTERN_ASSERT(state_ == State::question);
  state_ = State::command;
  since_ = now;
  switch (question_) {
    case Question::client:
      if (reply && !reply.is_ok()) {
        close_with(reply);
      } else if (settings_.greet_delay > Duration{0}) {
        state_ = State::greet_delay;
      } else {
        greet();
      }
      break;
    case Question::sender:
      answer_sender(reply);
      break;
    case Question::recipient:
      answer_recipient(reply);
      break;
    case Question::password:
      answer_password(reply);
      break;
    case Question::begin:
      answer_begin(reply);
      break;
    case Question::finish:
      answer_finish(reply);
      break;
  }
  if (reply.code == 421 || reply.code == 521) close();
  resume();
  return end_call();
}

SmtpActions ServerSession::on_time(Instant now) {
  begin_call(now);
  const std::optional<Instant> due = deadline();
  if (!due || *due > now) return end_call();
  if (state_ == State::greet_delay) {
    greet();
  } else if (state_ == State::tarpit) {
    state_ = State::command;
    since_ = now;
    say(std::exchange(delayed_, Reply()));
    resume();
  } else {
    if (is_reading_text() && !refusal_) actions_.emplace_back(DropMessage{});
    if (state_ == State::tls) {
      close();
    } else {
      close_with({421, "4.4.2", settings_.host + " Timeout"});
    }
  }
  return end_call();
}

SmtpActions ServerSession::stop(Instant now) {
  begin_call(now);
  is_stopping_ = true;
  return end_call();
}

std::optional<Instant> ServerSession::deadline() const {
  switch (state_) {
    case State::greet_delay:
      return since_ + settings_.greet_delay;
    case State::tarpit:
      return since_ + settings_.tarpit;
    case State::command:
    case State::tls:
      return std::min(since_ + settings_.command_timeout, patience());
    case State::text:
      return std::min(since_ + settings_.data_timeout, message_since_ + settings_.message_timeout);
    case State::fresh:
    case State::question:
    case State::closed:
      break;
  }
  return std::nullopt;
}

// A message on its way has time of its own.
Instant ServerSession::patience() const {
  const bool is_endless = settings_.fruitless_max.ns == 0 || !envelope_.user.empty();
  return is_endless ? Instant{std::numeric_limits<int64_t>::max()}
                    : accepted_ + settings_.fruitless_max;
}

void ServerSession::begin_call(Instant now) {
  now_ = now;
  actions_.clear();
}

SmtpActions ServerSession::end_call() {
  if (is_stopping_ && state_ == State::command && login_ == Login::none) {
    close_with({421, "4.3.2", settings_.host + " The server stops"});
  }
  const bool is_over = is_ended_ && state_ != State::question && state_ != State::tarpit;
  if (is_over && !is_closed()) {
    if (is_reading_text() && !refusal_) actions_.emplace_back(DropMessage{});
    close();
  }
  return std::move(actions_);
}

// At most once in a call: what `working_` holds is looked into by the actions of it.
void ServerSession::resume() {
  if (held_.empty() || !wants_octets()) return;
  working_.swap(held_);
  held_ = run(working_);
}

// Gives what is left over when a question, a delay or the end came in between.
std::string_view ServerSession::run(std::string_view octets) {
  while (!octets.empty() && wants_octets())
    octets.remove_prefix(is_reading_text() ? take_text(octets) : take_line(octets));
  return is_closed() ? std::string_view() : octets;
}

size_t ServerSession::take_line(std::string_view octets) {
  lines_.set_line_max(login_ == Login::none ? settings_.command_line_max : settings_.auth_line_max);
  const LineReader::Piece piece = lines_.feed(octets);
  behind_ = octets.size() - piece.taken;
  if (is_fault(piece.step)) {
    close_with({554, "5.5.2", fault_text(piece.step)});
  } else if (piece.step == LineStep::too_long) {
    since_ = now_;
    login_ = Login::none;
    fail({500, "5.5.2", "Line too long"});
  } else if (piece.step == LineStep::line) {
    since_ = now_;
    if (login_ == Login::none) {
      handle(piece.line);
    } else {
      take_login(piece.line);
    }
  }
  return piece.taken;
}

void ServerSession::say(const Reply& reply) {
  if (actions_.empty() || !std::holds_alternative<SendOctets>(actions_.back())) {
    actions_.emplace_back(SendOctets{});
  }
  append_reply(std::get<SendOctets>(actions_.back()).octets, reply);
}

// Only what is wrong for good counts: whoever is told to come again later does nothing wrong.
void ServerSession::fail(const Reply& reply) {
  if (reply.is_permanent()) ++errors_;
  if (errors_ > settings_.errors_max) {
    close_with({421, "4.7.0", settings_.host + " Too many errors"});
  } else if (reply.is_permanent() && errors_ > settings_.errors_tarpit) {
    delayed_ = reply;
    since_ = now_;
    state_ = State::tarpit;
    actions_.emplace_back(Delay{settings_.tarpit});
  } else {
    say(reply);
  }
}

void ServerSession::ask(Question question, SmtpAction action) {
  question_ = question;
  state_ = State::question;
  actions_.push_back(std::move(action));
}

void ServerSession::close() {
  if (is_closed()) return;
  state_ = State::closed;
  held_.clear();
  actions_.emplace_back(CloseConnection{});
}

void ServerSession::close_with(const Reply& reply) {
  if (is_closed()) return;
  say(reply);
  close();
}

void ServerSession::greet() {
  state_ = State::command;
  since_ = now_;
  say({220, "", settings_.host + " ESMTP"});
}

void ServerSession::reset() {
  has_sender_ = false;
  envelope_.sender = Address();
  envelope_.recipients.clear();
  envelope_.id.clear();
  envelope_.returns = kReturnsUnsaid;
  envelope_.is_8bit = false;
  envelope_.is_utf8 = false;
}

}  // namespace postern::mail
