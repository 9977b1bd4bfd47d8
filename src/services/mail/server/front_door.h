// SPDX-License-Identifier: BSD-3-Clause
// FrontDoor: the listening sockets of a server, and how many clients may be in: all together, and
// of one address (io/places.h). Who finds no place is told so in a line, and closed.
//
// Thread: control.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "services/io/places.h"
#include "services/io/tcp_listener.h"
#include "services/mail/server/departures.h"

namespace postern::mail {

class FrontDoor {
 public:
  // Owns the descriptor of `arrival`, a connection to `at`.
  using Take =
      std::function<void(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
                         io::Places::Place place)>;
  // What a client is told that cannot come in; empty: nothing, as where TLS comes first.
  using Sorry = std::function<std::string(const io::ListenAddress& at)>;
  FrontDoor(boost::asio::io_context& context, Take take, Sorry sorry);

  // Clients that are in stay, and count.
  Result<void> follow(const std::vector<io::ListenAddress>& addresses, size_t all, size_t of_one);
  void close() { listener_.close_others({}); }
  // Once a second.
  void tick();
  void leave(std::shared_ptr<Stream> stream, io::Places::Place place);

  // Closes it with a last line, which a client that waits for one gets.
  static void turn_away(int fd, const std::string& line);

  // Clients that are in.
  size_t taken() const { return places_.taken(); }
  std::vector<io::ListenAddress> listening() const { return listener_.listening(); }

 private:
  void admit(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival);

  Take take_;
  Sorry sorry_;
  io::Places places_{0, 0};
  Departures departures_;
  io::TcpListener listener_;  // last: takes no more first
};

}  // namespace postern::mail
