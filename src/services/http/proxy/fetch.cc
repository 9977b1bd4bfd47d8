// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/fetch.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "services/http/proxy/request.h"

namespace postern::http {
namespace {

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Fetch::Fetch(Core& core, User& user)
    : core_(core),
      user_(user),
      connector_(core, *this),
      reader_(head_limits(core.settings.limits)) {}

Fetch::~Fetch() {
  Fetch::stop();
}

void Fetch::start(Question question) {
  stop();
  question_ = std::move(question);
  state_ = State::connecting;
  out_ = question_.head;
  is_sent_ = !question_.has_body;
  ++core_.counters.fetches;
  connector_.start(question_.destination, question_.client, question_.may_retry);
}

void Fetch::stop() {
  state_ = State::idle;
  connector_.stop();
  if (connection_) core_.poller.bury(std::move(connection_));
  out_.clear();
  sent_ = 0;
  may_write_ = true;
  is_paused_ = false;
  has_octets_ = false;
  held_.clear();
}

void Fetch::on_connected(std::unique_ptr<UpstreamConnection> connection) {
  connection_ = std::move(connection);
  remote_ = connection_->remote();
  is_reused_ = connection_->exchanges() != 0;
  connection_->count_exchange();
  if (!connection_->attach(*this)) return fail(Problem::connection_limit_reached, "");
  state_ = State::head;
  in_.clear();
  reader_.restart();
  interims_ = 0;
  core_.wheel.set(*connection_, core_.settings.limits.response_s);
  flush();
  if (state_ == State::head && question_.has_body) user_.on_upload_room();
}

void Fetch::on_no_connection(Problem problem, const std::string& detail) {
  fail(problem, detail);
}

void Fetch::send_body(std::string_view octets) {
  if (!may_write_ || octets.empty()) return;
  out_ += octets;
  flush();
}

void Fetch::end_body() {
  is_sent_ = true;
}

void Fetch::flush() {
  while (connection_ && may_write_ && sent_ < out_.size()) {
    const ssize_t sent =
        send(connection_->fd(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0) {
      // The response may be there all the same: a server may refuse a body unread.
      if (!would_block()) may_write_ = false;
      break;
    }
    sent_ += static_cast<size_t>(sent);
    core_.wheel.set(*connection_, core_.settings.limits.response_s);
  }
  if (sent_ == out_.size() || !may_write_) {
    out_.clear();
    sent_ = 0;
  }
}

void Fetch::on_upstream(uint32_t events) {
  if ((events & EPOLLOUT) != 0 && unsent() != 0) {
    flush();
    if (unsent() < kUnsentMax && !is_sent_) user_.on_upload_room();
  }
  if (state_ == State::idle || !connection_) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && !is_paused_) read();
}

void Fetch::on_upstream_time_out() {
  // The client's side has its own time-outs; while it has no room, nobody is to blame here.
  if (is_paused_) return core_.wheel.set(*connection_, core_.settings.limits.upstream_body_s);
  if (state_ == State::head) return fail(Problem::http_response_timeout, "");
  end(false, false);
}

void Fetch::read() {
  for (int round = 0; round < kRoundsMax; ++round) {
    const ssize_t got = recv(connection_->fd(), core_.scratch.data(), core_.scratch.size(), 0);
    if (got < 0 && would_block()) return user_.on_pause();
    if (got <= 0) return on_closed(got == 0);
    has_octets_ = true;
    if (!take(std::string_view(core_.scratch.data(), static_cast<size_t>(got)))) return;
    if (static_cast<size_t>(got) < core_.scratch.size() / 2) break;
  }
  // What is still there is told of again.
  core_.poller.rearm(connection_->fd(), *connection_);
  user_.on_pause();
}

// False: nothing more is to be read now.
bool Fetch::take(std::string_view octets) {
  return state_ == State::head ? take_head(octets) : take_body(octets);
}

bool Fetch::take_head(std::string_view octets) {
  in_ += octets;
  for (;;) {
    const Step step = reader_.read(in_);
    if (step == Step::more) return true;
    if (step == Step::refused) {
      fail(Problem::http_protocol_error, reader_.refusal().reason);
      return false;
    }
    if (question_.asks_upgrade && reader_.head().status == 101) {
      hand_over();
      return false;
    }
    if (const Refusal refusal = frame_response(reader_.head(), question_.method, framing_)) {
      fail(Problem::http_protocol_error, refusal.reason);
      return false;
    }
    if (reader_.head().status >= 200) break;
    if (++interims_ > kInterimMax) {
      fail(Problem::http_protocol_error, "too many interim responses");
      return false;
    }
    user_.on_interim(reader_.head());
    if (state_ != State::head) return false;
    in_.erase(0, reader_.length());
    reader_.restart();
    if (in_.empty()) return true;
  }
  // The head stays in in_, and views into it stay good; the rest goes on.
  const std::string rest = in_.substr(reader_.length());
  return begin_body(rest);
}

void Fetch::hand_over() {
  state_ = State::idle;
  const std::string early = in_.substr(reader_.length());
  user_.on_upgrade(reader_.head(), std::move(connection_), early);
}

bool Fetch::begin_body(std::string_view rest) {
  state_ = State::body;
  left_ = framing_.length;
  chunks_.restart();
  core_.wheel.set(*connection_, core_.settings.limits.upstream_body_s);
  user_.on_head(reader_.head(), framing_);
  if (state_ != State::body) return false;
  const bool is_empty =
      framing_.body == Body::none || (framing_.body == Body::length && framing_.length == 0);
  if (is_empty) {
    end(true, rest.empty());
    return false;
  }
  return rest.empty() || take_body(rest);
}

bool Fetch::take_body(std::string_view octets) {
  if (is_paused_) {  // what on_head() or a piece before said
    held_ += octets;
    return false;
  }
  core_.wheel.set(*connection_, core_.settings.limits.upstream_body_s);
  if (framing_.body == Body::chunked) return take_chunks(octets);
  if (framing_.body == Body::length) return take_counted(octets);
  return give(octets);
}

bool Fetch::take_counted(std::string_view octets) {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(left_, octets.size()));
  left_ -= taken;
  const bool goes_on = give(octets.substr(0, taken));
  if (state_ != State::body) return false;
  if (left_ != 0) return goes_on;
  end(true, taken == octets.size());
  return false;
}

bool Fetch::take_chunks(std::string_view octets) {
  while (!octets.empty()) {
    const ChunkedDecoder::Piece piece = chunks_.feed(octets);
    octets.remove_prefix(piece.taken);
    if (!piece.data.empty()) give(piece.data);
    if (state_ != State::body) return false;
    if (piece.step == Step::refused) {
      end(false, false);
      return false;
    }
    if (piece.step == Step::done) {
      end(true, octets.empty());
      return false;
    }
    if (is_paused_) {
      held_ = octets;
      return false;
    }
  }
  return true;
}

bool Fetch::give(std::string_view data) {
  core_.counters.bytes_from_upstream += data.size();
  if (!user_.on_data(data)) is_paused_ = true;
  return !is_paused_;
}

void Fetch::resume() {
  if (!is_paused_ || state_ != State::body) return;
  is_paused_ = false;
  core_.wheel.set(*connection_, core_.settings.limits.upstream_body_s);
  if (!held_.empty()) {
    const std::string held = std::exchange(held_, {});
    if (!take_body(held)) return;
  }
  core_.poller.rearm(connection_->fd(), *connection_);
}

void Fetch::on_closed(bool is_clean) {
  if (state_ == State::body) return end(is_clean && framing_.body == Body::until_close, false);
  if (try_again()) return;
  fail(Problem::connection_terminated, in_.empty() ? "no answer" : "within the head");
}

// A kept connection may have been closed by the server just when the request went out.
bool Fetch::try_again() {
  if (!is_reused_ || has_octets_ || !question_.may_retry) return false;
  ++core_.counters.retries;
  Question question = std::move(question_);
  stop();
  question_ = std::move(question);
  state_ = State::connecting;
  out_ = question_.head;
  is_sent_ = true;
  ++core_.counters.fetches;
  connector_.start(question_.destination, question_.client, false);
  return true;
}

void Fetch::end(bool is_complete, bool is_reusable) {
  state_ = State::idle;
  is_paused_ = false;
  const bool is_kept = !question_.is_for_one && is_complete && is_reusable &&
                       framing_.is_persistent && is_sent_ && unsent() == 0 && may_write_ &&
                       framing_.body != Body::until_close;
  if (is_kept) {
    core_.pool.put(std::move(connection_));
  } else {
    core_.poller.bury(std::move(connection_));
  }
  user_.on_end(is_complete);
}

void Fetch::fail(Problem problem, std::string_view detail) {
  const std::string text(detail);
  stop();
  if (!is_refusal(problem)) ++core_.counters.upstream_failures;
  user_.on_failure(problem, text);
}

}  // namespace postern::http
