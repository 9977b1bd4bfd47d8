// SPDX-License-Identifier: BSD-3-Clause
// UdpServer: one address where clients ask by UDP. Queries are read, answered and sent in batches
// of 64, so a query that the cache knows costs no allocation and a small part of two system calls.
//
// Bounds: kRounds batches a turn, then others have theirs; what the kernel's queue cannot hold it
// drops. Thread: control.
#pragma once

#include "services/dns/forwarder.h"
#include "services/dns/socket.h"
#include "services/io/watch.h"

namespace postern::dns {

class UdpServer {
 public:
  // A query, its answer at once into the room (0: none, or later by reply()).
  using Ask = std::function<size_t(Bytes query, const Client&, Instant now, std::span<uint8_t>)>;
  struct Calls {
    Ask ask;
    std::function<Instant()> now;
    std::function<void()> end_turn;  // after each batch
  };

  // Owns `fd`. `number` becomes Client::listener.
  UdpServer(boost::asio::io_context& context, int fd, uint32_t number, Calls calls);

  void reply(const Client& client, Bytes message);
  // Sends what reply() collected.
  void flush();
  uint32_t number() const { return number_; }

 private:
  static constexpr int kRounds = 8;
  void on_readable();

  io::Watch watch_;
  uint32_t number_;
  Calls calls_;
  DatagramBatch in_;
  DatagramBatch out_;
};

}  // namespace postern::dns
