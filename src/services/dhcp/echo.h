// SPDX-License-Identifier: BSD-3-Clause
// EchoSocket: asks by ICMP echo (RFC 792) whether somebody has an address behind a relay, where ARP
// does not reach. What comes back counts only with the identifier and the number that went out, so
// nobody can make an address look used who has not got the request.
//
// The requests are the gateway's own packets and pass its filter; where that stops them the address
// counts as free after the wait. Bounds: kEchoesPerTurn answers at a turn. Thread: control.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace postern::dhcp {

struct EchoMark {
  uint16_t id = 0;
  std::array<uint8_t, 16> secret = {};
};

// The ICMP message, with its checksum.
std::array<uint8_t, 24> echo_request(const EchoMark& mark);
// The sender of an echo reply with this mark; `packet` begins with its IPv4 header. All else, whole
// or broken, is nobody.
std::optional<Ipv4Address> sender_of_reply(std::span<const uint8_t> packet, const EchoMark& mark);

class EchoSocket {
 public:
  static Result<std::unique_ptr<EchoSocket>> open();
  ~EchoSocket();
  EchoSocket(const EchoSocket&) = delete;
  EchoSocket& operator=(const EchoSocket&) = delete;

  // Readable when answers() has some.
  int fd() const { return fd_; }
  // False: the kernel refused.
  bool send(Ipv4Address from, Ipv4Address to);
  // Who has answered since the last call.
  std::vector<Ipv4Address> answers();

 private:
  static constexpr unsigned kEchoesPerTurn = 256;
  explicit EchoSocket(int fd);

  int fd_;
  EchoMark mark_;
};

}  // namespace postern::dhcp
