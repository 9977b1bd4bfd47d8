// SPDX-License-Identifier: BSD-3-Clause
// LeaseTable: every address that was ever offered or leased, by address, by client and by what is
// due next, with the pools of the scopes kept in step.
//
//   (fresh) -offer-> offered -> bound -> expired | released -> ... -> bound again
//                      | lapses            | to a new client when nothing is fresh
//                      v                   v
//                   (fresh)             offered        declined -quarantine ends-> (fresh)
//
// Bounds: one entry an address of a pool or a reservation. Pointers hold until the entry is erased
// or all are configured anew. Thread: control.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/dhcp/lease.h"
#include "services/dhcp/pool.h"
#include "services/dhcp/settings.h"
#include "services/io/keyed_hash.h"

namespace postern::dhcp {

class LeaseTable {
 public:
  using ScopeId = uint16_t;
  static constexpr ScopeId kNoScope = 0xFFFF;
  // Views of the leases' own strings.
  using Clients = std::unordered_map<std::string_view, uint32_t, io::KeyedHash>;

  // From now on leases belong to these scopes, by their subnets.
  void configure(const std::vector<Scope>& scopes);

  const Lease* find(Ipv4Address address) const;
  const Lease* find_of_client(ScopeId scope, std::string_view client) const;
  ScopeId scope_of(Ipv4Address address) const;
  // Takes the place of what the table had at this address.
  const Lease& put(Lease lease);
  void erase(Ipv4Address address);

  // The lease whose time has come first, or nullptr when none is due at `now_s`.
  const Lease* find_due(int64_t now_s) const;

  Pool& pool(ScopeId scope) { return scopes_[scope].pool; }
  const Pool& pool(ScopeId scope) const { return scopes_[scope].pool; }
  size_t size() const { return entries_.size(); }
  size_t count(LeaseState state) const { return counts_[static_cast<size_t>(state)]; }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [number, entry] : entries_)
      visit(entry.lease);
  }

 private:
  struct Entry {
    Lease lease;
    ScopeId scope = kNoScope;
  };
  struct ScopeState {
    Prefix subnet;
    Pool pool;
    Clients clients;
  };
  void link(Entry& entry);
  void unlink(Entry& entry);

  std::unordered_map<uint32_t, Entry> entries_;
  std::vector<ScopeState> scopes_;
  std::set<std::pair<int64_t, uint32_t>> due_;
  std::array<size_t, 5> counts_ = {};
};

}  // namespace postern::dhcp
