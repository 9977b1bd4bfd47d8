// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/core.h"

#include <ctime>
#include <utility>

#include "services/http/proxy/exchange.h"
#include "services/http/proxy/request.h"
#include "services/http/proxy/transfer.h"

namespace postern::http {

void Clock::read() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  now = Instant{time.tv_sec * 1'000'000'000 + time.tv_nsec};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  wall_s = time.tv_sec;
}

Core::Core(boost::asio::io_context& loop, ProxySettings given, Seams calls, Poller::Turns& turns)
    : context(loop),
      settings(std::move(given)),
      seams(std::move(calls)),
      poller(loop, turns),
      pool(poller, wheel) {
  pool.set_limits(settings.pool);
  clock.read();
  request = std::make_unique<Request>(head_limits(settings.limits));
  exchanges = std::make_unique<ExchangePool>(*this);
  transfers = std::make_unique<TransferTable>(*this);
}

Core::~Core() = default;

HeadLimits head_limits(const ProxyLimits& limits) {
  return HeadLimits{limits.head_bytes, limits.head_bytes};
}

}  // namespace postern::http
