// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/smtp_connection.h"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "services/mail/net/server_tls.h"

namespace postern::mail {

SmtpConnection::SmtpConnection(SmtpHost& host, std::shared_ptr<const SmtpRules> rules,
                               SmtpPort port, Ipv4Address client, Over over)
    : host_(host),
      rules_(std::move(rules)),
      port_(port),
      client_(client),
      over_(std::move(over)),
      settings_(settings_for(*rules_, port, client)),
      timer_(host.context) {}

SmtpConnection::~SmtpConnection() {
  if (stream_ && !is_over_) stream_->close();
}

void SmtpConnection::begin(int fd) {
  stream_ = Stream::take(host_.context, fd);
  Stream::Calls calls;
  const auto weak = weak_from_this();
  calls.received = [weak](std::string_view octets) {
    if (const auto self = weak.lock()) self->receive(octets);
  };
  calls.drained = [weak] {
    if (const auto self = weak.lock()) self->settle();
  };
  calls.secured = [weak](const Result<void>& outcome) {
    const auto self = weak.lock();
    if (!self) return;
    if (!outcome) return self->end(false);
    const std::string tls = self->stream_->tls_text();
    if (!self->session_) return self->open_session(tls);
    self->perform(self->session_->tls_is_up(tls, self->now()));
  };
  calls.end_of_input = [weak] {
    const auto self = weak.lock();
    if (!self) return;
    if (!self->session_) return self->end(false);
    self->perform(self->session_->end_of_input(self->now()));
  };
  calls.failed = [weak](const Error&) {
    if (const auto self = weak.lock()) self->end(false);
  };
  stream_->begin(std::move(calls));
  if (port_ != SmtpPort::submissions) return open_session({});
  if (rules_->tls == nullptr) return end(false);
  handshake_ = now() + kHandshakeMax;
  stream_->secure_as_server(rules_->tls);
  arm();
}

void SmtpConnection::open_session(std::string_view tls) {
  handshake_.reset();
  session_.emplace(settings_, client_, tls);
  perform(session_->start(now()));
}

void SmtpConnection::stop() {
  if (!session_) return end(false);
  const auto self = shared_from_this();
  perform(session_->stop(now()));
}

// Sessions hold what comes early, but not for ever: so the second piece is the last.
void SmtpConnection::receive(std::string_view octets) {
  if (!session_) return;
  is_held_ = is_greeted_ && !session_->wants_octets();
  perform(session_->take(octets, now()));
}

// Questions that are answered at once go round here, however many were pipelined.
void SmtpConnection::perform(SmtpActions actions) {
  const auto self = shared_from_this();  // the owner lets go of it when it is over
  for (;;) {
    is_performing_ = true;
    for (SmtpAction& action : actions) {
      if (!is_over_) std::visit([this](auto& one) { act(one); }, action);
    }
    is_performing_ = false;
    if (!ready_ || is_over_) break;
    const Reply reply = *std::exchange(ready_, std::nullopt);
    actions = session_->answer(reply, now());
  }
  settle();
}

void SmtpConnection::answer(const Reply& reply) {
  if (is_performing_) {
    ready_ = reply;
  } else if (!is_over_) {
    perform(session_->answer(reply, now()));
  }
}

void SmtpConnection::settle() {
  if (is_over_ || !session_) return;
  if (session_->wants_octets()) is_held_ = false;
  stream_->want_input(!is_held_ && !is_behind_ && stream_->unsent() < kUnsentMax);
  arm();
}

// A deadline that moves on, as it does with each command, leaves the timer as it is.
void SmtpConnection::arm() {
  const std::optional<Instant> due = handshake_ ? handshake_ : session_->deadline();
  if (!due || (armed_ && *armed_ <= *due)) return;
  armed_ = due;
  timer_.expires_after(std::chrono::nanoseconds((*due - now()).ns));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->on_timer();
  });
}

void SmtpConnection::on_timer() {
  armed_.reset();
  if (is_over_) return;
  if (!handshake_) return perform(session_->on_time(now()));
  if (now() >= *handshake_) return end(false);
  arm();
}

// A message that has begun and was not finished never was.
void SmtpConnection::end(bool was_told) {
  if (std::exchange(is_over_, true)) return;
  const auto self = shared_from_this();
  incoming_.reset();
  timer_.cancel();
  if (was_told) {
    stream_->close_when_sent(kLeavingMax);
  } else {
    stream_->close();
  }
  over_(*this, stream_);
}

}  // namespace postern::mail
