// SPDX-License-Identifier: BSD-3-Clause
// Proxy: the HTTP proxy with its cache, as its owner sees it (F56, F58, P27, P28, C19).
//
//   clients -> Listener -> ClientConnection -> Exchange -+-> Store
//                                                        +-> Transfer -> Fetch -> origins
//                                                        +-> Tunnel -> origins
//
// Settings change under way: requests that have begun end by the old ones, connections stay. The
// store belongs to the owner and outlives the proxy; without one everything is passed on.
//
// Thread: control. Bounds: ProxyLimits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "services/http/proxy/seams.h"
#include "services/http/proxy/settings.h"

namespace boost::asio {
class io_context;
}

namespace postern::http {

class Store;

class Proxy {
 public:
  // Connections that are open now.
  struct Load {
    size_t clients = 0;
    size_t transfers = 0;
    size_t idle_upstream = 0;
    size_t addresses = 0;  // of clients
  };

  Proxy(boost::asio::io_context& context, ProxySettings settings, Seams seams, Store* store);
  // Ends all connections at once.
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // Opens the sockets of the settings, and closes those that are not in them any more; the error of
  // the first that cannot be opened. The others serve all the same.
  Result<void> listen();
  // Takes new settings, and listen()s.
  Result<void> apply(ProxySettings settings);
  // Takes no new connection and no new request; those under way end by themselves.
  void stop();
  // Once a second.
  void tick();

  // Whether the sockets of the settings are open, those that are transparent or the others.
  bool is_listening(bool transparently) const;
  // The ports that are open, in the order of the settings.
  std::vector<uint16_t> ports() const;
  const ProxyCounters& counters() const;
  Load load() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern::http
