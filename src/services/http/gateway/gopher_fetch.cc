// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/gopher_fetch.h"

#include <fmt/format.h>

#include <utility>

#include "services/http/gateway/text.h"

namespace postern::http {

GopherFetch::GopherFetch(Core& core, OriginFetch::User& user)
    : GatewayFetch(core, user), stream_(core, *this) {}

GopherFetch::~GopherFetch() {
  GopherFetch::let_go();
}

void GopherFetch::let_go() {
  stream_.stop();
}

std::string GopherFetch::title() const {
  return site().append(percent_decoded(path()).value_or(std::string(path())));
}

void GopherFetch::begin() {
  first_.clear();
  menu_.reset();
  text_.reset();
  std::optional<GopherPath> parsed = parse_gopher_path(path());
  if (!parsed) return pass_page(Problem::bad_request, {}, "path");
  wanted_ = std::move(*parsed);
  if (!is_fetched(wanted_.type))
    return fail(Problem::not_implemented, fmt::format("gopher item type {}", wanted_.type));
  if (wanted_.wants_form()) return pass_form();
  stream_.open(question().destination, question().client);
}

// The server is not asked for what only the user knows.
void GopherFetch::pass_form() {
  const std::string page = gopher_form(title());
  HeadWriter writer = write_head(200);
  writer.field("Content-Type", "text/html; charset=utf-8");
  if (!pass_head(Body::length, page.size())) return;
  pass(page);
  if (is_running()) end(true);
}

void GopherFetch::on_stream_open(ByteStream& stream) {
  stream.send(wanted_.line());
  stream.wait(core().settings.limits.response_s);
  stream.read_on();
}

bool GopherFetch::on_stream_data(ByteStream& stream, std::string_view data) {
  stream.wait(core().settings.limits.upstream_body_s);
  if (has_head()) return pass(made_of(data));
  first_ += data;
  const bool is_enough =
      !wanted_.is_menu() || data.find('\n') != std::string_view::npos || first_.size() > kFirstMax;
  return !is_enough || take_first();
}

// The head of the answer, and what has come by now. False: over, or no room.
bool GopherFetch::take_first() {
  const std::string first = std::exchange(first_, {});
  if (wanted_.is_menu() && first.starts_with('3')) {
    const GopherItem item = parse_gopher_line(std::string_view(first).substr(0, first.find('\n')));
    pass_page(Problem::gateway_not_found, {}, item.display);
    return false;
  }
  return pass_content_head() && pass(made_of(first));
}

bool GopherFetch::pass_content_head() {
  HeadWriter writer = write_head(200);
  const bool is_menu = wanted_.is_menu();
  writer.field("Content-Type", is_menu ? "text/html; charset=utf-8" : gopher_content_type(wanted_));
  writer.field("Cache-Control", fmt::format("max-age={}", kLifetimeS));
  if (is_menu) writer.field("Content-Security-Policy", "default-src 'none'");
  if (!pass_head(Body::until_close, 0)) return false;
  if (wanted_.type == '0') text_.emplace();
  if (!is_menu) return true;
  menu_.emplace();
  std::string begin;
  GopherMenu::begin(begin, title());
  pass(begin);
  return is_running();
}

std::string GopherFetch::made_of(std::string_view data) {
  std::string out;
  if (menu_) {
    menu_->feed(data, out);
  } else if (text_) {
    text_->feed(data, out);
  } else {
    out = data;
  }
  return out;
}

void GopherFetch::go_on() {
  stream_.wait(core().settings.limits.upstream_body_s);
  stream_.read_on();
}

void GopherFetch::on_stream_pause(ByteStream& /*stream*/) {
  tell_pause();
}

void GopherFetch::on_stream_end(ByteStream& /*stream*/, bool is_clean) {
  if (!is_clean) return fail(Problem::connection_terminated, "");
  if (!has_head()) take_first();
  if (!is_running()) return;
  std::string rest;
  if (menu_) menu_->end(rest);
  pass(rest);
  if (is_running()) end(true);
}

void GopherFetch::on_stream_failure(ByteStream& /*stream*/, Problem problem,
                                    const std::string& detail) {
  fail(problem, detail);
}

void GopherFetch::on_stream_time_out(ByteStream& stream) {
  if (is_paused()) return stream.wait(core().settings.limits.upstream_body_s);
  fail(Problem::http_response_timeout, "");
}

}  // namespace postern::http
