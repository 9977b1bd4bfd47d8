// SPDX-License-Identifier: BSD-3-Clause
// metrics::Server: answers GET /metrics on loopback and on inside addresses (P20).
//
// Each listening socket is bound to an address and its device, so nothing is heard from outside
// (io/tcp_listener.h); a peer on another device than loopback has to be one of `from`, or its
// connection is closed unread. A page is made at most once in kPageAge, and all connections share
// it, so neither many readers nor slow ones cost more than the page and their own sockets.
//
// Bounds: kClientsMax connections, kClientsOfOneMax of one address, kHeadMax bytes of head, and a
// limit of time for each step. What is refused is counted. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/loop.h"
#include "control/metrics/request.h"
#include "services/io/listen_address.h"

namespace postern::metrics {

struct Settings {
  std::vector<io::ListenAddress> listen;
  std::vector<AddressRange> from;
  bool operator==(const Settings&) const = default;
};

struct Counters {
  uint64_t pages = 0;            // answered with the metrics
  uint64_t bad_requests = 0;     // answered with an error
  uint64_t refused_sources = 0;  // connections of addresses that may not ask
  uint64_t refused_full = 0;     // connections beyond the limits
  uint64_t timeouts = 0;         // connections that were too slow
  Duration page_took;            // to make the last page
};

class Server {
 public:
  static constexpr size_t kClientsMax = 16;
  static constexpr size_t kClientsOfOneMax = 4;
  static constexpr Duration kPageAge = milliseconds(250);

  struct Limits {  // other ones in tests
    Duration idle = seconds(120);
    Duration head = seconds(5);  // from its first byte
    Duration write = seconds(10);
  };
  using MakePage = std::function<std::string(Format)>;
  Server(Loop& loop, MakePage make_page, Limits limits);
  Server(Loop& loop, MakePage make_page) : Server(loop, std::move(make_page), Limits()) {}
  ~Server();  // closes all
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // From now on. Sockets that stay the same stay open; connections end where anything changes. What
  // could not be opened is tried again by each call. Goes on after an error and returns the first.
  Result<void> apply(const Settings& settings);

  Counters counters() const;
  size_t connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern::metrics
