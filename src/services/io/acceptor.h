// SPDX-License-Identifier: BSD-3-Clause
// Acceptor: takes connections from one listening socket.
//
//   readable -> accept, up to kTakenPerTurn -> Calls::take
//
// While the process or the machine has no descriptor left, or no memory for one, the next
// connection cannot be taken out of the queue and the socket would be readable for ever: nothing is
// accepted until tick(), and the clients wait in the kernel's queue. May be destroyed at any time,
// also from within what it calls. Thread: that of the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/address.h"

namespace boost::asio {
class io_context;
}

namespace postern::io {

class Acceptor {
 public:
  static constexpr int kTakenPerTurn = 32;

  // A connection that was just accepted. Whoever takes it owns the descriptor, which does not
  // block.
  struct Arrival {
    int fd;
    Ipv4Address from;  // zero, and so the port, where it is none of IPv4
    uint16_t port;
  };
  struct Calls {
    std::function<void(const Arrival& arrival)> take;
    std::function<void(int error)> pause;  // an errno; may be empty
  };

  // Owns `fd`, which listens and does not block.
  Acceptor(boost::asio::io_context& context, int fd, Calls calls);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Once a second: accepts again where descriptors were missing.
  void tick();
  // Descriptors are missing.
  bool is_paused() const;
  uint64_t pauses() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::io
