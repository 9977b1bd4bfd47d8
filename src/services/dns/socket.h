// SPDX-License-Identifier: BSD-3-Clause
// Sockets of the DNS service: opening, naming and batches of datagrams.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "services/dns/name.h"
#include "services/io/listen_address.h"

namespace postern::dns {

// An UDP socket for queries (io::open_listener), with room for some thousand of them.
Result<int> open_datagram_listener(const io::ListenAddress& at);
// An UDP socket for one server alone, from a port that cannot be guessed (RFC 5452 section 9.2):
// `random_port` is tried first, then others. -1: none.
int open_to_server(Ipv4Address server, uint16_t server_port, uint16_t random_port);

// Datagrams in or out, all at once. Slots of `kSlotBytes`; contents are left as they were.
class DatagramBatch {
 public:
  static constexpr size_t kSlots = 64;
  explicit DatagramBatch(size_t slot_bytes);

  // Reads up to kSlots; how many, 0 for none.
  size_t receive(int fd);
  Bytes bytes(size_t slot) const;
  bool is_cut(size_t slot) const { return (messages_[slot].msg_hdr.msg_flags & MSG_TRUNC) != 0; }
  Ipv4Address address(size_t slot) const {
    return Ipv4Address(ntohl(addresses_[slot].sin_addr.s_addr));
  }
  uint16_t port(size_t slot) const { return ntohs(addresses_[slot].sin_port); }

  // The room of the slot that is added next, and adding it. When is_full() it has to be sent first.
  std::span<uint8_t> room() { return {slot(size_), slot_bytes_}; }
  bool is_full() const { return size_ == kSlots; }
  void add(size_t bytes, Ipv4Address to, uint16_t port);
  void add_connected(size_t bytes);
  // Sends what was added; what the kernel does not take is lost, as on the wire.
  void send(int fd);

 private:
  uint8_t* slot(size_t number) const { return octets_.get() + number * slot_bytes_; }

  size_t slot_bytes_;
  size_t size_ = 0;
  std::unique_ptr<uint8_t[]> octets_;
  std::array<mmsghdr, kSlots> messages_ = {};
  std::array<iovec, kSlots> vectors_ = {};
  std::array<sockaddr_in, kSlots> addresses_ = {};
};

}  // namespace postern::dns
