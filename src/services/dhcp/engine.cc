// SPDX-License-Identifier: BSD-3-Clause
// Messages in, by their kinds. Places for clients: engine_places.cc; answers: engine_replies.cc.
#include "services/dhcp/engine.h"

#include <algorithm>

namespace postern::dhcp {
namespace {

constexpr uint8_t kLinkSelection = 5;  // suboption of option 82 (RFC 3527)
constexpr size_t kClientIdMax = 255;  // of one option; the lease table keeps as much of each client

constexpr Duration kUnknownRelayRemark = seconds(60);

template <typename T>
bool contains(const std::vector<T>& list, T item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Whether a message of this sender may be relayed into the scope. What it says of the relay,
// giaddr, is where the reply goes: to a relay, or into the scope's own network.
bool is_relay(const Scope& scope, const Arrival& by, Ipv4Address giaddr) {
  auto is_listed = [&](Ipv4Address address) {
    return std::any_of(scope.relays.begin(), scope.relays.end(),
                       [&](const Prefix& relay) { return relay.contains(address); });
  };
  bool is_way = by.link == (scope.link == kNoLink ? scope.relay_link : scope.link);
  bool is_inside = scope.subnet.contains(giaddr) || is_listed(giaddr);
  return is_way && is_inside && is_listed(by.source);
}

}  // namespace

void Engine::configure(Settings settings, Now now) {
  settings_ = std::move(settings);
  table_.configure(settings_.scopes);
  reservations_.clear();
  for (const Scope& scope : settings_.scopes)
    reservations_.emplace_back(scope.reservations);
  offers_.assign(settings_.scopes.size(), {});
  table_.for_each([&](const Lease& lease) {
    ScopeId scope = table_.scope_of(lease.address);
    if (lease.state != LeaseState::offered || scope == kNoScope) return;
    offers_[scope].push_back({lease.address, {now.instant, lease.started_s}});
  });
  probes_.clear();  // their clients ask again
  probed_free_.clear();
  end_due(now);
}

void Engine::load(std::vector<Lease> leases, Now now) {
  for (Lease& lease : leases) {
    if (lease.state == LeaseState::offered) continue;
    lease.offered_until_s = 0;
    const Lease& kept = table_.put(std::move(lease));
    if (kept.state == LeaseState::bound && kept.ends_s > now.unix_s) tell_name(kept);
  }
  end_due(now);
}

void Engine::receive(const Arrival& by, std::span<const uint8_t> bytes, Now now) {
  ++counters_.received;
  if (message_.read(bytes) != MessageFault::none || message_.header.op != kBootRequest) {
    ++counters_.malformed;
    return;
  }
  Request request;
  request.message = &message_;
  request.by = by;
  request.now = now;
  if (understand(request)) handle(request);
}

// Fills in what the message says of its sender. False: it is not taken.
bool Engine::understand(Request& request) {
  if (request.message->find(option::client_id).size() > kClientIdMax) {
    ++counters_.malformed;
    return false;
  }
  request.client = client_key(*request.message);
  request.hash = client_hash(request.client);
  if (!rate_.admit(io::KeyedHash()(request.client), request.now.unix_s,
                   settings_.messages_per_second)) {
    ++counters_.rate_limited;
    return false;
  }
  request.host_name = client_host_name(*request.message);
  request.is_relayed = !request.message->header.giaddr.is_unspecified();
  find_scopes(request);
  return !request.scopes.empty();
}

// Who says to be a relay may be anybody who reaches port 67. So it opens the networks that only
// relays can reach, and those of the link that it speaks from: none of another link, and each one
// only to its relays.
void Engine::find_scopes(Request& request) {
  const Scope* refused = nullptr;
  const Header& header = request.message->header;
  Ipv4Address place = header.giaddr;
  auto selection = relay_suboption(*request.message, kLinkSelection);
  if (request.is_relayed && selection.size() == 4) {
    place = Ipv4Address(selection[0], selection[1], selection[2], selection[3]);
  }
  for (size_t i = 0; i < settings_.scopes.size(); ++i) {
    const Scope& scope = settings_.scopes[i];
    bool is_here = scope.link == request.by.link;
    bool is_remote = request.is_relayed && scope.link == kNoLink;
    bool holds = request.is_relayed ? scope.subnet.contains(place) : is_here;
    if (!holds || (!is_here && !is_remote)) continue;
    if (request.is_relayed && !is_relay(scope, request.by, header.giaddr)) {
      refused = &scope;
    } else {
      request.scopes.push_back(static_cast<ScopeId>(i));
    }
  }
  if (request.scopes.empty() && refused != nullptr) return tell_unknown_relay(request, *refused);
  // Who renews from behind a relay speaks to us directly, from its own network.
  if (!request.is_relayed && !header.ciaddr.is_unspecified()) {
    ScopeId own = table_.scope_of(header.ciaddr);
    bool is_known = own == kNoScope || contains(request.scopes, own);
    bool is_far = !is_known && settings_.scopes[own].link == kNoLink;
    if (is_far && settings_.scopes[own].subnet.contains(request.by.source)) request.scopes = {own};
  }
  if (request.scopes.empty()) ++counters_.no_scope;
}

// Anybody can send such messages without end, so one a minute is told.
void Engine::tell_unknown_relay(const Request& request, const Scope& scope) {
  ++counters_.unknown_relay;
  const Instant now = request.now.instant;
  if (unknown_relay_told_ && now - *unknown_relay_told_ < kUnknownRelayRemark) return;
  unknown_relay_told_ = now;
  sink_.remark("dhcp: " + to_text(request.by.source) + " says to be the relay " +
               to_text(request.message->header.giaddr) + " of " + scope.name +
               " and is none that is known; relays of the scope lists them");
}

void Engine::handle(const Request& request) {
  switch (request.message->type) {
    case MessageType::discover:
      ++counters_.discovers;
      return discover(request, 0);
    case MessageType::request:
      ++counters_.requests;
      return this->request(request);
    case MessageType::decline:
      ++counters_.declines;
      return decline(request);
    case MessageType::release:
      ++counters_.releases;
      return release(request);
    case MessageType::inform:
      ++counters_.informs;
      return inform(request);
    case MessageType::none:
      ++counters_.bootps;
      return bootp(request);
    case MessageType::offer:
    case MessageType::ack:
    case MessageType::nak:
      ++counters_.malformed;
      return;
  }
}

// RFC2131-4.3.1.
void Engine::discover(const Request& request, unsigned tries) {
  auto place = find_place(request);
  if (!place) return tell_exhausted(request);
  hold(request, place->address);
  if (place->needs_probe) {
    if (start_probe(request, *place, tries)) return;
    ++counters_.probes_full;
    return;
  }
  const Reservation* reservation = reservations_[place->scope].find(place->address);
  ++counters_.offers;
  send_lease(request, MessageType::offer, place->scope, place->address,
             lease_time(request, place->scope, reservation));
}

// RFC2131-4.3.2: who sends the server's identifier has chosen among offers; who names an address
// without it wants to know whether that is still his; who has one wants to keep it.
void Engine::request(const Request& request) {
  const Message& message = *request.message;
  Ipv4Address wanted = message.header.ciaddr;
  if (message.has(option::server_id)) {
    Ipv4Address server = message.address(option::server_id);
    if (server != request.by.local && !contains(settings_.own_addresses, server)) {
      ++counters_.not_ours;
      for (ScopeId scope : request.scopes) {
        const Lease* held = table_.find_of_client(scope, request.client);
        if (held != nullptr && held->state == LeaseState::offered) table_.erase(held->address);
      }
      return;
    }
    if (wanted.is_unspecified()) wanted = message.address(option::requested_address);
    return select(request, wanted);
  }
  if (!wanted.is_unspecified()) return renew(request, wanted);
  wanted = message.address(option::requested_address);
  if (wanted.is_unspecified()) {
    ++counters_.malformed;
    return;
  }
  ScopeId scope = table_.scope_of(wanted);
  const Lease* lease = table_.find(wanted);
  bool is_known = scope != kNoScope && lease != nullptr && lease->client == request.client;
  is_known ? renew(request, wanted) : send_nak(request);
}

void Engine::select(const Request& request, Ipv4Address wanted) {
  for (ScopeId scope : request.scopes) {
    if (!settings_.scopes[scope].subnet.contains(wanted)) continue;
    if (!is_free_for(request, scope, wanted)) break;
    uint32_t lease_s = lease_time(request, scope, find_reservation(request, scope));
    bind(request, scope, wanted, lease_s);
    return send_lease(request, MessageType::ack, scope, wanted, lease_s);
  }
  send_nak(request);
}

// A client that says to have an address: it keeps it unless somebody else has it or another one is
// reserved for it. One that we do not know of (its lease is older than our records) keeps it, too,
// where it is free.
void Engine::renew(const Request& request, Ipv4Address wanted) {
  for (ScopeId scope : request.scopes) {
    if (!settings_.scopes[scope].subnet.contains(wanted)) continue;
    const Reservation* reservation = find_reservation(request, scope);
    bool should_move = reservation != nullptr && reservation->address != wanted &&
                       is_free_for(request, scope, reservation->address);
    if (should_move) break;
    return select(request, wanted);
  }
  send_nak(request);
}

// RFC2131-4.3.3; the address rests for minutes, not for a day (P22).
void Engine::decline(const Request& request) {
  Ipv4Address address = request.message->address(option::requested_address);
  const Lease* lease = table_.find(address);
  if (lease == nullptr || lease->client != request.client) return;
  if (!contains(request.scopes, table_.scope_of(address))) return;
  if (lease->state == LeaseState::declined) return;
  ++counters_.conflicts;
  tell_conflict(client_text(*lease) + " declined " + to_text(address) + ": somebody else uses it",
                request.now);
  quarantine(address, request.now);
}

// RFC2131-4.3.4.
void Engine::release(const Request& request) {
  const Lease* lease = table_.find(request.message->header.ciaddr);
  if (lease == nullptr || lease->client != request.client) return;
  if (!contains(request.scopes, table_.scope_of(lease->address))) return;
  release(lease->address, request.now);
}

bool Engine::release(Ipv4Address address, Now now) {
  const Lease* lease = table_.find(address);
  if (lease == nullptr || lease->state == LeaseState::offered) return false;
  if (lease->state == LeaseState::declined) {
    table_.erase(address);
    sink_.forget(address);
    return true;
  }
  if (lease->state != LeaseState::bound) return false;
  withdraw_name(*lease);
  Lease released = *lease;
  released.state = LeaseState::released;
  released.ends_s = now.unix_s;
  sink_.store(table_.put(std::move(released)));
  return true;
}

// RFC2131-4.3.5: options, but no address and no lease time.
void Engine::inform(const Request& request) {
  Ipv4Address address = request.message->header.ciaddr;
  for (ScopeId scope : request.scopes) {
    if (settings_.scopes[scope].subnet.contains(address)) return send_info(request, scope);
  }
  ++counters_.no_scope;
}

// RFC1534-2: a BOOTP client gets an address without an end.
void Engine::bootp(const Request& request) {
  for (ScopeId id : request.scopes) {
    const Scope& scope = settings_.scopes[id];
    const Reservation* reservation = find_reservation(request, id);
    bool may_have = reservation != nullptr ? scope.bootp != Bootp::off : scope.bootp == Bootp::pool;
    if (!may_have) continue;
    auto place = place_in(request, id);
    if (!place) continue;
    bind(request, id, place->address, kForever);
    return send_lease(request, MessageType::none, id, place->address, kForever);
  }
}

void Engine::tick(Now now) {
  step_probes(now);
  end_due(now);
}

}  // namespace postern::dhcp
