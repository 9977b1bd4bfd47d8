// SPDX-License-Identifier: BSD-3-Clause
// TcpServer: one address where clients ask by TCP (RFC 7766): many queries over one connection,
// answered as the answers come.
//
// Bounds: kConnectionsMax connections, kPerClientMax of one client: further ones are closed at
// once. While the process or the machine has no descriptor left, nothing is accepted until the next
// tick(): the clients wait in the kernel's queue. kQueriesMax queries under way and kUnsentMax
// unsent octets on one: until there are fewer nothing is read from it. A connection on which
// nothing happens for kIdle ends, and one whose client is in the middle of a message for that long,
// too. Thread: control.
#pragma once

#include <map>
#include <optional>

#include "services/dns/forwarder.h"
#include "services/dns/socket.h"
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

  TcpServer(boost::asio::io_context& context, int fd, uint32_t number, Calls calls);
  ~TcpServer();

  void reply(const Client& client, Bytes message);
  // Once a second: ends what is idle, and accepts again.
  void tick(Instant now);
  size_t connections() const { return connections_.size(); }
  uint64_t turned_away() const { return turned_away_; }
  uint64_t pauses() const { return pauses_; }

 private:
  struct Connection;
  void accept_whenever();
  void on_acceptable();
  void pause(int error);
  void add(int fd, Ipv4Address address, uint16_t port);
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
  io::Watch watch_;
  uint32_t number_;
  Calls calls_;
  std::map<uint32_t, std::unique_ptr<Connection>> connections_;
  uint32_t last_id_ = 0;
  uint64_t turned_away_ = 0;
  uint64_t pauses_ = 0;
  bool is_paused_ = false;
  std::optional<Instant> pause_told_;
};

}  // namespace postern::dns
