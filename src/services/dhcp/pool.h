// SPDX-License-Identifier: BSD-3-Clause
// Pool: the addresses that a scope gives out by itself, and which of them nobody has had.
//
// The ranges without exclusions, reserved addresses and what is no host's are laid end to end, so
// that each address has a place; a bit says whether the lease table knows it. A client's search
// begins at a place of its own (a hash), so it tends to get the same address from an empty table as
// well, and neighbors in time are not neighbors in space. Addresses that are known but idle wait in
// the order in which they became so. Bounds: kPoolMax places; 1 bit each and 40 bytes an idle one.
// Thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/address.h"
#include "services/dhcp/settings.h"

namespace postern::dhcp {

constexpr size_t kPoolMax = 262'144;  // addresses of one scope; a /14

class Pool {
 public:
  explicit Pool(const Scope& scope);

  size_t size() const { return size_; }
  bool contains(Ipv4Address address) const { return place_of(address).has_value(); }

  // An address of the pool enters or leaves the lease table; others are passed over.
  void take(Ipv4Address address);
  void give_back(Ipv4Address address);
  // The first address from the place of `hash` on that the lease table does not know.
  std::optional<Ipv4Address> find_fresh(uint64_t hash) const;

  // Known addresses that may be given to somebody else, with the moment since when.
  void add_idle(Ipv4Address address, int64_t since_s) { idle_.insert({since_s, address.number}); }
  void remove_idle(Ipv4Address address, int64_t since_s) { idle_.erase({since_s, address.number}); }
  std::optional<Ipv4Address> find_longest_idle() const;

  // Addresses that are neither fresh nor idle.
  size_t used() const { return taken_count_ - idle_.size(); }

 private:
  struct Piece {
    AddressRange range;
    uint32_t start = 0;  // place of its first address
  };
  std::optional<uint32_t> place_of(Ipv4Address address) const;
  Ipv4Address address_at(uint32_t place) const;
  std::optional<uint32_t> find_zero(uint32_t from, uint32_t to) const;

  std::vector<Piece> pieces_;  // by address
  std::vector<uint64_t> taken_;
  size_t size_ = 0;
  size_t taken_count_ = 0;
  std::set<std::pair<int64_t, uint32_t>> idle_;
};

}  // namespace postern::dhcp
