// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/etrn.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

namespace postern::mail {
namespace {

constexpr Duration kFarewell = seconds(5);

}  // namespace

std::string etrn_name(const EtrnHost& host) {
  return host.host + ':' + std::to_string(host.port);
}

EtrnSession::EtrnSession(const Tools& tools, EtrnHost host, Manner manner, Then then)
    : tools_(tools), host_(std::move(host)), manner_(std::move(manner)), then_(std::move(then)) {}

EtrnSession::~EtrnSession() {
  if (stream_) stream_->close();
}

void EtrnSession::start() {
  dialer_ =
      std::make_unique<Dialer>(tools_.context, tools_.seams, Dialer::Server{host_.host, host_.port},
                               [weak = weak_from_this()](const Result<Dialer::Reached>& outcome) {
                                 if (const auto self = weak.lock()) self->reached(outcome);
                               });
}

void EtrnSession::reached(const Result<Dialer::Reached>& reached) {
  dialer_.reset();
  if (!reached) return conclude(reached.error().text);
  ClientSettings settings;
  const TlsMode mode = host_.tls.mode;
  settings.helo = manner_.host;
  settings.has_tls = mode == TlsMode::implicit;
  settings.needs_tls = settings.has_tls || mode == TlsMode::required;
  settings.starts_tls = mode != TlsMode::none && !is_clear_;
  session_ = std::make_unique<ClientSession>(settings);
  stream_ = reached->stream;
  const auto with = [weak = weak_from_this()](auto call) {
    return [weak, call](const auto&... args) {
      const auto self = weak.lock();
      if (self && self->stream_) call(*self, args...);
    };
  };
  Stream::Calls calls;
  calls.received = with([](EtrnSession& self, std::string_view octets) {
    self.carry_out(self.session_->take(octets, self.tools_.seams.now()));
  });
  calls.secured = with([](EtrnSession& self, const Result<void>& done) { self.secured(done); });
  calls.end_of_input = with([](EtrnSession& self) { self.lost("the server closed it"); });
  calls.failed = with([](EtrnSession& self, const Error& why) { self.lost(why.text); });
  stream_->begin(std::move(calls));
  if (settings.has_tls) stream_->secure_as_client(manner_.tls, host_.host);
  carry_out(session_->start(tools_.seams.now()));
}

void EtrnSession::secured(const Result<void>& outcome) {
  if (outcome) {
    if (host_.tls.mode != TlsMode::implicit) carry_out(session_->tls_is_up(tools_.seams.now()));
    return;
  }
  if (host_.tls.mode != TlsMode::opportunistic) return lost(outcome.error().text);
  is_clear_ = true;
  stream_->close();
  stream_.reset();
  session_.reset();
  start();
}

void EtrnSession::tick() {
  if (dialer_) return dialer_->tick();
  if (session_ && stream_) carry_out(session_->on_time(tools_.seams.now()));
}

void EtrnSession::lost(const std::string& why) {
  carry_out(session_->lost(why, tools_.seams.now()));
}

void EtrnSession::carry_out(const ClientActions& actions) {
  bool is_ready = false;
  for (const ClientAction& action : actions) {
    if (const auto* send = std::get_if<SendOctets>(&action)) {
      stream_->send(send->octets);
    } else if (std::holds_alternative<StartTls>(action)) {
      stream_->secure_as_client(manner_.tls, host_.host);
    } else if (std::holds_alternative<ReadyForMessage>(action)) {
      is_ready = true;
    } else if (const auto* reply = std::get_if<Said>(&action)) {
      said(reply->reply);
    } else if (const auto* over = std::get_if<SessionOver>(&action)) {
      return conclude(to_text(over->reply));
    }
  }
  if (is_ready) say_next();
}

void EtrnSession::said(const Reply& reply) {
  const std::string& domain = host_.domains[at_++];
  // RFC1985-5: 250 to 253: begun, nothing there, some are there.
  if (!reply.is_ok() && outcome_.empty()) outcome_ = domain + ": " + to_text(reply);
}

void EtrnSession::say_next() {
  if (at_ < host_.domains.size())
    return carry_out(session_->say("ETRN " + host_.domains[at_], tools_.seams.now()));
  for (const ClientAction& action : session_->quit(tools_.seams.now())) {
    if (const auto* send = std::get_if<SendOctets>(&action)) stream_->send(send->octets);
  }
  conclude(outcome_);
}

void EtrnSession::conclude(const std::string& outcome) {
  if (std::exchange(is_over_, true)) return;
  if (stream_) stream_->close_when_sent(kFarewell);
  stream_.reset();
  boost::asio::post(tools_.context, [weak = weak_from_this(), outcome] {
    if (const auto self = weak.lock()) self->then_(outcome);
  });
}

}  // namespace postern::mail
