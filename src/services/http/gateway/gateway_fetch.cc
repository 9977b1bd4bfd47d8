// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/gateway_fetch.h"

#include <utility>

#include "base/assert.h"
#include "services/http/proxy/request.h"

namespace postern::http {

namespace {

// Of a head of a client, with what we have added to it.
HeadLimits own_limits(const ProxyLimits& limits) {
  return HeadLimits{2 * limits.head_bytes, 2 * limits.head_bytes, kFieldsMax};
}

}  // namespace

GatewayFetch::GatewayFetch(Core& core, OriginFetch::User& user)
    : core_(core), user_(user), reader_(own_limits(core.settings.limits)) {}

void GatewayFetch::start(Question question) {
  stop();
  question_ = std::move(question);
  is_running_ = true;
  has_head_ = false;
  ++core_.counters.fetches;
  reader_.restart();
  if (reader_.read(question_.head) != Step::done) return fail(Problem::head_too_large, "");
  begin();
}

void GatewayFetch::stop() {
  is_running_ = false;
  is_paused_ = false;
  let_go();
}

void GatewayFetch::resume() {
  if (!is_paused_ || !is_running_) return;
  is_paused_ = false;
  go_on();
}

std::string GatewayFetch::site() const {
  std::string site(to_text(question_.scheme));
  return site.append("://").append(asked().find("host").value_or(""));
}

HeadWriter GatewayFetch::write_head(unsigned status) {
  head_.clear();
  HeadWriter writer(head_);
  writer.status_line(status);
  writer.date("Date", core_.clock.wall_s);
  return writer;
}

bool GatewayFetch::pass_head(Body body, uint64_t length) {
  HeadWriter writer(head_);
  if (body == Body::length) writer.field("Content-Length", length);
  writer.end();
  answer_ = ResponseReader(HeadLimits{head_.size(), head_.size()});
  POSTERN_ASSERT(answer_.read(head_) == Step::done);
  Framing framing;
  framing.body = is_head() || answer_.head().status == 304 ? Body::none : body;
  framing.length = framing.body == Body::length ? length : 0;
  has_head_ = true;
  user_.on_head(answer_.head(), framing);
  if (!is_running_) return false;
  if (framing.body != Body::none && (framing.body != Body::length || length != 0)) return true;
  end(true);
  return false;
}

bool GatewayFetch::pass(std::string_view data) {
  if (data.empty()) return !is_paused_;
  core_.counters.bytes_from_upstream += data.size();
  if (!user_.on_data(data)) is_paused_ = true;
  return is_running_ && !is_paused_;
}

void GatewayFetch::tell_pause() {
  if (is_running_) user_.on_pause();
}

void GatewayFetch::end(bool is_complete) {
  stop();
  user_.on_end(is_complete);
}

void GatewayFetch::pass_page(Problem problem, std::string_view fields, std::string_view detail) {
  const std::string url = site().append(path());
  const std::string page = error_page(ErrorPage{problem, core_.settings.name, url, detail});
  HeadWriter writer = write_head(describe(problem).status);
  writer.field("Content-Type", "text/html; charset=utf-8");
  head_ += fields;
  if (!pass_head(Body::length, page.size())) return;
  pass(page);
  if (is_running_) end(true);
}

void GatewayFetch::pass_empty(unsigned status, std::string_view name, std::string_view value) {
  HeadWriter writer = write_head(status);
  if (!name.empty()) writer.field(name, value);
  pass_head(Body::length, 0);
}

void GatewayFetch::fail(Problem problem, const std::string& detail) {
  if (has_head_) return end(false);
  stop();
  ++core_.counters.upstream_failures;
  user_.on_failure(problem, detail);
}

}  // namespace postern::http
