// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/lease_table.h"

#include "base/assert.h"

namespace postern::dhcp {
namespace {

bool was_had(const Lease& lease) {
  return lease.state == LeaseState::released || lease.state == LeaseState::expired;
}

// When something is to be done about it; kNever: not by itself.
int64_t due_of(const Lease& lease) {
  switch (lease.state) {
    case LeaseState::offered:
      return lease.offered_until_s;
    case LeaseState::bound:
    case LeaseState::declined:
      return lease.ends_s;
    case LeaseState::released:
    case LeaseState::expired:
      return lease.offered_until_s == 0 ? kNever : lease.offered_until_s;
  }
  return kNever;
}

bool is_idle(const Lease& lease) {
  return was_had(lease) && lease.offered_until_s == 0;
}

}  // namespace

void LeaseTable::configure(const std::vector<Scope>& scopes) {
  for (auto& [number, entry] : entries_)
    unlink(entry);
  scopes_.clear();
  for (const Scope& scope : scopes)
    scopes_.push_back({scope.subnet, Pool(scope), {}});
  for (auto& [number, entry] : entries_)
    link(entry);
}

const Lease* LeaseTable::find(Ipv4Address address) const {
  auto found = entries_.find(address.number);
  return found == entries_.end() ? nullptr : &found->second.lease;
}

const Lease* LeaseTable::find_of_client(ScopeId scope, std::string_view client) const {
  const auto& clients = scopes_[scope].clients;
  auto found = clients.find(client);
  return found == clients.end() ? nullptr : find(Ipv4Address(found->second));
}

LeaseTable::ScopeId LeaseTable::scope_of(Ipv4Address address) const {
  for (size_t i = 0; i < scopes_.size(); ++i) {
    if (scopes_[i].subnet.contains(address)) return static_cast<ScopeId>(i);
  }
  return kNoScope;
}

const Lease& LeaseTable::put(Lease lease) {
  auto [at, is_new] = entries_.try_emplace(lease.address.number);
  Entry& entry = at->second;
  if (!is_new) unlink(entry);
  entry.lease = std::move(lease);
  link(entry);
  return entry.lease;
}

void LeaseTable::erase(Ipv4Address address) {
  auto found = entries_.find(address.number);
  POSTERN_ASSERT(found != entries_.end());
  unlink(found->second);
  entries_.erase(found);
}

const Lease* LeaseTable::find_due(int64_t now_s) const {
  if (due_.empty() || due_.begin()->first > now_s) return nullptr;
  return find(Ipv4Address(due_.begin()->second));
}

void LeaseTable::link(Entry& entry) {
  const Lease& lease = entry.lease;
  ++counts_[static_cast<size_t>(lease.state)];
  if (int64_t due = due_of(lease); due != kNever) due_.insert({due, lease.address.number});
  entry.scope = scope_of(lease.address);
  if (entry.scope == kNoScope) return;
  ScopeState& scope = scopes_[entry.scope];
  scope.pool.take(lease.address);
  if (is_idle(lease) && scope.pool.contains(lease.address)) {
    scope.pool.add_idle(lease.address, lease.ends_s);
  }
  if (lease.client.empty()) return;
  scope.clients.erase(lease.client);
  scope.clients.emplace(lease.client, lease.address.number);
}

void LeaseTable::unlink(Entry& entry) {
  const Lease& lease = entry.lease;
  --counts_[static_cast<size_t>(lease.state)];
  if (int64_t due = due_of(lease); due != kNever) due_.erase({due, lease.address.number});
  if (entry.scope == kNoScope) return;
  ScopeState& scope = scopes_[entry.scope];
  scope.pool.give_back(lease.address);
  scope.pool.remove_idle(lease.address, lease.ends_s);
  auto found = scope.clients.find(lease.client);
  if (found != scope.clients.end() && found->second == lease.address.number) {
    scope.clients.erase(found);
  }
}

}  // namespace postern::dhcp
