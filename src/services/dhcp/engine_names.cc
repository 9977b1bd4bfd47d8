// SPDX-License-Identifier: BSD-3-Clause
// What ends by time, and the names of clients. A name belongs to the first lease that has it, but a
// reserved one to its reservation.
#include "services/dhcp/engine.h"

namespace postern::dhcp {

void Engine::tell_name(const Lease& lease) {
  if (lease.host_name.empty()) return;
  auto [at, is_new] = names_.try_emplace(lease.host_name, lease.address.number);
  if (!is_new && at->second != lease.address.number) {
    ScopeId scope = table_.scope_of(lease.address);
    const Reservation* reservation =
        scope == kNoScope ? nullptr : reservations_[scope].find(lease.address);
    bool is_reserved = reservation != nullptr && reservation->name == lease.host_name;
    if (!is_reserved) {
      ++counters_.name_taken;
      return;
    }
    sink_.change_name({lease.host_name, Ipv4Address(at->second), 0});
    at->second = lease.address.number;
  }
  sink_.change_name({lease.host_name, lease.address, lease.ends_s});
}

void Engine::withdraw_name(const Lease& lease) {
  auto found = names_.find(lease.host_name);
  if (found == names_.end() || found->second != lease.address.number) return;
  names_.erase(found);
  sink_.change_name({lease.host_name, lease.address, 0});
}

void Engine::tell_names() {
  for (const auto& [name, number] : names_) {
    const Lease* lease = table_.find(Ipv4Address(number));
    if (lease != nullptr) sink_.change_name({name, lease->address, lease->ends_s});
  }
}

void Engine::end_due(Now now) {
  while (const Lease* due = table_.find_due(now.unix_s)) {
    Lease lease = *due;
    bool has_scope = table_.scope_of(lease.address) != kNoScope;
    switch (lease.state) {
      case LeaseState::offered:
        table_.erase(lease.address);
        continue;
      case LeaseState::declined:
        table_.erase(lease.address);
        sink_.forget(lease.address);
        continue;
      case LeaseState::bound:
        ++counters_.expired;
        withdraw_name(lease);
        lease.state = LeaseState::expired;
        if (has_scope) break;
        table_.erase(lease.address);
        sink_.forget(lease.address);
        continue;
      case LeaseState::released:
      case LeaseState::expired:
        lease.offered_until_s = 0;
        break;
    }
    table_.put(std::move(lease));
  }
}

}  // namespace postern::dhcp
