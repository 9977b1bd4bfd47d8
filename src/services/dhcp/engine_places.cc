// SPDX-License-Identifier: BSD-3-Clause
// Which address for whom: reservations, what the client had, what it asks for, what nobody had,
// what is idle longest; and the probes before an offer (RFC 2131 section 2.2, 4.4.1).
#include <algorithm>

#include "services/dhcp/engine.h"

namespace postern::dhcp {
namespace {

constexpr int64_t kOfferS = 30;              // an offer holds its address so long
constexpr Duration kOfferKeep = seconds(3);  // and so long in any case
constexpr int64_t kProbedFreeS = 60;         // a probe counts so long
constexpr size_t kProbedFreeMax = 16'384;
constexpr unsigned kProbeRequests = 2;
constexpr Duration kProbeInterval = milliseconds(150);
constexpr Duration kEchoInterval = milliseconds(250);  // through a relay's network
constexpr unsigned kPlacesTried = 16;  // addresses in use one after the other, for one DISCOVER
constexpr Duration kExhaustedRemark = seconds(60);
constexpr unsigned kConflictsTold = 10;
constexpr Duration kConflictsInterval = seconds(60);

Duration interval_of(bool is_relayed) {
  return is_relayed ? kEchoInterval : kProbeInterval;
}

}  // namespace

// The first scope where something is reserved for the client, then where it had an address, then
// where there is room.
std::optional<Engine::Place> Engine::find_place(const Request& request) {
  if (request.scopes.size() == 1) return place_in(request, request.scopes.front());
  for (ScopeId scope : request.scopes) {
    if (find_reservation(request, scope) == nullptr) continue;
    if (auto place = place_in(request, scope)) return place;
  }
  for (ScopeId scope : request.scopes) {
    if (table_.find_of_client(scope, request.client) == nullptr) continue;
    if (auto place = place_in(request, scope)) return place;
  }
  for (ScopeId scope : request.scopes) {
    if (auto place = place_in(request, scope)) return place;
  }
  return std::nullopt;
}

std::optional<Engine::Place> Engine::place_in(const Request& request, ScopeId id) {
  const Scope& scope = settings_.scopes[id];
  std::optional<Ipv4Address> chosen;
  const Reservation* reservation = find_reservation(request, id);
  const Lease* had = table_.find_of_client(id, request.client);
  Ipv4Address wanted = request.message->address(option::requested_address);
  if (reservation != nullptr && is_free_for(request, id, reservation->address)) {
    chosen = reservation->address;
  } else if (had != nullptr && is_free_for(request, id, had->address)) {
    chosen = had->address;
  } else if (scope.subnet.contains(wanted) && table_.find(wanted) == nullptr &&
             is_free_for(request, id, wanted)) {
    chosen = wanted;
  } else {
    chosen = take_from_pool(request, id);
  }
  if (!chosen) return std::nullopt;
  const Lease* lease = table_.find(*chosen);
  bool has_it = lease != nullptr && lease->state == LeaseState::bound;
  auto probed = probed_free_.find(chosen->number);
  bool is_sure = probed != probed_free_.end() && probed->second > request.now.unix_s;
  return Place{id, *chosen, scope.probe && !has_it && !is_sure};
}

// Whether the client may have this address in this scope now.
bool Engine::is_free_for(const Request& request, ScopeId scope, Ipv4Address address) const {
  const Reservation* reservation = reservations_[scope].find(address);
  if (reservation != nullptr && reservation != find_reservation(request, scope)) return false;
  if (reservation == nullptr && !table_.pool(scope).contains(address)) return false;
  const Lease* lease = table_.find(address);
  if (lease == nullptr) return true;
  if (lease->state == LeaseState::declined) return false;
  if (lease->client == request.client) return true;
  if (lease->state == LeaseState::bound) return false;
  return lease->offered_until_s <= request.now.unix_s;
}

const Reservation* Engine::find_reservation(const Request& request, ScopeId scope) const {
  const ReservationIndex& index = reservations_[scope];
  const Header& header = request.message->header;
  const Reservation* found = nullptr;
  if (header.htype == kEthernet && header.hlen == 6) found = index.find(header.mac());
  if (found == nullptr) found = index.find_client_id(request.message->find(option::client_id));
  if (found == nullptr) found = index.find_host_name(request.host_name);
  return found;
}

std::optional<Ipv4Address> Engine::take_from_pool(const Request& request, ScopeId scope) {
  Pool& pool = table_.pool(scope);
  if (auto fresh = pool.find_fresh(request.hash)) return fresh;
  if (auto idle = pool.find_longest_idle()) return idle;
  // Nothing left: an offer that nobody has taken up gives way.
  auto& offers = offers_[scope];
  while (!offers.empty() && request.now.instant - offers.front().since.instant >= kOfferKeep) {
    const Lease* lease = find_offered(offers.front());
    offers.pop_front();
    if (lease != nullptr && pool.contains(lease->address)) return lease->address;
  }
  return std::nullopt;
}

// The lease that is still this very offer, none that came after it.
const Lease* Engine::find_offered(const Offer& offer) const {
  const Lease* lease = table_.find(offer.address);
  bool is_it = lease != nullptr && lease->state == LeaseState::offered &&
               lease->started_s == offer.since.unix_s;
  return is_it ? lease : nullptr;
}

// The address is the client's until the offer lapses.
void Engine::hold(const Request& request, Ipv4Address address) {
  const Lease* known = table_.find(address);
  if (known != nullptr && known->client == request.client) {
    if (known->state == LeaseState::bound) return;
    Lease lease = *known;
    lease.offered_until_s = request.now.unix_s + kOfferS;
    table_.put(std::move(lease));
    return;
  }
  ScopeId scope = table_.scope_of(address);
  // Who looks for an address has given up the one it may not have any more.
  const Lease* other = table_.find_of_client(scope, request.client);
  if (other != nullptr && other->state == LeaseState::bound) release(other->address, request.now);
  Lease lease;
  lease.address = address;
  if (request.message->header.htype == kEthernet) lease.mac = request.message->header.mac();
  lease.client = request.client;
  lease.host_name = request.host_name;
  lease.started_s = request.now.unix_s;
  lease.offered_until_s = request.now.unix_s + kOfferS;
  table_.put(std::move(lease));
  auto& offers = offers_[scope];
  offers.push_back({address, request.now});
  if (offers.size() <= kOffersMax) return;
  const Lease* oldest = find_offered(offers.front());
  offers.pop_front();
  if (oldest != nullptr) table_.erase(oldest->address);
}

// False: too many are under way.
bool Engine::start_probe(const Request& request, const Place& place, unsigned tries) {
  auto found = probes_.find(place.address.number);
  if (found == probes_.end() && probes_.size() >= kProbesMax) return false;
  bool is_new = found == probes_.end();
  Probe& probe = probes_[place.address.number];
  auto bytes = request.message->bytes();
  probe.bytes.assign(bytes.begin(), bytes.end());
  probe.by = request.by;
  probe.tries = tries;
  probe.is_relayed = request.is_relayed;
  if (!is_new) return true;  // the client repeats itself
  probe.due = request.now.instant + interval_of(probe.is_relayed);
  probe.sent = 1;
  ++counters_.probes;
  send_probe(probe, place.address);
  return true;
}

void Engine::send_probe(const Probe& probe, Ipv4Address address) {
  if (probe.is_relayed) return sink_.echo(probe.by.local, address);
  ScopeId scope = table_.scope_of(address);
  if (scope != kNoScope) sink_.probe(probe.by.link, settings_.scopes[scope].server, address);
}

void Engine::step_probes(Now now) {
  std::vector<Probe> finished;
  for (auto at = probes_.begin(); at != probes_.end();) {
    Probe& probe = at->second;
    Ipv4Address address(at->first);
    if (probe.due > now.instant) {
      ++at;
    } else if (probe.sent < kProbeRequests) {
      ++probe.sent;
      probe.due = now.instant + interval_of(probe.is_relayed);
      send_probe(probe, address);
      ++at;
    } else {
      if (probed_free_.size() >= kProbedFreeMax) probed_free_.clear();
      probed_free_[address.number] = now.unix_s + kProbedFreeS;
      finished.push_back(std::move(probe));
      at = probes_.erase(at);
    }
  }
  for (const Probe& probe : finished)
    take_up(probe, now);
}

// The DISCOVER that waited for the probe once more.
void Engine::take_up(const Probe& probe, Now now) {
  if (message_.read(probe.bytes) != MessageFault::none) return;
  Request request;
  request.message = &message_;
  request.by = probe.by;
  request.now = now;
  if (understand(request)) discover(request, probe.tries);
}

void Engine::address_seen(LinkId link, Ipv4Address address, const MacAddress& mac, Now now) {
  auto found = probes_.find(address.number);
  if (found == probes_.end() || found->second.is_relayed || found->second.by.link != link) return;
  if (message_.read(found->second.bytes) != MessageFault::none) return;
  if (message_.header.mac() == mac) return;  // it is the client itself
  end_in_conflict(address, to_text(mac), now);
}

// RFC2131-2.2: the address of a relay's network answers, so somebody has it.
void Engine::echo_seen(Ipv4Address address, Now now) {
  auto found = probes_.find(address.number);
  if (found == probes_.end() || !found->second.is_relayed) return;
  end_in_conflict(address, "a host behind a relay", now);
}

void Engine::end_in_conflict(Ipv4Address address, const std::string& who, Now now) {
  auto found = probes_.find(address.number);
  Probe probe = std::move(found->second);
  probes_.erase(found);
  ++counters_.conflicts;
  tell_conflict(to_text(address) + " is in use by " + who +
                    " without a lease; it is not given out for " +
                    std::to_string(settings_.quarantine_s / 60) + " min",
                now);
  quarantine(address, now);
  if (++probe.tries < kPlacesTried) take_up(probe, now);
}

void Engine::quarantine(Ipv4Address address, Now now) {
  const Lease* known = table_.find(address);
  if (known != nullptr && known->state == LeaseState::bound) withdraw_name(*known);
  Lease lease;
  lease.address = address;
  lease.state = LeaseState::declined;
  lease.started_s = now.unix_s;
  lease.ends_s = now.unix_s + settings_.quarantine_s;
  probed_free_.erase(address.number);
  sink_.store(table_.put(std::move(lease)));
}

// Conflicts can be made up by anybody on the link, so a few a minute are told.
void Engine::tell_conflict(const std::string& line, Now now) {
  if (conflicts_told_ == 0 || now.instant - conflicts_since_ >= kConflictsInterval) {
    conflicts_since_ = now.instant;
    conflicts_told_ = 0;
  }
  if (conflicts_told_ == kConflictsTold) return;
  bool is_last = ++conflicts_told_ == kConflictsTold;
  sink_.remark("dhcp: " + line + (is_last ? "; more within a minute are counted alone" : ""));
}

void Engine::tell_exhausted(const Request& request) {
  ++counters_.exhausted;
  ++exhausted_since_;
  bool is_told = exhausted_told_ && request.now.instant - *exhausted_told_ < kExhaustedRemark;
  if (is_told) return;
  exhausted_told_ = request.now.instant;
  sink_.remark("dhcp: no address left in " + settings_.scopes[request.scopes.front()].name + " (" +
               std::to_string(exhausted_since_) + " requests refused)");
  exhausted_since_ = 0;
}

}  // namespace postern::dhcp
