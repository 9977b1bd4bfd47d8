// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/client.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace postern::dhcp {
namespace {

constexpr unsigned kRequestsMax = 4;   // for an offer, before another one is looked for
constexpr unsigned kRebootsMax = 3;    // for a lease of before
constexpr unsigned kDoublingsMax = 4;  // 4 s .. 64 s (RFC 2131 4.1)
constexpr unsigned kProbesMax = 3;
constexpr Duration kProbeWait = milliseconds(250);
constexpr Duration kFirstWait = seconds(4);
constexpr Duration kPauseMax = seconds(64);
constexpr Duration kDeclinePause = seconds(10);  // RFC 2131 3.1.5
constexpr Duration kComplaintPause = seconds(60);
constexpr uint16_t kMessageSize = 1472;
constexpr uint8_t kWanted[] = {option::subnet_mask,  option::classless_routes,
                               option::routers,      option::dns_servers,
                               option::renewal_time, option::rebinding_time};

std::array<uint8_t, 4> bytes_of(uint32_t number) {
  return {static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
          static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
}

}  // namespace

const char* to_word(Client::State state) {
  constexpr const char* kWords[] = {"released", "init",  "rebooting", "selecting", "requesting",
                                    "probing",  "bound", "renewing",  "rebinding"};
  return kWords[static_cast<unsigned>(state)];
}

void Client::remember(const ClientLease& lease, Duration left, Instant now) {
  lease_ = lease;
  wanted_ = lease.address.address;
  server_ = lease.server;
  is_remembered_ = true;
  ends_ = lease.lease_s == kLeaseForever ? kNever : now + left;
}

void Client::tick(Instant now) {
  if (has_lease()) return follow_lease(now);
  if (state_ == State::released || now < due_) return;
  if (state_ == State::probing) return follow_probe(now);
  if (state_ != State::init) return ask(now);
  began_ = now;
  enter(is_remembered_ ? State::rebooting : State::selecting, now);
}

void Client::follow_lease(Instant now) {
  if (now >= ends_) return give_up("its time is over", now, {});
  if (state_ != State::rebinding && now >= rebinds_) return enter(State::rebinding, now);
  if (state_ == State::bound && now >= renews_) return enter(State::renewing, now);
  if (state_ != State::bound && now >= due_) ask(now);
}

void Client::enter(State state, Instant now) {
  state_ = state;
  asked_ = 0;
  // A request for an offer goes on with the offer's identifier (RFC 2131 4.4.1).
  if (state != State::requesting) xid_ = settings_.random();
  if (state == State::requesting || state == State::rebooting) asked_at_ = now;
  ask(now);
}

void Client::give_up(const std::string& why, Instant now, Duration pause) {
  const bool had = has_lease();
  start_over(now, pause);
  if (had) sink_.lost(why);
}

void Client::start_over(Instant now, Duration pause) {
  state_ = State::init;
  is_remembered_ = false;
  due_ = now + pause;
}

// Doubles with each failure; the first one after a lease costs nothing.
Duration Client::pause_after_failure() {
  const unsigned failures = failures_++;
  if (failures == 0) return {};
  return std::min(kPauseMax, seconds(int64_t{1} << std::min(failures, 6u)));
}

void Client::ask(Instant now) {
  const bool is_over = (state_ == State::requesting && asked_ == kRequestsMax) ||
                       (state_ == State::rebooting && asked_ == kRebootsMax);
  if (is_over && state_ == State::rebooting && now < ends_) {
    // RFC2131-3.2: what is left of a lease may be used where no server is heard.
    complain("no server answers; " + to_text(lease_.address) + " is used until its lease ends",
             now);
    return settle(now);
  }
  if (is_over) return start_over(now, pause_after_failure());
  if (has_lease()) {
    xid_ = settings_.random();  // so that a late answer is not taken for one to this request
    asked_at_ = now;
  }
  if (state_ == State::selecting) {
    secs_ = static_cast<uint16_t>(std::min<int64_t>((now - began_).ns / 1'000'000'000, 0xFFFF));
  }
  send(state_ == State::selecting ? MessageType::discover : MessageType::request);
  due_ = next_ask(now);
  ++asked_;
}

// RFC 2131 4.1 without an address, 4.4.5 with one; of short leases more often than every minute.
Instant Client::next_ask(Instant now) {
  if (has_lease()) {
    const Duration left = (state_ == State::renewing ? rebinds_ : ends_) - now;
    const Duration least = std::min(seconds(60), seconds(lease_.lease_s / 10));
    return now + std::max(Duration{left.ns / 2}, least);
  }
  const Duration jitter = milliseconds(static_cast<int64_t>(settings_.random() % 2001) - 1000);
  return now + kFirstWait * (int64_t{1} << std::min(asked_, kDoublingsMax)) + jitter;
}

void Client::send(MessageType type) {
  Outgoing outgoing;
  outgoing.header.xid = xid_;
  std::copy(settings_.mac.bytes.begin(), settings_.mac.bytes.end(), outgoing.header.chaddr.begin());
  const bool is_bare = !has_lease();
  if (!is_bare) outgoing.header.ciaddr = lease_.address.address;
  const bool is_question = type == MessageType::discover || type == MessageType::request;
  if (is_bare && is_question) {
    outgoing.header.secs = secs_;
    if (asked_ % 2 == 1) outgoing.header.flags = kBroadcastFlag;
  }
  const std::array<uint8_t, 1> kind{static_cast<uint8_t>(type)};
  std::array<uint8_t, 7> id{kEthernet};
  std::copy(settings_.mac.bytes.begin(), settings_.mac.bytes.end(), id.begin() + 1);
  const auto wanted = bytes_of(wanted_.number);
  const auto server = bytes_of(server_.number);
  const auto size = bytes_of(kMessageSize);
  std::vector<OptionView> options{{option::message_type, kind}, {option::client_id, id}};
  if (is_bare && !wanted_.is_unspecified()) options.push_back({option::requested_address, wanted});
  if (state_ == State::requesting || !is_question) options.push_back({option::server_id, server});
  if (is_question) {
    options.push_back({option::parameter_list, kWanted});
    options.push_back({option::message_size, std::span(size).last(2)});
  }
  outgoing.options = options;
  std::array<uint8_t, kMessageBytesMax> bytes;
  unsigned left_out = 0;
  std::span<const uint8_t> message(bytes.data(), write_message(outgoing, bytes, left_out));
  if (state_ == State::renewing || type == MessageType::release) {
    sink_.unicast(lease_.address.address, lease_.server, message);
  } else {
    sink_.broadcast(message);
  }
}

void Client::receive(std::span<const uint8_t> bytes, Instant now) {
  const bool is_awaited = state_ != State::released && state_ != State::init &&
                          state_ != State::probing && state_ != State::bound;
  if (!is_awaited || message_.read(bytes) != MessageFault::none) return;
  const Header& header = message_.header;
  if (header.op != kBootReply || header.xid != xid_ || header.mac() != settings_.mac) return;
  switch (message_.type) {
    case MessageType::offer:
      return take_offer(message_, now);
    case MessageType::ack:
      return take_ack(message_, now);
    case MessageType::nak:
      return take_nak(message_, now);
    default:
      return;
  }
}

void Client::take_offer(const Message& message, Instant now) {
  if (state_ != State::selecting) return;
  auto offer = read_lease(message);
  std::string why = offer ? sink_.objection(*offer) : offer.error().text;
  if (!why.empty()) return complain("an offer is refused: " + why, now);
  wanted_ = offer->address.address;
  server_ = offer->server;
  enter(State::requesting, now);
}

void Client::take_ack(const Message& message, Instant now) {
  if (state_ == State::selecting || message.header.yiaddr != wanted_) return;
  const bool is_chosen = message.address(option::server_id) == server_;
  if ((state_ == State::requesting || state_ == State::renewing) && !is_chosen) return;
  auto given = read_lease(message);
  std::string why = given ? sink_.objection(*given) : given.error().text;
  if (!why.empty()) {
    complain("a lease is refused: " + why, now);
    // What is held goes on until its end; who holds nothing looks for something better.
    if (!has_lease()) start_over(now, pause_after_failure());
    return;
  }
  const bool is_new = !has_lease();
  is_remembered_ = false;
  lease_ = std::move(*given);
  server_ = lease_.server;
  set_times(asked_at_);
  if (is_new) return settle(now);
  state_ = State::bound;
  sink_.bound(lease_, true);
}

// T1 and T2 come a little early, each time differently, so that not all clients of a server that
// came back ask at once (RFC 2131 4.4.5).
void Client::set_times(Instant from) {
  if (lease_.lease_s == kLeaseForever) {
    renews_ = rebinds_ = ends_ = kNever;
    return;
  }
  auto early = [this](uint32_t s) {
    const int64_t ns = seconds(s).ns;
    return Duration{ns - ns / (32 * 256) * static_cast<int64_t>(settings_.random() % 256)};
  };
  renews_ = from + early(lease_.renew_s);
  rebinds_ = std::max(renews_, from + early(lease_.rebind_s));
  ends_ = from + seconds(lease_.lease_s);
}

void Client::take_nak(const Message& message, Instant now) {
  const Ipv4Address from = message.address(option::server_id);
  if (state_ == State::selecting || from.is_unspecified()) return;
  const bool is_chosen = from == server_;
  if ((state_ == State::requesting || state_ == State::renewing) && !is_chosen) return;
  wanted_ = Ipv4Address();
  give_up("the server refuses it from now on", now, pause_after_failure());
}

// The address is asked for on the wire, since a server may not know who has it (RFC 2131 4.4.1).
void Client::settle(Instant now) {
  if (is_remembered_) {
    // Not confirmed: the times that are left are not those of a new lease.
    renews_ = rebinds_ = ends_ == kNever ? kNever : now + Duration{(ends_ - now).ns / 8};
  }
  state_ = State::probing;
  asked_ = 0;
  follow_probe(now);
}

void Client::follow_probe(Instant now) {
  due_ = now + kProbeWait;
  if (asked_++ < kProbesMax) return sink_.probe(lease_.address.address);
  state_ = State::bound;
  failures_ = 0;
  const bool is_confirmed = !std::exchange(is_remembered_, false);
  sink_.bound(lease_, is_confirmed);
}

void Client::address_seen(Ipv4Address address, const MacAddress& mac, Instant now) {
  if (state_ != State::probing || address != lease_.address.address) return;
  if (mac == settings_.mac) return;
  xid_ = settings_.random();
  send(MessageType::decline);
  complain(to_text(address) + " is in use by " + to_text(mac) + " already; it is declined", now);
  wanted_ = Ipv4Address();
  start_over(now, std::max(kDeclinePause, pause_after_failure()));
}

void Client::link_came_up(Instant now) {
  if (has_lease()) return enter(State::rebinding, now);
  if (state_ == State::selecting) return enter(State::selecting, now);
  if (state_ == State::init) due_ = now;
}

void Client::release(Instant now) {
  const bool had = has_lease();
  if (had) send(MessageType::release);
  start_over(now, {});
  state_ = State::released;
  if (had) sink_.lost("it is given back");
}

void Client::renew(Instant now) {
  if (has_lease()) return enter(State::renewing, now);
  if (state_ == State::probing) return;
  failures_ = 0;
  start_over(now, {});
}

void Client::refuse(const std::string& why, Instant now) {
  if (!has_lease()) return;
  wanted_ = Ipv4Address();
  give_up(why, now, pause_after_failure());
}

void Client::complain(const std::string& line, Instant now) {
  if (complained_.ns >= 0 && now - complained_ < kComplaintPause) return;
  complained_ = now;
  sink_.remark(line);
}

}  // namespace postern::dhcp
