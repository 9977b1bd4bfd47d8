// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_fetch.h"

#include <algorithm>
#include <utility>

#include "services/http/proxy/admission.h"

namespace postern::http {

FtpFetch::FtpFetch(Core& core, OriginFetch::User& user)
    : GatewayFetch(core, user), control_(core, *this), data_(core, *this) {}

FtpFetch::~FtpFetch() {
  FtpFetch::let_go();
}

void FtpFetch::let_go() {
  control_.stop();
  data_.stop();
}

// Nothing: what is there cannot be sent.
std::optional<FtpLogin> FtpFetch::login() const {
  const auto header = asked().find("authorization");
  const std::optional<Credentials> credentials = header ? parse_basic(*header) : std::nullopt;
  if (credentials) return make_ftp_login(credentials->user, credentials->password);
  return parse_ftp_user(question().user);
}

void FtpFetch::begin() {
  replies_.restart();
  page_.reset();
  part_.reset();
  left_.reset();
  is_begun_ = are_data_over_ = is_confirmed_ = false;
  std::optional<FtpPath> parsed = parse_ftp_path(path());
  if (!parsed) return pass_page(Problem::bad_request, {}, "path");
  std::optional<FtpLogin> login = this->login();
  if (!login) return refuse_login();
  if (parsed->type == 'd' && !without_type(path()).ends_with('/')) return redirect_to_folder();
  dialogue_.emplace(std::move(*parsed), std::move(*login));
  control_.open(question().destination, question().client);
}

void FtpFetch::on_stream_open(ByteStream& stream) {
  if (&stream == &data_) return act(dialogue_->on_connected());
  control_.wait(core().settings.limits.response_s);
  control_.read_on();
}

bool FtpFetch::on_stream_data(ByteStream& stream, std::string_view data) {
  if (&stream == &control_) return take_replies(data);
  data_.wait(core().settings.limits.upstream_body_s);
  if (!page_) return take_file(data);
  std::string rows;
  page_->feed(data, rows);
  return pass(rows);
}

bool FtpFetch::take_replies(std::string_view octets) {
  while (!octets.empty()) {
    const Step step = replies_.feed(octets);
    if (step == Step::more) return true;
    if (step == Step::refused) {
      fail(Problem::gateway_protocol_error, "not a reply of FTP");
    } else {
      act(dialogue_->on_reply(replies_.reply()));
    }
    if (!is_running()) return false;
  }
  return true;
}

void FtpFetch::act(const FtpAct& act) {
  const ProxyLimits& limits = core().settings.limits;
  switch (act.kind) {
    case FtpAct::Kind::wait:
      return;
    case FtpAct::Kind::send:
      control_.wait(limits.response_s);
      return control_.send(act.command);
    case FtpAct::Kind::known:
      return on_known();
    case FtpAct::Kind::connect: {
      control_.wait_no_more();
      Destination there = question().destination;
      there.port = act.port;
      there.only = control_.remote().address;
      there.is_judged = true;
      return data_.open(there, question().client);
    }
    case FtpAct::Kind::begin:
      return begin_data();
    case FtpAct::Kind::end:
      is_confirmed_ = true;
      return finish_if_whole();
    case FtpAct::Kind::folder:
      return redirect_to_folder();
    case FtpAct::Kind::log_in:
      return refuse_login();
    case FtpAct::Kind::not_found:
      return pass_page(Problem::gateway_not_found, {}, act.detail);
    case FtpAct::Kind::fail:
      return fail(act.problem, act.detail);
  }
}

void FtpFetch::begin_data() {
  is_begun_ = true;
  control_.wait_no_more();
  const bool goes_on = dialogue_->path().is_listing() ? pass_listing_head() : pass_file_head();
  if (!goes_on) return;
  data_.wait(core().settings.limits.upstream_body_s);
  if (!is_paused()) data_.read_on();
}

void FtpFetch::go_on() {
  if (!is_begun_ || are_data_over_) return;
  data_.wait(core().settings.limits.upstream_body_s);
  data_.read_on();
}

bool FtpFetch::take_file(std::string_view data) {
  if (!left_) return pass(data);
  data = data.substr(0, static_cast<size_t>(std::min<uint64_t>(*left_, data.size())));
  *left_ -= data.size();
  const bool goes_on = pass(data);
  if (!is_running() || *left_ != 0) return goes_on;
  // The server may go on behind a part; it is not waited for.
  end(true);
  return false;
}

void FtpFetch::on_stream_pause(ByteStream& stream) {
  if (&stream == &data_) tell_pause();
}

void FtpFetch::on_stream_end(ByteStream& stream, bool is_clean) {
  if (&stream == &data_) return on_data_end(is_clean);
  // A server that is in a hurry may close this one first; the length tells whether all came.
  if (is_begun_ && (left_ || is_confirmed_)) return control_.stop();
  fail(Problem::connection_terminated, "control connection");
}

void FtpFetch::on_data_end(bool is_clean) {
  if (!is_clean || left_.value_or(0) != 0) return end(false);
  are_data_over_ = true;
  data_.stop();
  control_.wait(core().settings.limits.response_s);
  finish_if_whole();
}

// Without a length it is the server that says whether all was sent (RFC 959 section 3.4).
void FtpFetch::finish_if_whole() {
  if (!is_confirmed_ || !are_data_over_) return;
  if (page_) {
    std::string rest;
    page_->end(rest);
    pass(rest);
  }
  if (is_running()) end(true);
}

void FtpFetch::on_stream_failure(ByteStream& stream, Problem problem, const std::string& detail) {
  fail(problem, &stream == &data_ ? "data connection: " + detail : detail);
}

void FtpFetch::on_stream_time_out(ByteStream& stream) {
  // While the client has no room, nobody is to blame here.
  if (&stream == &data_ && is_paused()) return data_.wait(core().settings.limits.upstream_body_s);
  fail(Problem::http_response_timeout, "");
}

}  // namespace postern::http
