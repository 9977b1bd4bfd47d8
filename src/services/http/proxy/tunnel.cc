// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/tunnel.h"

#include <span>
#include <utility>

#include "services/http/proxy/client_connection.h"
#include "services/http/proxy/client_hello.h"

namespace postern::http {

Tunnel::Tunnel(Core& core, Owner& owner, ClientConnection& client,
               std::unique_ptr<UpstreamConnection> upstream)
    : core_(core), owner_(owner), client_(client), upstream_(std::move(upstream)) {}

Tunnel::~Tunnel() {
  if (upstream_) core_.poller.bury(std::move(upstream_));
}

void Tunnel::start(std::string_view early, const Permits& permits) {
  permits_ = permits;
  to_server_.hold();
  to_server_.put(early);
  if (!upstream_->attach(*this)) return end("no room");
  pump();
}

void Tunnel::on_client(uint32_t events) {
  if ((events & EPOLLERR) != 0) return end("client left");
  pump();
}

void Tunnel::on_upstream(uint32_t events) {
  if ((events & EPOLLERR) != 0) return end("server left");
  pump();
}

void Tunnel::on_upstream_time_out() {
  end("idle");
}

// False: the tunnel is over.
bool Tunnel::look_at_hello() {
  const std::string& held = to_server_.held();
  const auto* octets = reinterpret_cast<const uint8_t*>(held.data());
  const ClientHello hello = parse_client_hello(std::span<const uint8_t>(octets, held.size()));
  switch (hello.state) {
    case ClientHello::State::more:
      if (to_server_.is_at_end()) to_server_.release();
      return true;
    case ClientHello::State::malformed:
      end("malformed client hello");
      return false;
    case ClientHello::State::named:
      if (!permits_(hello.name)) {
        why_ = "server name " + hello.name + " denied";
        end(why_);
        return false;
      }
      name_ = hello.name;
      break;
    case ClientHello::State::not_tls:
    case ClientHello::State::nameless:
      break;
  }
  to_server_.release();
  return true;
}

void Tunnel::pump() {
  if (is_over_) return;
  core_.wheel.set(*upstream_, core_.settings.limits.tunnel_idle_s);
  Relay::State up = to_server_.pump(client_.fd(), upstream_->fd(), core_.scratch);
  if (to_server_.is_held()) {
    if (!look_at_hello()) return;
    if (!to_server_.is_held()) up = to_server_.pump(client_.fd(), upstream_->fd(), core_.scratch);
  }
  const Relay::State down = to_client_.pump(upstream_->fd(), client_.fd(), core_.scratch);
  if (up == Relay::State::broken || down == Relay::State::broken) return end("broken");
  if (up == Relay::State::ended && down == Relay::State::ended) return end("");
  if (up == Relay::State::busy) core_.poller.rearm(client_.fd(), client_);
  if (down == Relay::State::busy) core_.poller.rearm(upstream_->fd(), *upstream_);
  owner_.on_tunnel_life();
}

void Tunnel::end(std::string_view why) {
  if (is_over_) return;
  is_over_ = true;
  core_.poller.bury(std::move(upstream_));
  owner_.on_tunnel_end(why);
}

}  // namespace postern::http
