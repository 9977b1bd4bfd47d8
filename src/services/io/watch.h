// SPDX-License-Identifier: BSD-3-Clause
// Watch and Timer: a descriptor that is waited for, and a clock that calls, on the loop of the
// thread (Boost.Asio). Both may be destroyed at any time, also from within what they call; then
// nothing is called any more.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace postern::io {

class Watch {
 public:
  // Owns `fd`, which does not block.
  Watch(boost::asio::io_context& context, int fd);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int fd() const { return fd_; }
  // Calls once, when there is something to read, or room to write, or an error.
  void when_readable(std::function<void()> then);
  void when_writable(std::function<void()> then);
  // Calls each time anew, after `handle` has come back.
  void whenever_readable(std::function<void()> handle);
  // From within `handle`: it is not called any more until whenever_readable() is called again.
  void stop_reading();

 private:
  struct State;
  int fd_;
  std::shared_ptr<State> state_;
};

class Timer {
 public:
  explicit Timer(boost::asio::io_context& context);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Calls `tick` every `period` from then on, until stop().
  void start(Duration period, std::function<void()> tick);
  void stop();
  bool runs() const;

 private:
  struct State;
  boost::asio::io_context& context_;
  std::shared_ptr<State> state_;
};

}  // namespace postern::io
