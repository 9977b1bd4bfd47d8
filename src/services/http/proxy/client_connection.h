// SPDX-License-Identifier: BSD-3-Clause
// ClientConnection: the connection of one client: reads heads of requests, one after another, and
// gives each to an Exchange until that has answered it (RFC 9112 section 9.3). What the client
// sends ahead waits: in the socket, or behind the head with which it came.
//
// An idle connection has no buffers: heads are read into memory that all share, and only one that
// comes in pieces gets its own.
//
// Thread: control. Bounds: ProxyLimits; kRequestsPerTurn requests in one go; kLingerMax octets are
// thrown away after an answer that ends the connection, so that the client gets to read it (RFC
// 9112 section 9.6).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/http/proxy/core.h"
#include "services/http/proxy/request.h"

namespace postern::http {

class Exchange;

class ClientConnection final : public Poller::Handler, public Timed {
 public:
  static constexpr int kRequestsPerTurn = 32;
  static constexpr size_t kLingerMax = size_t{256} << 10;
  static constexpr uint32_t kLingerS = 2;

  // Whoever counts and owns the connections.
  class Owner {
   public:
    virtual ~Owner() = default;
    // It is over; the owner buries it.
    virtual void on_client_gone(ClientConnection& connection) = 0;
  };

  // Owns `fd`.
  ClientConnection(Core& core, Owner& owner, int fd, const Peer& peer);
  ~ClientConnection() override;
  // Where a transparent connection was going.
  void set_original(const Peer& original) { original_ = original; }
  // False: the system has no room.
  [[nodiscard]] bool start();
  // No further request: closes when it is idle, else after the answer under way.
  void stop_soon();

  int fd() const { return fd_; }
  const Peer& peer() const { return peer_; }
  const Peer& original() const { return original_; }
  // Where the client has reached us.
  Peer own() const;
  bool is_transparent() const { return !original_.address.is_unspecified(); }
  // The name that is known to have the original address.
  const std::string& verified_host() const { return verified_host_; }
  void set_verified_host(const std::string& host) { verified_host_ = host; }
  bool is_stopping() const { return is_stopping_; }
  // What has come and is not dealt with yet.
  std::string& input() { return input_; }
  size_t slot = 0;  // of the owner

  // From the Exchange, as its last act. `goes_on`: another request may follow; `is_complete`: the
  // client has got the whole answer.
  void on_exchange_end(bool goes_on, bool is_complete);

  void on_ready(uint32_t events) override;
  void on_time_out() override;

 private:
  void serve();
  bool serve_one();
  bool fill();
  bool read_head(std::string_view octets);
  bool begin(std::string_view octets);
  void refuse(Refusal refusal);
  void linger();
  void close_now();

  Core& core_;
  Owner& owner_;
  int fd_;
  Peer peer_;
  Peer original_;
  std::string verified_host_;
  std::string input_;
  std::unique_ptr<Request> partial_;  // a head that is not whole yet, in input_
  std::unique_ptr<Exchange> exchange_;
  size_t lingered_ = 0;
  bool is_serving_ = false;   // within serve()
  bool is_at_end_ = false;    // the client sends no more
  bool may_be_more_ = false;  // in the socket
  bool is_lingering_ = false;
  bool is_stopping_ = false;
  bool is_gone_ = false;
};

}  // namespace postern::http
