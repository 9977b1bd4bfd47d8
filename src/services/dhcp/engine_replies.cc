// SPDX-License-Identifier: BSD-3-Clause
// What is said to whom: leases, options by their layers, and the way of a reply to a client that
// may have no address yet (RFC 2131 section 4.1).
#include <algorithm>
#include <bitset>
#include <cstring>

#include "services/dhcp/engine.h"

namespace postern::dhcp {
namespace {

constexpr uint32_t kLeaseMin = 60;       // seconds; a client cannot ask for less
constexpr uint32_t kShortLeaseS = 600;   // for newcomers while the pool is short
constexpr size_t kShortPoolMin = 64;     // smaller pools are never called short
constexpr size_t kMessageOverhead = 28;  // IP and UDP headers, which option 57 counts

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

uint8_t typed(MessageType type) {
  return static_cast<uint8_t>(type);
}

}  // namespace

const Lease& Engine::bind(const Request& request, ScopeId scope, Ipv4Address address,
                          uint32_t lease_s) {
  const int64_t now_s = request.now.unix_s;
  const Lease* other = table_.find_of_client(scope, request.client);
  if (other != nullptr && other->address != address) {
    if (other->state == LeaseState::offered) {
      table_.erase(other->address);
    } else {
      release(other->address, request.now);
    }
  }
  const Lease* known = table_.find(address);
  bool is_same = known != nullptr && known->client == request.client;
  const Reservation* reservation = reservations_[scope].find(address);
  Lease lease;
  lease.address = address;
  lease.state = LeaseState::bound;
  if (request.message->header.htype == kEthernet) lease.mac = request.message->header.mac();
  lease.client = request.client;
  lease.host_name = request.host_name;
  if (lease.host_name.empty() && is_same) lease.host_name = known->host_name;
  if (reservation != nullptr && !reservation->name.empty()) lease.host_name = reservation->name;
  lease.started_s = is_same && known->state == LeaseState::bound ? known->started_s : now_s;
  lease.ends_s = lease_s == kForever ? kNever : now_s + lease_s;
  if (is_same && known->host_name != lease.host_name) withdraw_name(*known);
  const Lease& bound = table_.put(std::move(lease));
  sink_.store(bound);
  tell_name(bound);
  return bound;
}

// What the client asks for, at most what the most special layer says. While a pool runs short,
// newcomers get a short one: what a flood of made-up clients took comes back soon.
uint32_t Engine::lease_time(const Request& request, ScopeId scope, const Reservation* reservation) {
  find_layers(request, scope, reservation);
  uint32_t lease_s = settings_.lease_s;
  for (const Profile* layer : layers_) {
    if (!layer->lease_s) continue;
    lease_s = *layer->lease_s;
    break;
  }
  uint32_t wanted = request.message->number32(option::lease_time);
  if (wanted != 0) lease_s = std::min(lease_s, std::max(wanted, kLeaseMin));
  const Pool& pool = table_.pool(scope);
  bool is_short = pool.size() >= kShortPoolMin && pool.used() * 10 > pool.size() * 9;
  if (!is_short || reservation != nullptr) return lease_s;
  const Lease* had = table_.find_of_client(scope, request.client);
  bool is_newcomer = had == nullptr || had->state != LeaseState::bound;
  return is_newcomer ? std::min(lease_s, kShortLeaseS) : lease_s;
}

void Engine::find_layers(const Request& request, ScopeId scope, const Reservation* reservation) {
  layers_.clear();
  if (reservation != nullptr) layers_.push_back(&reservation->profile);
  for (size_t i = settings_.classes.size(); i-- > 0;) {
    if (belongs_to(*request.message, settings_.classes[i])) {
      layers_.push_back(&settings_.classes[i].profile);
    }
  }
  layers_.push_back(&settings_.scopes[scope].profile);
  layers_.push_back(&settings_.defaults);
  layers_.push_back(&settings_.scopes[scope].gateway);
}

void Engine::put_number(uint8_t code, uint32_t number) {
  be32 wire(number);
  auto& bytes = numbers_.emplace_back();
  std::memcpy(bytes.data(), &wire, sizeof wire);
  views_.push_back({code, bytes});
}

// Our address in the client's network, else where its relay reaches us.
Ipv4Address Engine::server_of(const Request& request, ScopeId scope) const {
  Ipv4Address server = settings_.scopes[scope].server;
  return server.is_unspecified() || request.is_relayed ? request.by.local : server;
}

// What each DHCP reply begins with. BOOTP has no such options (RFC 1534 section 2).
void Engine::begin_options(MessageType type, const Request& request, Ipv4Address server) {
  views_.clear();
  numbers_.clear();
  auto relay = request.message->find(option::relay_agent);
  if (type == MessageType::none) return;
  auto& first = numbers_.emplace_back();
  first[0] = typed(type);
  views_.push_back({option::message_type, std::span(first).first(1)});
  put_number(option::server_id, server.number);
  // RFC3046-2.2: what the relay said goes back to it.
  if (!relay.empty()) views_.push_back({option::relay_agent, relay});
}

// The options that the client asked for, in its order; all where it does not say.
void Engine::put_configured(const Request& request, const Reservation* reservation) {
  std::bitset<256> done;
  for (const OptionView& view : views_)
    done.set(view.code);
  auto put = [&](uint8_t code) {
    if (done.test(code)) return;
    done.set(code);
    if (code == option::host_name && reservation != nullptr && !reservation->name.empty()) {
      return views_.push_back({code, bytes_of(reservation->name)});
    }
    for (const Profile* layer : layers_) {
      for (const Option& option : layer->options) {
        if (option.code == code) return views_.push_back({code, option.value});
      }
    }
  };
  auto wanted = request.message->find(option::parameter_list);
  for (uint8_t code : wanted)
    put(code);
  // A PXE client takes offers that call it one, whatever it asked for.
  if (request.message->has(option::architecture)) put(option::vendor_class);
  if (!wanted.empty()) return;
  for (const Profile* layer : layers_) {
    for (const Option& option : layer->options)
      put(option.code);
  }
}

// RFC4702-4: nobody updates other servers by the client's wish. So N, for no update, and O where
// the client asked for one; its name goes back as it came.
void Engine::put_fqdn(const Request& request) {
  constexpr size_t kMost = 255;
  auto sent = request.message->find(option::client_fqdn);
  if (sent.size() < fqdn::head_bytes || sent.size() > kMost) return;
  fqdn_.assign(sent.begin(), sent.end());
  unsigned flags = fqdn::no_update | (sent[0] & fqdn::wire_form);
  if ((sent[0] & fqdn::server_updates) != 0) flags |= fqdn::overridden;
  fqdn_[0] = static_cast<uint8_t>(flags);
  fqdn_[1] = fqdn_[2] = fqdn::result_unused;
  views_.push_back({option::client_fqdn, fqdn_});
}

Outgoing Engine::outgoing_for(const Request& request) const {
  const Header& from = request.message->header;
  Outgoing outgoing;
  outgoing.header.op = kBootReply;
  outgoing.header.htype = from.htype;
  outgoing.header.hlen = from.hlen;
  outgoing.header.xid = from.xid;
  outgoing.header.flags = from.flags;
  outgoing.header.giaddr = from.giaddr;
  outgoing.header.chaddr = from.chaddr;
  for (const Profile* layer : layers_) {
    if (outgoing.file.empty()) outgoing.file = layer->boot_file;
    if (outgoing.server_name.empty()) outgoing.server_name = layer->boot_server_name;
    if (outgoing.header.siaddr.is_unspecified()) outgoing.header.siaddr = layer->boot_server;
  }
  uint16_t most = request.message->number16(option::message_size);
  if (most > kMessageBytesSafe + kMessageOverhead) outgoing.bytes_max = most - kMessageOverhead;
  return outgoing;
}

void Engine::send_lease(const Request& request, MessageType type, ScopeId scope,
                        Ipv4Address address, uint32_t lease_s) {
  const Reservation* reservation = reservations_[scope].find(address);
  find_layers(request, scope, reservation);
  begin_options(type, request, server_of(request, scope));
  const Prefix& subnet = settings_.scopes[scope].subnet;
  if (type != MessageType::none) {
    put_number(option::lease_time, lease_s);
    bool ends = lease_s != kForever;
    put_number(option::renewal_time, ends ? lease_s / 2 : kForever);
    put_number(option::rebinding_time, ends ? lease_s - lease_s / 8 : kForever);
  }
  put_number(option::subnet_mask, mask_of(subnet.length));
  put_configured(request, reservation);
  if (type != MessageType::none) put_fqdn(request);
  Outgoing outgoing = outgoing_for(request);
  outgoing.options = views_;
  outgoing.header.yiaddr = address;
  if (type == MessageType::ack) {
    ++counters_.acks;
    outgoing.header.ciaddr = request.message->header.ciaddr;
  }
  send(request, outgoing, type != MessageType::offer);
}

// RFC2131-4.3.2: only who knows all addresses of the network may say no; to everybody on the
// client's link, since the client's own address is wrong.
void Engine::send_nak(const Request& request) {
  if (!settings_.scopes[request.scopes.front()].authoritative) {
    ++counters_.not_ours;
    return;
  }
  ++counters_.naks;
  layers_.clear();
  begin_options(MessageType::nak, request, server_of(request, request.scopes.front()));
  Outgoing outgoing = outgoing_for(request);
  outgoing.options = views_;
  if (request.is_relayed) outgoing.header.flags |= kBroadcastFlag;
  send(request, outgoing, false);
}

void Engine::send_info(const Request& request, ScopeId scope) {
  find_layers(request, scope, nullptr);
  begin_options(MessageType::ack, request, server_of(request, scope));
  put_number(option::subnet_mask, mask_of(settings_.scopes[scope].subnet.length));
  put_configured(request, nullptr);
  Outgoing outgoing = outgoing_for(request);
  outgoing.options = views_;
  outgoing.header.ciaddr = request.message->header.ciaddr;
  send(request, outgoing, false);
}

void Engine::send(const Request& request, const Outgoing& outgoing, bool after_store) {
  const Header& from = request.message->header;
  std::array<uint8_t, kMessageBytesMax> bytes;
  unsigned left_out = 0;
  size_t length = write_message(outgoing, bytes, left_out);
  counters_.options_left_out += left_out;

  Reply reply;
  reply.link = request.by.link;
  reply.from = request.by.local;
  reply.mac = from.mac();
  reply.after_store = after_store;
  reply.message = {bytes.data(), length};
  const Ipv4Address client = from.ciaddr.is_unspecified() ? outgoing.header.yiaddr : from.ciaddr;
  bool is_nak = outgoing.header.yiaddr.is_unspecified() && outgoing.header.ciaddr.is_unspecified();
  bool is_ethernet = from.htype == kEthernet && from.hlen == 6 && !reply.mac.is_multicast();
  bool wants_broadcast = from.ciaddr.is_unspecified() && (from.flags & kBroadcastFlag) != 0;
  const Scope& scope = settings_.scopes[request.scopes.front()];
  if (request.is_relayed) {
    reply.way = Reply::Way::routed;
    reply.to = from.giaddr;
    reply.port = kServerPort;
  } else if (is_nak || !is_ethernet || wants_broadcast) {
    reply.way = Reply::Way::broadcast;
  } else if (!from.ciaddr.is_unspecified() && scope.link != request.by.link) {
    reply.way = Reply::Way::routed;
    reply.to = client;
  } else {
    reply.way = Reply::Way::hardware;
    reply.to = client;
  }
  sink_.reply(reply);
}

}  // namespace postern::dhcp
