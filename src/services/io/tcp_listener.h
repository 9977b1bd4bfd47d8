// SPDX-License-Identifier: BSD-3-Clause
// TcpListener: the listening TCP sockets of a service, each bound to an address and its device, and
// what comes in by them.
//
//   listen(addresses) -> the sockets that are missing open, those that are not wanted close, the
//                        others stay, with what waits in them
//   accept -> Take; without descriptors nothing is accepted until tick() (acceptor.h)
//
// Who may come, and how many at once, is for who takes them: io::Places for the number of
// connections, io::RateLimiter for that a second. May be destroyed or told to listen elsewhere at
// any time, also from within `take`. Thread: that of the loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "services/io/acceptor.h"
#include "services/io/listen_address.h"

namespace postern::io {

class TcpListener {
 public:
  using Arrival = Acceptor::Arrival;
  // Owns the descriptor of `arrival`, a connection to `at`.
  using Take = std::function<void(const ListenAddress& at, const Arrival& arrival)>;

  TcpListener(boost::asio::io_context& context, Take take);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // Closes the sockets that are none of these.
  void close_others(const std::vector<ListenAddress>& addresses);
  // Opens and closes sockets, so that these are open. Goes on after an error and returns the first;
  // what could not be opened is tried again by each call.
  Result<void> listen(const std::vector<ListenAddress>& addresses);
  // Once a second: accepts again where descriptors were missing.
  void tick();

  std::vector<ListenAddress> listening() const;

 private:
  struct Socket;
  bool is_listening(const ListenAddress& at) const;

  boost::asio::io_context& context_;
  std::shared_ptr<const Take> take_;  // shared with the sockets, which may call it at the end
  std::vector<Socket> sockets_;
};

}  // namespace postern::io
