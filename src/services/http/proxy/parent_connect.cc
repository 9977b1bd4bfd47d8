// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/parent_connect.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "services/http/message/writer.h"
#include "services/http/proxy/heads.h"
#include "services/http/proxy/request.h"

namespace postern::http {

ParentConnect::ParentConnect(Core& core, Owner& owner,
                             std::unique_ptr<UpstreamConnection> connection)
    : core_(core),
      owner_(owner),
      connection_(std::move(connection)),
      reader_(head_limits(core.settings.limits)) {}

ParentConnect::~ParentConnect() {
  if (connection_) core_.poller.bury(std::move(connection_));
}

void ParentConnect::start(const std::string& target) {
  if (!connection_->attach(*this)) return fail(Problem::connection_limit_reached, "");
  core_.wheel.set(*connection_, core_.settings.limits.response_s);
  std::string head;
  HeadWriter writer(head);
  writer.request_line("CONNECT", target);
  writer.field("Host", target);
  write_parent_credentials(head, core_.settings);
  writer.end();
  const ssize_t sent = send(connection_->fd(), head.data(), head.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(head.size())) fail(Problem::connection_terminated, "parent");
}

void ParentConnect::on_upstream(uint32_t events) {
  if (connection_ && (events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) read();
}

void ParentConnect::on_upstream_time_out() {
  fail(Problem::http_response_timeout, "parent");
}

void ParentConnect::read() {
  for (;;) {
    const ssize_t got = recv(connection_->fd(), core_.scratch.data(), core_.scratch.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (got <= 0) return fail(Problem::connection_terminated, "parent");
    in_.append(core_.scratch.data(), static_cast<size_t>(got));
    Step step = reader_.read(in_);
    // Interim responses count for nothing.
    while (step == Step::done && reader_.head().status < 200) {
      in_.erase(0, reader_.length());
      reader_.restart();
      step = reader_.read(in_);
    }
    if (step == Step::more) continue;
    if (step == Step::refused) return fail(Problem::http_protocol_error, "parent");
    const unsigned status = reader_.head().status;
    if (status >= 300)
      return fail(Problem::connection_refused, fmt::format("the parent answers {}", status));
    owner_.on_tunnel_open(std::move(connection_), in_.substr(reader_.length()));
    return;
  }
}

void ParentConnect::fail(Problem problem, const std::string& detail) {
  owner_.on_tunnel_refused(problem, std::string(detail));
}

}  // namespace postern::http
