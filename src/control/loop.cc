// SPDX-License-Identifier: BSD-3-Clause
#include "control/loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <vector>

namespace postern {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

struct Ticker {
  asio::steady_timer timer;
  std::chrono::nanoseconds period;
  std::function<void()> tick;

  void arm() {
    auto now = asio::steady_timer::clock_type::now();
    auto next = timer.expiry() + period;
    timer.expires_at(next < now ? now : next);
    timer.async_wait([this](error_code error) {
      if (error) return;
      tick();
      arm();
    });
  }
};

struct Watch {
  asio::posix::stream_descriptor descriptor;
  std::function<void()> handle;

  Watch(asio::io_context& context, int fd, std::function<void()> then)
      : descriptor(context, fd), handle(std::move(then)) {}
  ~Watch() { descriptor.release(); }  // not ours to close
  void arm() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (error) return;
      handle();
      arm();
    });
  }
};

}  // namespace

struct Loop::State {
  asio::io_context context{1};
  std::vector<std::unique_ptr<Ticker>> tickers;
  std::vector<std::unique_ptr<Watch>> watches;
};

Loop::Loop() : state_(std::make_unique<State>()) {}
Loop::~Loop() = default;

void Loop::run() {
  auto work = asio::make_work_guard(state_->context);
  state_->context.run();
}

void Loop::stop() {
  state_->context.stop();
}

void Loop::every(Duration period, std::function<void()> tick) {
  auto ticker = std::make_unique<Ticker>(Ticker{
      asio::steady_timer(state_->context), std::chrono::nanoseconds(period.ns), std::move(tick)});
  ticker->timer.expires_after(std::chrono::nanoseconds(0));
  ticker->arm();
  state_->tickers.push_back(std::move(ticker));
}

void Loop::after(Duration delay, std::function<void()> then) {
  auto timer = std::make_unique<asio::steady_timer>(state_->context);
  timer->expires_after(std::chrono::nanoseconds(delay.ns));
  asio::steady_timer& waiting = *timer;
  waiting.async_wait([timer = std::move(timer), then = std::move(then)](error_code error) {
    if (!error) then();
  });
}

void Loop::when_readable(int fd, std::function<void()> handle) {
  auto watch = std::make_unique<Watch>(state_->context, fd, std::move(handle));
  watch->arm();
  state_->watches.push_back(std::move(watch));
}

asio::io_context& Loop::context() {
  return state_->context;
}

}  // namespace postern
