// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/session.h"

#include <fmt/format.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <utility>

#include "control/admin/protocol.h"
#include "control/config/account_text.h"
#include "control/remote/server.h"

namespace postern::remote {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr Duration kAnswerTimeout = seconds(60);
constexpr size_t kPartMax = 16 * kPieceMax;  // of a response that is sealed at once

const char* method_word(Method method) {
  return method == Method::key ? "key" : "password";
}

}  // namespace

Session::Session(Socket socket, const SigningKey& key, const AdminConnection& connection,
                 Calls calls)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      side_(key),
      connection_(connection),
      calls_(std::move(calls)) {}

Session::~Session() {
  calls_.on_end(*this);
}

void Session::start() {
  limit(Server::kHandshakeTimeout);
  read();
}

void Session::end_soon() {
  is_ending_ = true;
  if (!is_answering_) close();
}

void Session::turn_out() {
  has_place_ = false;
  end_soon();
}

void Session::read() {
  in_.resize(side_.wanted());
  if (in_.empty()) return close();
  asio::async_read(socket_, asio::buffer(in_),
                   [self = shared_from_this()](error_code error, size_t) {
                     if (!error) return self->take();
                     self->tell_cut();
                     self->close();
                   });
}

void Session::tell_cut() {
  if (!has_attempted_) calls_.tell(*this, "no log-in came", false);
  if (!is_open_ || is_ending_) return;
  calls_.tell(
      *this, is_late_ ? "the session ends: nothing came in time" : "the session was cut off", true);
}

void Session::take() {
  switch (side_.take(in_)) {
    case ServerSide::Step::more:
      if (is_open_) limit(Server::kStepTimeout);
      return flush([this] { read(); });
    case ServerSide::Step::log_in:
      return log_in();
    case ServerSide::Step::message:
      return answer();
    case ServerSide::Step::ended:
      calls_.tell(*this, "the session has ended", true);
      return flush([this] { close(); });
    case ServerSide::Step::broken:
      break;
  }
  calls_.tell(*this,
              is_open_ ? "the session was broken off: a record is forged or too large"
                       : "no handshake of ours, or a forged one",
              is_open_);
  has_attempted_ = true;  // told
  flush([this] { close(); });
}

void Session::log_in() {
  limit(kAnswerTimeout);
  has_attempted_ = true;
  LogIn& log_in = side_.log_in();
  proof_.method = log_in.method;
  proof_.key = log_in.key;
  who_ = log_in.name;
  calls_.admit(std::move(log_in), connection_.client.address,
               [self = shared_from_this()](const Admission& admission) {
                 if (self->socket_.is_open()) self->decide(admission);
               });
}

void Session::decide(const Admission& admission) {
  Verdict verdict = admission.verdict;
  std::string why = admission.why;
  if (verdict == Verdict::welcome && !calls_.begin(*this, admission)) {
    verdict = Verdict::later;
    why = "there are too many sessions";
  }
  is_open_ = verdict == Verdict::welcome;
  std::string detail = fmt::format("with a {}", method_word(proof_.method));
  if (is_open_) {
    who_ = admission.name;
    role_ = admission.role;
    proof_.password_number = admission.password_number;
    detail += fmt::format(", role {}", config::to_word(role_));
  } else {
    detail += ": " + why;
  }
  calls_.on_log_in(*this, detail, is_open_ || admission.is_checked);
  side_.decide(verdict);
  limit(is_open_ ? calls_.idle() : Server::kStepTimeout);
  flush([this] { is_open_ ? read() : close(); });
}

// The account may have lost what it had when it logged in.
void Session::answer() {
  role_ = calls_.role_now(*this);
  if (role_ == config::Role::none) {
    calls_.tell(*this, "the account may no longer administer", true);
    return close();
  }
  is_answering_ = true;
  limit(kAnswerTimeout);
  admin::Peer peer;
  peer.uid = peer.gid = calls_.uid_of(who_);
  peer.role = role_;
  peer.account = who_;
  peer.connection = connection_;
  std::string request = std::move(side_.text());
  calls_.handle(request, peer, [self = shared_from_this()](std::string response) {
    self->respond(std::move(response));
  });
  wipe(request);  // it may hold a password
}

void Session::respond(std::string response) {
  if (response.size() > admin::kResponseMax) {
    admin::Reply([this](std::string text) {
      respond(std::move(text));
    }).refuse({ErrorCode::exhausted, "the answer is too large; ask for less with --limit"});
    return;
  }
  response_ = std::move(response);
  response_at_ = 0;
  send_more();
}

void Session::send_more() {
  const std::string_view part = std::string_view(response_).substr(response_at_, kPartMax);
  response_at_ += part.size();
  const bool is_last = response_at_ == response_.size();
  side_.send(part, is_last);
  limit(kAnswerTimeout);
  flush([this, is_last] { is_last ? finish() : send_more(); });
}

// A request is answered.
void Session::finish() {
  is_answering_ = false;
  response_ = std::string();
  if (is_ending_) {
    side_.send_end();
    return flush([this] { close(); });
  }
  limit(calls_.idle());
  read();
}

// Sends what the engine has to say; `then` is called while the session is alive.
void Session::flush(std::function<void()> then) {
  sending_ = std::move(side_.out());
  side_.out().clear();
  if (sending_.empty()) return then();
  asio::async_write(socket_, asio::buffer(sending_),
                    [self = shared_from_this(), then = std::move(then)](error_code error, size_t) {
                      error ? self->close() : then();
                    });
}

void Session::close() {
  error_code ignored;
  timer_.cancel();
  socket_.shutdown(Socket::shutdown_send, ignored);
  socket_.close(ignored);
}

// Closes the connection when the step that begins now takes longer than this.
void Session::limit(Duration time) {
  timer_.expires_after(std::chrono::nanoseconds(time.ns));
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    auto self = weak.lock();
    if (error || !self) return;
    // The next step may have begun when this was on its way already.
    if (self->timer_.expiry() > std::chrono::steady_clock::now()) return;
    self->is_late_ = true;
    self->close();
  });
}

}  // namespace postern::remote
