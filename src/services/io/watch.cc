// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/watch.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace postern::io {
namespace asio = boost::asio;
using boost::system::error_code;

struct Watch::State : std::enable_shared_from_this<Watch::State> {
  State(asio::io_context& context, int fd) : descriptor(context, fd) {}

  void wait_readable() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](error_code error) {
                            if (error || !self->is_alive) return;
                            self->on_readable();
                            if (self->is_alive && self->goes_on) self->wait_readable();
                          });
  }

  asio::posix::stream_descriptor descriptor;
  std::function<void()> on_readable;
  bool goes_on = false;
  bool is_alive = true;
};

Watch::Watch(asio::io_context& context, int fd)
    : fd_(fd), state_(std::make_shared<State>(context, fd)) {}

Watch::~Watch() {
  state_->is_alive = false;
  error_code ignored;
  state_->descriptor.close(ignored);
}

void Watch::when_readable(std::function<void()> then) {
  state_->on_readable = nullptr;
  state_->goes_on = false;
  state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                [state = state_, then = std::move(then)](error_code error) {
                                  if (!error && state->is_alive) then();
                                });
}

void Watch::when_writable(std::function<void()> then) {
  state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                [state = state_, then = std::move(then)](error_code error) {
                                  if (!error && state->is_alive) then();
                                });
}

void Watch::whenever_readable(std::function<void()> handle) {
  state_->on_readable = std::move(handle);
  state_->goes_on = true;
  state_->wait_readable();
}

void Watch::stop_reading() {
  state_->goes_on = false;
}

struct Timer::State : std::enable_shared_from_this<Timer::State> {
  explicit State(asio::io_context& context) : timer(context) {}

  void arm() {
    timer.expires_after(period);
    timer.async_wait([self = shared_from_this()](error_code error) {
      if (error || !self->is_alive) return;
      self->tick();
      if (self->is_alive) self->arm();
    });
  }

  asio::steady_timer timer;
  std::chrono::nanoseconds period{};
  std::function<void()> tick;
  bool is_alive = true;
};

Timer::Timer(asio::io_context& context) : context_(context) {}

Timer::~Timer() {
  stop();
}

void Timer::start(Duration period, std::function<void()> tick) {
  stop();
  state_ = std::make_shared<State>(context_);
  state_->period = std::chrono::nanoseconds(period.ns);
  state_->tick = std::move(tick);
  state_->arm();
}

void Timer::stop() {
  if (!state_) return;
  state_->is_alive = false;
  state_->timer.cancel();
  state_.reset();
}

bool Timer::runs() const {
  return state_ != nullptr;
}

}  // namespace postern::io
