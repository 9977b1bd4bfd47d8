// SPDX-License-Identifier: BSD-3-Clause
// Loop: the event loop of the control thread. Boost.Asio stays behind it (it compiles slowly); the
// few files that need more of Asio use context().
//
// Thread: control. Everything registered here is called on the thread in run(), one at a time.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace postern {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Returns after stop().
  void run();
  void stop();

  // Calls `tick` every `period` from now on; a tick that comes late does not make the next ones
  // late.
  void every(Duration period, std::function<void()> tick);
  // Calls `then` once, after `delay`.
  void after(Duration delay, std::function<void()> then);
  // Calls `handle` whenever `fd` is readable. The caller keeps it open until the loop is gone.
  void when_readable(int fd, std::function<void()> handle);

  boost::asio::io_context& context();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern
