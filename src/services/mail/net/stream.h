// SPDX-License-Identifier: BSD-3-Clause
// Stream: one TCP connection, in clear, and from some point on over TLS, as its server or as its
// client.
//
//   socket <-> [TLS] <-> received(), send()
//
// Nothing is kept here of what comes in: it is read when there is somebody to take it, and not at
// all while want_input(false) holds. What goes out waits here until the kernel takes it; whoever
// sends much waits for drained() before the next piece.
//
// STARTTLS and STLS: secure_as_server() behind the reply, secure_as_client() behind the server's
// reply. Octets that came in clear until then were said by who knows whom and are thrown away
// (RFC 3207 section 4.2, CVE-2011-0411); those that come in clear later end the handshake.
//
// Thread: that of the loop. Bounds: kPieceMax octets a call of received(); unsent() is for the
// owner to bound. There are no timeouts here but that of close_when_sent(): owners know for what
// they wait.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "services/mail/net/ssl.h"

namespace postern::mail {

class ClientTls;
class ServerTls;

// Asio's handlers may still come after close(), so they hold the stream, too: hence shared.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  static constexpr size_t kPieceMax = size_t{64} << 10;

  // Called from the loop, never from within a call to the stream. A stream that was closed, also
  // in one of these, makes no further call. Those that are empty are not called.
  struct Calls {
    std::function<void(std::string_view octets)> received;
    std::function<void()> drained;  // all that was sent has gone to the kernel
    // The handshake. After an error the stream is closed, and failed() is not called.
    std::function<void(const Result<void>& outcome)> secured;
    // The far side sends no more but may still read, and be sent to. Once.
    std::function<void()> end_of_input;
    // The connection is gone, and the stream closed. What the far side said before was received.
    std::function<void(const Error& why)> failed;
  };

  // Owns `fd`, a connected socket.
  static std::shared_ptr<Stream> take(boost::asio::io_context& context, int fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Starts to read. Once, before anything else.
  void begin(Calls calls);
  void send(std::string octets);
  size_t unsent() const { return outgoing_.size() - sent_; }
  // False: the socket is not read until it is called with true.
  void want_input(bool wanted);

  // Behind what was sent. Once; then secured(). What is sent meanwhile goes over TLS.
  void secure_as_server(std::shared_ptr<ServerTls> tls);
  // `name`: the server's, told to it in clear (RFC 6066 section 3) where TlsUse::name says nothing.
  void secure_as_client(std::shared_ptr<ClientTls> tls, const std::string& name);
  // "TLS1.3 TLS_AES_256_GCM_SHA384"; empty: there is none, or not yet.
  std::string tls_text() const;

  // At once; what was not sent is lost.
  void close();
  // What was sent goes out, then it is closed, so that the far side gets it all; `patience` later
  // at the latest. No call comes any more.
  void close_when_sent(Duration patience);
  bool is_closed() const { return state_ == State::closed; }

 private:
  enum class State : uint8_t {
    clear,
    before_tls,  // what is to be sent in clear goes out
    handshake,
    secure,
    closed,
  };

  explicit Stream(boost::asio::io_context& context);
  void later();
  void turn(bool is_readable);
  void settle();
  void wait_readable();
  void wait_writable();

  void read();
  bool read_clear();
  bool read_secure();
  void deliver(std::string_view octets);
  void end_input();

  bool can_write() const;
  void write();
  bool write_clear(std::string_view octets, size_t& taken);
  bool write_secure(std::string_view octets, size_t& taken);
  void note_write_error(std::string why);

  void secure(SslPtr ssl);
  void drop_clear_input();
  void shake_hands();
  std::string tls_failure() const;
  void fail(ErrorCode code, std::string text);
  void finish_closing();
  bool wants_to_read() const;

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor socket_;
  std::shared_ptr<const Calls> calls_;  // shared with the call that is under way
  State state_ = State::clear;
  bool wants_input_ = true;
  bool is_at_end_ = false;       // of input
  bool is_in_turn_ = false;      // settle() follows
  bool is_turn_posted_ = false;  // a turn comes without the socket
  bool is_waiting_to_read_ = false;
  bool is_waiting_to_write_ = false;
  bool is_blocked_ = false;   // the kernel takes no more for now
  bool is_closing_ = false;   // close_when_sent()
  bool has_spoken_ = false;   // in clear, one side or the other
  bool has_pending_ = false;  // TLS may have octets that the socket does not tell of
  std::string outgoing_;      // from sent_ on
  size_t sent_ = 0;
  size_t clear_left_ = 0;    // octets from there on that go before TLS begins
  std::string write_error_;  // nothing can be sent; what is still there to be read is read
  std::shared_ptr<ServerTls> server_;
  std::shared_ptr<ClientTls> client_;
  SslPtr ssl_;
  std::unique_ptr<boost::asio::steady_timer> patience_;
};

}  // namespace postern::mail
