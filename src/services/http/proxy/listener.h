// SPDX-License-Identifier: BSD-3-Clause
// Listener: one listening socket of the proxy. A transparent one without an address hears
// connections to any that the kernel delivers here, and takes the right to change networks
// (CAP_NET_ADMIN). Without a descriptor for a client it pauses until the next tick(), so that a
// full table does not spin.
//
// Thread: control. Bounds: kAcceptedPerTurn a turn.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "services/http/proxy/poller.h"
#include "services/http/proxy/seams.h"
#include "services/http/proxy/settings.h"

namespace postern::http {

// Whom the peer of a connection takes us for: on a transparent one, the server that it meant.
// Unspecified: the system does not say.
Peer local_address_of(int fd);

class Listener : public Poller::Handler {
 public:
  static constexpr int kAcceptedPerTurn = 64;
  // Owns `fd`.
  using Take = std::function<void(int fd, const Peer& client, const ProxyListener& at)>;

  // Opens the socket; `take` gets each client.
  static Result<std::unique_ptr<Listener>> open(Poller& poller, const ProxyListener& at,
                                                const Take& take);
  ~Listener() override;

  const ProxyListener& at() const { return at_; }
  uint16_t port() const;  // that is open: the system's choice where at().port is 0
  void tick();
  void on_ready(uint32_t events) override;

 private:
  Listener(Poller& poller, int fd, ProxyListener at, Take take);

  Poller& poller_;
  int fd_;
  ProxyListener at_;
  Take take_;
  bool is_paused_ = false;
};

}  // namespace postern::http
