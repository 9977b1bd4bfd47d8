// SPDX-License-Identifier: BSD-3-Clause
// TcpServer: one address where clients ask by TCP (RFC 7766): many queries over one connection,
// answered as the answers come.
//
// Bounds: kConnectionsMax connections, kPerClientMax of one client: further ones are closed at
// once. Without a descriptor nothing is accepted until the next tick() (io/acceptor.h).
// kQueriesMax queries under way and kUnsentMax unsent octets on one: until there are fewer nothing
// is read from it. A connection on which nothing happens for kIdle ends, and one whose client is in
// the middle of a message for that long, too. Thread: control.
#pragma once

#include <map>
#include <optional>

#include "services/dns/forwarder.h"
#include "services/io/acceptor.h"
#include "services/io/places.h"
#include "services/io/watch.h"

namespace postern::dns {

class TcpServer {
 public:
  static constexpr size_t kConnectionsMax = 256;
  static constexpr size_t kPerClientMax = 32;
  static constexpr size_t kQueriesMax = 64;
  static constexpr size_t kUnsentMax = size_t{128} << 10;
  static constexpr Duration kIdle = seconds(10);
  static constexpr Duration kPauseTold = seconds(60);

  using Ask = std::function<size_t(Bytes query, const Client&, Instant now, std::span<uint8_t>)>;
  struct Calls {
    Ask ask;
    std::function<Instant()> now;
    std::function<void()> end_turn;
    std::function<std::span<uint8_t>()> room;  // 64 KiB for one answer
    // Why nothing is accepted, once in kPauseTold at most.
    std::function<void(const char* why)> warn;
  };

  // Owns `fd`, which listens and does not block.
  TcpServer(boost::asio::io_context& context, int fd, uint32_t number, Calls calls);
  ~TcpServer();

  void reply(const Client& client, Bytes message);
  // Once a second: ends what is idle, and accepts again.
  void tick(Instant now);
  size_t connections() const { return connections_.size(); }
  uint64_t turned_away() const { return places_.turned_away(); }
  uint64_t pauses() const { return acceptor_.pauses(); }

 private:
  struct Connection;
  void tell_pause(int error);
  void add(const io::Acceptor::Arrival& arrival);
  void on_readable(uint32_t id);
  void on_writable(uint32_t id);
  // False when the connection is to be closed.
  bool read(Connection& connection);
  bool answer(Connection& connection);
  bool write(Connection& connection);
  void put(Connection& connection, Bytes message);
  void wait(uint32_t id, Connection& connection);
  Connection* find(uint32_t id);

  boost::asio::io_context& context_;
  uint32_t number_;
  Calls calls_;
  std::map<uint32_t, std::unique_ptr<Connection>> connections_;
  uint32_t last_id_ = 0;
  io::Places places_{kConnectionsMax, kPerClientMax};
  std::optional<Instant> pause_told_;
  io::Acceptor acceptor_;
};

}  // namespace postern::dns
