// SPDX-License-Identifier: BSD-3-Clause
// Tunnel: what follows a CONNECT (RFC 9110 section 9.3.6): octets both ways, unread, with one look
// at the beginning: where the client speaks TLS, the server name that it asks for must pass the
// same rules as the name that it gave to CONNECT (P27). Nothing is sent to the server before that.
//
// It ends when both sides have ended, when one breaks, and when no octet came for a while.
//
// Thread: control. Bounds: those of two Relays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "services/http/proxy/core.h"
#include "services/http/proxy/relay.h"
#include "services/http/proxy/upstream_connection.h"

namespace postern::http {

class ClientConnection;

class Tunnel : public Poller::Mortal, private UpstreamConnection::User {
 public:
  // Whether the client may speak to a server of that name.
  using Permits = std::function<bool(std::string_view name)>;

  class Owner {
   public:
    virtual ~Owner() = default;
    // Called once; the tunnel does nothing more. `why`: empty for a plain end.
    virtual void on_tunnel_end(std::string_view why) = 0;
    virtual void on_tunnel_life() = 0;  // octets went
  };

  Tunnel(Core& core, Owner& owner, ClientConnection& client,
         std::unique_ptr<UpstreamConnection> upstream);
  ~Tunnel() override;

  // `early`: what the client sent behind its request.
  void start(std::string_view early, const Permits& permits);
  void on_client(uint32_t events);
  // Of the server, as the client asked for it by TLS; empty: not yet, or it did not.
  const std::string& name() const { return name_; }
  // Ends it as if one side had.
  void stop(std::string_view why) { end(why); }

  uint64_t bytes_to_client() const { return to_client_.octets(); }
  uint64_t bytes_to_server() const { return to_server_.octets(); }

 private:
  void on_upstream(uint32_t events) override;
  void on_upstream_time_out() override;
  void pump();
  bool look_at_hello();
  void end(std::string_view why);

  Core& core_;
  Owner& owner_;
  ClientConnection& client_;
  std::unique_ptr<UpstreamConnection> upstream_;
  Relay to_client_;
  Relay to_server_;
  Permits permits_;
  std::string name_;
  std::string why_;
  bool is_over_ = false;
};

}  // namespace postern::http
