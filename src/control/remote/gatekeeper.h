// SPDX-License-Identifier: BSD-3-Clause
// Gatekeeper: whose connection is taken, before anything is computed for it (F61).
//
// A connection that nobody has logged in on holds one of kPendingMax places, of which an address
// gets kPendingPerAddress; when all are taken, the oldest of the address that has most makes room
// for an address that has clearly less. Hellos cost signatures, so they are rationed:
// kHellosPerSecond together and kHellosPerAddress from one address. Sessions have places of their
// own, so what waits at the door never takes one: kSessionsMax, kSessionsOfOne of one account, and
// kSessionsOfOthers of all that are no admins together, so that who may mend things gets in. Pure
// of time; thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/handshake_ration.h"

namespace postern::remote {

class Gatekeeper {
 public:
  static constexpr size_t kPendingMax = 32;
  static constexpr size_t kPendingPerAddress = 4;
  static constexpr size_t kSessionsMax = 16;
  static constexpr size_t kSessionsOfOne = 6;
  static constexpr size_t kSessionsOfOthers = 12;
  static constexpr uint32_t kHellosPerSecond = 100;
  static constexpr uint32_t kHellosPerAddress = 20;

  enum class Answer { admitted, not_listed, too_often, too_many };
  struct Counters {
    uint64_t admitted = 0;
    uint64_t not_listed = 0;
    uint64_t too_often = 0;
    uint64_t too_many = 0;
    uint64_t turned_out = 0;  // admitted before, and then made room
    uint64_t refused() const { return not_listed + too_often + too_many; }
  };

  // Sorted ranges; empty: any address.
  void set_listed(std::vector<AddressRange> listed) { listed_ = std::move(listed); }
  bool is_listed(Ipv4Address from) const;

  // Called within admit(): the oldest connection from there, which nobody has logged in on, is to
  // go. Its place is taken back already.
  void set_turn_out(std::function<void(Ipv4Address from)> turn_out) {
    turn_out_ = std::move(turn_out);
  }
  // With `admitted` a place is taken, until leave() or begin_session().
  Answer admit(Ipv4Address from, Instant now);
  void leave(Ipv4Address from);
  struct Holder {
    uint32_t account = 0;  // its number
    bool is_admin = false;
    bool operator==(const Holder&) const = default;
  };
  // From a place at the door to one of a session; false: none is free, and the place at the door
  // stays.
  bool begin_session(Ipv4Address from, const Holder& holder);
  void end_session(const Holder& holder);

  size_t pending() const;
  size_t sessions() const { return sessions_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  bool make_room(size_t own);

  std::vector<AddressRange> listed_;
  std::map<Ipv4Address, size_t> pending_;
  std::vector<Holder> sessions_;
  std::function<void(Ipv4Address)> turn_out_;
  HandshakeRation hellos_{kHellosPerSecond, kHellosPerAddress};
  Counters counters_;
};

}  // namespace postern::remote
