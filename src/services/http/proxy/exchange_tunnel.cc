// SPDX-License-Identifier: BSD-3-Clause
// CONNECT (RFC 9110 section 9.3.6), and requests that go over to another protocol (section 7.8).
#include <utility>

#include "services/http/message/writer.h"
#include "services/http/proxy/exchange.h"

namespace postern::http {

void Exchange::connect() {
  if (core_.settings.serve.is_offline) return show(Problem::not_stored);
  keep();
  stage_ = Stage::asking;
  const Authority& authority = request_->url.authority;
  connector_.start(Destination{host_of(authority), authority.port, {}}, connection_->peer(), false);
}

void Exchange::on_no_connection(Problem problem, const std::string& detail) {
  show(problem, detail);
}

void Exchange::on_connected(std::unique_ptr<UpstreamConnection> connection) {
  upstream_ = connection->remote();
  if (!core_.settings.parent) return on_tunnel_open(std::move(connection), {});
  parent_ = std::make_unique<ParentConnect>(core_, static_cast<ParentConnect::Owner&>(*this),
                                            std::move(connection));
  parent_->start(std::string(request_->head().target));
}

void Exchange::on_tunnel_refused(Problem problem, const std::string& detail) {
  core_.poller.bury(std::move(parent_));
  show(problem, detail);
}

void Exchange::on_tunnel_open(std::unique_ptr<UpstreamConnection> connection,
                              const std::string& early) {
  core_.poller.bury(std::move(parent_));
  upstream_wait_ = core_.clock.now - started_;
  ++core_.counters.tunnels;
  status_ = 200;
  HeadWriter writer(out_.text());
  writer.status_line(200, "Connection established");
  append_via(out_.text(), 1, core_.settings.name);
  writer.end();
  out_.text() += early;
  begin_tunnel(std::move(connection));
}

bool Exchange::asks_upgrade() const {
  return core_.settings.upgrade == UpgradeRule::tunnel && !request_->upgrade.empty();
}

void Exchange::on_upgrade(const ResponseHead& head, std::unique_ptr<UpstreamConnection> connection,
                          const std::string& early) {
  drop_transfer();
  ++core_.counters.tunnels;
  status_ = head.status;
  write_switch(out_.text(), core_.settings, head);
  out_.text() += early;
  begin_tunnel(std::move(connection));
}

void Exchange::begin_tunnel(std::unique_ptr<UpstreamConnection> connection) {
  // No message follows on this connection.
  delivery_.is_persistent = false;
  if (!flush() || is_blocked()) {  // so little into an idle socket: the client does not mean well
    core_.poller.bury(std::move(connection));
    if (stage_ != Stage::idle) lose_client();
    return;
  }
  stage_ = Stage::tunnel;
  tunnel_ = std::make_unique<Tunnel>(core_, static_cast<Tunnel::Owner&>(*this), *connection_,
                                     std::move(connection));
  const std::string from_client = std::exchange(connection_->input(), {});
  tunnel_->start(from_client, [this](std::string_view name) {
    const Admission admission = admit_name(core_, name, request_->url.port(), identity_);
    rule_ = admission.rule;
    if (admission.kind == Admission::Kind::permit) return true;
    ++core_.counters.denied;
    return false;
  });
}

void Exchange::on_tunnel_life() {
  core_.wheel.set(*connection_, core_.settings.limits.tunnel_idle_s);
}

void Exchange::on_tunnel_end(std::string_view why) {
  if (!why.empty()) detail_ = why;
  body_bytes_ = tunnel_->bytes_to_client();
  request_bytes_ = tunnel_->bytes_to_server();
  core_.poller.bury(std::move(tunnel_));
  end(why.empty());
}

}  // namespace postern::http
