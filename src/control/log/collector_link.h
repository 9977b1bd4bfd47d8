// SPDX-License-Identifier: BSD-3-Clause
// CollectorLink: one connection to a collector of syslog or IPFIX: UDP, TCP, TLS.
//
//   open() -> turn(), turn() ... is_open() -> send, send ... -> arrived() -> fault()
//
// Nothing waits: turn() does what can be done now. What "has arrived" means differs: on a stream
// what the other side's kernel has acknowledged; by UDP what nobody has complained about for
// kUdpPatience (an ICMP error, an interface without a way): best
// effort, as RFC 5426 is.
//
// Thread: one. Bounds: kOutgoingMax bytes that the socket has not taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace postern {

class CollectorLink {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kConnectMax{5};  // for the connection and TLS
  static constexpr std::chrono::milliseconds kUdpPatience{300};
  static constexpr size_t kOutgoingMax = size_t{64} << 10;
  // A connection on which nothing is acknowledged for so long is broken.
  static constexpr std::chrono::seconds kSilenceMax{20};

  enum class Transport : uint8_t { udp, tcp, tls };
  struct Way {
    Ipv4Address address;
    uint16_t port = 0;
    Transport transport = Transport::udp;
    std::string ca;           // file of certificates, TLS; empty: those of the system
    std::string server_name;  // in its certificate, TLS; empty: the address
  };

  virtual ~CollectorLink() = default;
  // Never nullptr; what is wrong is fault().
  static std::unique_ptr<CollectorLink> open(const Way& way);

  virtual void turn() = 0;
  virtual bool is_open() const = 0;
  // Whether somebody is known to be there: a datagram goes out in any case.
  virtual bool is_proven() const { return is_open(); }
  // Whether it takes a message now.
  virtual bool has_room() const = 0;
  // On a stream: with the frame that it needs. False: it was not taken after all, nor is anything
  // before the next turn.
  virtual bool send(std::string_view message) = 0;
  // Octets that a message may have without being cut on the way.
  virtual size_t message_max() const { return kOutgoingMax; }
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

// Over a socket of datagrams that is connected; takes it over.
std::unique_ptr<CollectorLink> open_udp_link(int fd);
// With TLS (syslog_tls.cc); takes over the connected or connecting socket.
std::unique_ptr<CollectorLink> open_tls_link(const CollectorLink::Way& way, int fd);

// A stream of messages: what TCP and TLS have in common.
class CollectorStream : public CollectorLink {
 public:
  explicit CollectorStream(int fd);
  ~CollectorStream() override;
  CollectorStream(const CollectorStream&) = delete;
  CollectorStream& operator=(const CollectorStream&) = delete;

  void turn() override;
  bool is_open() const override { return is_ready_ && fault().empty(); }
  bool has_room() const override { return is_open() && outgoing_.size() < kOutgoingMax; }
  bool send(std::string_view message) override;
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
