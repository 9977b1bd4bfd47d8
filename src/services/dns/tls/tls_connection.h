// SPDX-License-Identifier: BSD-3-Clause
// TlsConnection: one connection to one server of DNS over TLS; messages in, messages out.
//
//   socket <-> octets <-> TLS (buffers in memory) <-> length and message (RFC 7858 section 3.3)
//
// It knows nothing of questions and answers; TlsUpstream does. It lives until close(), or until
// the far side, the network or a broken message ends it, which Owner is told once.
//
// Thread: control. Bounds: one message of 64 KiB and one TLS record coming in; going out
// kOutgoingMax and one message: beyond that has_room() says no, and the owner waits. A server that
// makes TLS itself talk (RFC 8446 section 4.6.3) and does not read is left.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "services/dns/tls/tls_context.h"

namespace postern::dns {

// Asio's handlers may still come after close(), so they hold the connection, too: hence shared.
class TlsConnection : public std::enable_shared_from_this<TlsConnection> {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kOutgoingMax = size_t{64} << 10;

  // Called from the event loop, never from within a call to the connection. After closed() there
  // are no more calls.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void opened(TlsConnection& connection) = 0;
    virtual void received(TlsConnection& connection, std::span<const uint8_t> message) = 0;
    virtual void closed(TlsConnection& connection, const Error& why) = 0;
  };

  // Begins to connect. `owner` and `context` outlive the connection or call close() before.
  static Result<std::shared_ptr<TlsConnection>> start(boost::asio::io_context& io,
                                                      TlsContext& context, const TlsServer& server,
                                                      Owner& owner);

  bool is_open() const { return state_ == State::open; }
  bool is_resumed() const;
  Clock::time_point started() const { return started_; }
  Clock::time_point last_received() const { return last_received_; }
  uint64_t received_count() const { return received_count_; }

  // Octets that the socket has not taken yet.
  size_t unsent() const;
  bool has_room() const { return unsent() < kOutgoingMax; }
  // Sends a message of at most 65,535 octets; only while is_open() and has_room().
  void send(std::span<const uint8_t> message);
  // Ends it, with a farewell when it is open. The owner is not told.
  void close();

 private:
  enum class State : uint8_t { connecting, handshaking, open, closed };

  TlsConnection(boost::asio::io_context& io, int fd, SslPtr ssl, TlsContext& context, Owner& owner);
  void wait_readable();
  void wait_writable();
  void on_connected();
  bool read_socket();
  void advance();
  void shake_hands();
  void read_messages();
  bool take_messages();
  void flush();
  void fail(ErrorCode code, std::string text);

  boost::asio::posix::stream_descriptor socket_;
  SslPtr ssl_;
  TlsContext& context_;
  Owner* owner_;
  State state_ = State::connecting;
  bool is_waiting_to_write_ = false;
  bool is_at_end_ = false;         // the far side sends no more
  std::vector<uint8_t> incoming_;  // messages not whole yet
  std::vector<uint8_t> outgoing_;  // octets of TLS that the socket had no room for
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_received_ = started_;
  uint64_t received_count_ = 0;
};

}  // namespace postern::dns
