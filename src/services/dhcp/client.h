// SPDX-License-Identifier: BSD-3-Clause
// Client: the gateway's own side of DHCP on one interface (RFC 2131 4.4): messages and time in;
// messages, leases and their end out. No socket, no clock.
//
//   init -DISCOVER-> selecting -OFFER-> requesting -ACK-> probing -nobody answers-> bound
//    '--a lease of before-> rebooting -----------ACK, silence--^                    | T1, T2
//                                                             ^-- renewing, rebinding <--'
//
// A NAK, an address that somebody else has (then DECLINE) and the end of a lease lead back to init;
// what goes wrong twice waits longer and longer there. Requests are repeated after 4, 8 ... 64 s, a
// second more or less (RFC 2131 4.1); a renewal at half of the time that is left, at least every
// minute of a long lease. Every second request asks for the answer as a broadcast. Bounds: one
// lease, one request under way. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>

#include "base/address.h"
#include "base/time.h"
#include "services/dhcp/client_lease.h"
#include "services/dhcp/message.h"

namespace postern::dhcp {

class ClientSink {
 public:
  virtual ~ClientSink() = default;
  virtual void broadcast(std::span<const uint8_t> message) = 0;
  // To the server of the lease, from its address.
  virtual void unicast(Ipv4Address from, Ipv4Address server, std::span<const uint8_t> message) = 0;
  // An ARP request for `address` from nobody; answers come back by address_seen().
  virtual void probe(Ipv4Address address) = 0;
  // Why a lease cannot be used here, as the end of a sentence; empty: it can.
  virtual std::string objection(const ClientLease& lease) = 0;
  // A lease is there, renewed or changed. Unconfirmed: a remembered one that no server spoke for.
  virtual void bound(const ClientLease& lease, bool is_confirmed) = 0;
  // The address may not be used from now on.
  virtual void lost(const std::string& why) = 0;
  virtual void remark(const std::string& line) = 0;  // for the error log
};

class Client {
 public:
  enum class State : uint8_t {
    released,  // by hand; does nothing
    init,
    rebooting,
    selecting,
    requesting,
    probing,
    bound,
    renewing,
    rebinding,
  };

  struct Settings {
    MacAddress mac;
    std::function<uint32_t()> random;  // for transaction identifiers and waits
  };
  Client(Settings settings, ClientSink& sink) : settings_(std::move(settings)), sink_(sink) {}

  // Asks for a lease of an earlier run again (RFC 2131 3.2), of which `left` is left. Where no
  // server answers it is used until it ends. Only before the first tick.
  void remember(const ClientLease& lease, Duration left, Instant now);
  // A datagram to port 68 that came in by the interface.
  void receive(std::span<const uint8_t> bytes, Instant now);
  // Somebody on the wire says that it has `address`.
  void address_seen(Ipv4Address address, const MacAddress& mac, Instant now);
  // The wire was cut and may be another one: the lease is to be confirmed.
  void link_came_up(Instant now);
  // Does what is due. Call it at least every 200 ms.
  void tick(Instant now);

  // --- by hand
  // Gives the lease back, and asks for none until renew().
  void release(Instant now);
  void renew(Instant now);
  // The lease is of no use any more, since objection() has one now.
  void refuse(const std::string& why, Instant now);

  State state() const { return state_; }
  bool has_lease() const { return state_ >= State::bound; }
  const ClientLease& lease() const { return lease_; }  // while has_lease()
  // Of the lease; far away for one that does not end.
  Instant ends() const { return ends_; }

 private:
  static constexpr Instant kNever{std::numeric_limits<int64_t>::max()};

  void enter(State state, Instant now);
  void give_up(const std::string& why, Instant now, Duration pause);
  void start_over(Instant now, Duration pause);
  void ask(Instant now);
  void follow_lease(Instant now);
  void follow_probe(Instant now);
  void send(MessageType type);
  void take_offer(const Message& message, Instant now);
  void take_ack(const Message& message, Instant now);
  void take_nak(const Message& message, Instant now);
  void set_times(Instant from);
  void settle(Instant now);
  Instant next_ask(Instant now);
  Duration pause_after_failure();
  void complain(const std::string& line, Instant now);

  Settings settings_;
  ClientSink& sink_;
  State state_ = State::init;
  uint32_t xid_ = 0;
  unsigned asked_ = 0;          // times in this state
  unsigned failures_ = 0;       // since there was a lease
  Instant due_;                 // of the next request, probe or beginning
  Instant asked_at_;            // what the times of a lease count from
  Instant began_;               // looking for a lease
  uint16_t secs_ = 0;           // since then, as told
  Ipv4Address wanted_;          // what was offered, or had before
  Ipv4Address server_;          // that offered it
  bool is_remembered_ = false;  // lease_ is of an earlier run and not confirmed
  ClientLease lease_;           // from probing on; while rebooting the remembered one
  Instant renews_, rebinds_, ends_;
  Instant complained_{-1};  // negative: never
  Message message_;
};

const char* to_word(Client::State state);

}  // namespace postern::dhcp
