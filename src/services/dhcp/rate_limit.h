// SPDX-License-Identifier: BSD-3-Clause
// RateLimit: how many messages of one client are taken in a second.
//
// A fixed table of counters, found by a keyed hash of the client; a client that meets another one's
// counter takes it over, so nobody is refused for what somebody else sent. An attacker who wins a
// fresh counter by changing his identity is not held by this but by the rules of the pool. Bounds:
// kSlots counters, no allocation later. Thread: control.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::dhcp {

class RateLimit {
 public:
  RateLimit() : slots_(kSlots) {}

  // False: this client has had its messages of this second. `per_second` 0 takes all.
  bool admit(uint64_t client_hash, int64_t now_s, uint32_t per_second) {
    if (per_second == 0) return true;
    Slot& slot = slots_[client_hash % kSlots];
    auto tag = static_cast<uint32_t>(client_hash >> 32);
    if (slot.tag != tag || slot.second != now_s) slot = {now_s, tag, 0};
    return ++slot.count <= per_second;
  }

 private:
  static constexpr size_t kSlots = 8192;
  struct Slot {
    int64_t second = 0;
    uint32_t tag = 0;
    uint32_t count = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace postern::dhcp
