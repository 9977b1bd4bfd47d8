// SPDX-License-Identifier: BSD-3-Clause
// SyslogLink: one connection to a collector: UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425).
//
//   open() -> turn(), turn() ... is_open() -> send, send ... -> arrived() -> fault()
//
// Nothing waits: turn() does what can be done now. What "has arrived" means differs: on a stream
// what the other side's kernel has acknowledged; by UDP what nobody has complained about for
// kUdpPatience (an ICMP error, an interface without a way): best effort, as RFC 5426 is.
//
// Thread: one. Bounds: kOutgoingMax bytes that the socket has not taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/config/model_logging.h"

namespace postern {

class SyslogLink {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kConnectMax{5};  // for the connection and TLS
  static constexpr std::chrono::milliseconds kUdpPatience{300};
  static constexpr size_t kOutgoingMax = size_t{64} << 10;

  virtual ~SyslogLink() = default;
  // Never nullptr; what is wrong is fault().
  static std::unique_ptr<SyslogLink> open(const config::SyslogTarget& target);

  virtual void turn() = 0;
  virtual bool is_open() const = 0;
  // Whether somebody is known to be there: a datagram goes out in any case.
  virtual bool is_proven() const { return is_open(); }
  // Whether it takes a message now.
  virtual bool has_room() const = 0;
  virtual void send(std::string_view message) = 0;
  // Of the messages sent and not told of yet, how many have arrived.
  virtual size_t arrived() = 0;
  // Why it is of no further use; empty: it is.
  const std::string& fault() const { return fault_; }

 protected:
  void fail(std::string why) {
    if (fault_.empty()) fault_ = std::move(why);
  }

 private:
  std::string fault_;
};

// With TLS (syslog_tls.cc); takes over the connected or connecting socket.
std::unique_ptr<SyslogLink> open_tls_link(const config::SyslogTarget& target, int fd);

// A stream of frames: what TCP and TLS have in common.
class SyslogStream : public SyslogLink {
 public:
  explicit SyslogStream(int fd);
  ~SyslogStream() override;
  SyslogStream(const SyslogStream&) = delete;
  SyslogStream& operator=(const SyslogStream&) = delete;

  void turn() override;
  bool is_open() const override { return is_ready_ && fault().empty(); }
  bool has_room() const override { return is_open() && outgoing_.size() < kOutgoingMax; }
  void send(std::string_view message) override;
  size_t arrived() override;

 protected:
  int fd() const { return fd_; }
  // After the TCP connection stands; true when frames may be sent.
  virtual bool shake_hands() { return true; }
  // Octets taken; 0: not now. A failure is told by fail().
  virtual size_t write_some(std::string_view octets);
  // Whether the other side has ended it.
  virtual bool is_at_end();
  // Octets that write_some() has given to the socket so far, as they lie on the wire.
  virtual uint64_t on_wire() const { return written_; }

 private:
  void flush();

  int fd_;
  bool is_connected_ = false, is_ready_ = false;
  Clock::time_point deadline_ = Clock::now() + kConnectMax;
  std::string outgoing_;
  uint64_t written_ = 0;   // octets of frames that left `outgoing_`
  uint64_t appended_ = 0;  // octets of frames in all
  struct Mark {
    uint64_t frames, wire;
  };
  std::deque<Mark> marks_;       // how far frames and the wire were, at each write
  std::deque<uint64_t> ends_;    // of frames that have not arrived
  uint64_t arrived_frames_ = 0;  // octets
};

}  // namespace postern
