// SPDX-License-Identifier: BSD-3-Clause
// Lease: an address and who has or had it. Times are seconds of the system's clock (they outlive
// the process). Plain value. Thread: control; copies go to the thread that writes them.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/address.h"

namespace postern::dhcp {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

enum class LeaseState : uint8_t {
  offered = 0,   // in memory alone; nobody has had the address yet
  bound = 1,     // acknowledged, until ends_s
  released = 2,  // given back; kept for the client's return
  expired = 3,   // likewise
  declined = 4,  // somebody else uses it; not given out until ends_s
};

constexpr const char* to_word(LeaseState state) {
  constexpr const char* kWords[] = {"offered", "bound", "released", "expired", "declined"};
  return kWords[static_cast<unsigned>(state)];
}

struct Lease {
  Ipv4Address address;
  LeaseState state = LeaseState::offered;
  MacAddress mac;         // zero: not an Ethernet client
  std::string client;     // client identifier, or hardware type and address; the key
  std::string host_name;  // small letters; empty: none that is fit to be one
  int64_t started_s = 0;
  int64_t ends_s = 0;           // kNever: has no end
  int64_t offered_until_s = 0;  // held for its client until then; in memory alone

  bool operator==(const Lease&) const = default;
};

}  // namespace postern::dhcp
