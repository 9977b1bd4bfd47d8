// SPDX-License-Identifier: BSD-3-Clause
// UdpUpstream: sockets to the servers. For each server there are kSockets, each connected to it (so
// the kernel drops what others send) from a random port. What is sent in one turn to one server
// goes by one of them, drawn at random: as many system calls as turns, not as questions. A socket
// is replaced by one from another port after kTurnsMax turns or kAgeMax, and listens for what is
// still under way for kLinger.
//
// A forger has to hit port, ID and the case of letters of the question (RFC 5452 section 7);
// questions that share a port differ, so that sharing gives nothing away.
// Bounds: kSockets a server, servers as configured; idle ones are closed. Thread: control.
#pragma once

#include <vector>

#include "services/dns/forwarder.h"
#include "services/dns/socket.h"
#include "services/io/watch.h"

namespace postern::dns {

class UdpUpstream {
 public:
  struct Calls {
    std::function<void(uint32_t socket, Bytes message, Instant now)> take;
    std::function<Instant()> now;
    std::function<void()> end_turn;
    std::function<uint64_t()> random;
  };
  UdpUpstream(boost::asio::io_context& context, Calls calls);
  ~UdpUpstream();

  // As Outlet::send_datagram(); goes out with flush().
  uint32_t send(const ServerAddress& server, Bytes message);
  void flush();
  // Once a second: closes what is old.
  void tick(Instant now);
  size_t sockets() const;

 private:
  static constexpr size_t kSockets = 16;
  static constexpr uint32_t kTurnsMax = 1000;
  static constexpr Duration kAgeMax = seconds(60);
  static constexpr Duration kLinger = seconds(5);
  struct Socket;
  struct Pool;

  std::unique_ptr<Socket> open(const ServerAddress& server);
  Socket* socket_for_turn(Pool& pool);
  void on_readable(Socket& socket);

  boost::asio::io_context& context_;
  Calls calls_;
  std::vector<std::unique_ptr<Pool>> pools_;
  std::vector<std::unique_ptr<Socket>> lingering_;
  std::unique_ptr<DatagramBatch> in_;
  uint32_t last_number_ = 0;
  bool has_unsent_ = false;
};

}  // namespace postern::dns
