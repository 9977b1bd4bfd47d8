// SPDX-License-Identifier: BSD-3-Clause
// Poller: the sockets of the proxy, in one epoll set that is itself one descriptor of the loop.
//
//   loop (Boost.Asio) --- epoll set of the proxy --- 10,000 sockets
//
// A socket is added once, edge-triggered for reading and writing together, and costs no system call
// and no memory of the loop after that; a turn of the loop handles at most kBatch events, so that
// other services come to their turn.
//
// A handler that is told of an event tries until the socket says EAGAIN, or remembers that it has
// not. Handlers may remove any handler while events are handed out, themselves included; who wants
// to end itself from within gives itself to bury(), which frees it after the batch.
//
// Thread: control. Bounds: kBatch events a turn.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace postern::http {

class Poller {
 public:
  static constexpr int kBatch = 64;

  // What ends by itself, perhaps from within a call that it made.
  class Mortal {
   public:
    virtual ~Mortal() = default;
  };
  class Handler : public Mortal {
   public:
    // `events`: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
    virtual void on_ready(uint32_t events) = 0;
  };
  // Called at the begin and at the end of each batch of events.
  class Turns {
   public:
    virtual ~Turns() = default;
    virtual void begin_turn() = 0;
    virtual void end_turn() = 0;
  };

  Poller(boost::asio::io_context& context, Turns& turns);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // False: the system has no room for it.
  [[nodiscard]] bool add(int fd, Handler& handler);
  // Has it told once more what is ready, for a handler that did not try until EAGAIN.
  void rearm(int fd, Handler& handler);
  // Before the descriptor is closed. No event of it comes after this.
  void remove(int fd, const Handler& handler);
  // Frees it when no event is being handled any more.
  void bury(std::unique_ptr<Mortal> mortal);
  // Frees what was buried, unless events are being handled.
  void clean_up();

 private:
  struct Registration;
  void wait();
  void handle_batch();
  static epoll_event interest(Handler& handler);

  Turns& turns_;
  int fd_ = -1;
  std::shared_ptr<Registration> registration_;
  std::array<epoll_event, kBatch> events_ = {};
  int event_count_ = 0;
  bool is_handling_ = false;
  std::vector<std::unique_ptr<Mortal>> buried_;
};

}  // namespace postern::http
