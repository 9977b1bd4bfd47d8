// SPDX-License-Identifier: BSD-3-Clause
// Core: what all parts of the proxy share: settings, seams, sockets, time-outs, clock, counters.
//
// Thread: control.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "services/http/proxy/poller.h"
#include "services/http/proxy/seams.h"
#include "services/http/proxy/settings.h"
#include "services/http/proxy/upstream_pool.h"
#include "services/http/proxy/wheel.h"

namespace postern::http {

class ExchangePool;
class Store;
class TransferTable;
struct Request;

// Octets that one read takes at most.
constexpr size_t kReadMax = size_t{64} << 10;

// Read once for all events of a turn.
struct Clock {
  Instant now;
  int64_t wall_s = 0;  // since 1970, UTC
  void read();
};

struct Core {
  Core(boost::asio::io_context& loop, ProxySettings given, Seams calls, Poller::Turns& turns);
  ~Core();

  boost::asio::io_context& context;
  ProxySettings settings;
  Seams seams;
  Clock clock;
  Wheel wheel;
  Poller poller;
  UpstreamPool pool;
  ProxyCounters counters;
  Store* store = nullptr;                                   // none: nothing is kept
  int64_t object_octets_max = INT64_MAX;                    // half of the store
  std::vector<char> scratch = std::vector<char>(kReadMax);  // of the event that is being handled
  std::unique_ptr<Request> request;  // the head that is being read, where it came in one piece
  std::unique_ptr<ExchangePool> exchanges;
  std::unique_ptr<TransferTable> transfers;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

}  // namespace postern::http
