// SPDX-License-Identifier: BSD-3-Clause
// The fast path: ordinary packets of sessions that nothing happens to, a burst at a time, so that
// no packet waits for memory alone.
//
//   glance  headers -> key; the place in the index is asked for
//   guess   index -> session; its line is asked for
//   pass    the session's line and the route say everything: rewrite and go
//
// Whatever is not ordinary (other protocols, fragments, SYN, a changed policy, an unknown neighbor,
// the gateway itself...) takes the long way, at its place in the burst; pass() has changed nothing
// then. The long way gives ordinary packets the same treatment: the fast path may be left out.
#include <bit>
#include <cstring>

#include "dataplane/pipeline/state.h"
#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"

namespace postern {
namespace {

constexpr unsigned kL3 = sizeof(EthernetHeader), kL4 = kL3 + sizeof(Ipv4Header);
constexpr unsigned kTotalLength = kL3 + 2, kPieces = kL3 + 6, kTtl = kL3 + 8, kProtocol = kL3 + 9,
                   kChecksum = kL3 + 10, kAddresses = kL3 + 12;

template <typename T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
unsigned load_number(const uint8_t* from) {
  return __builtin_bswap16(load<uint16_t>(from));
}
void store(uint8_t* to, auto value) {
  std::memcpy(to, &value, sizeof value);
}

// A core drops what is asked for while too many lines are on their way (some two dozen), and pass()
// is too long for it to look ahead by itself: so each line is asked for once more, this many
// packets before it is needed.
constexpr size_t kAskedAgain = 16;

// What the headers of an ordinary packet say: TCP without SYN, FIN and RST, or UDP, whole, without
// options, for us to forward.
struct Glimpse {
  KeyWords key;
  FlowIndex::Spot spot;
  uint32_t session;    // SessionTable's value, a guess; kNone: the packet takes the long way
  uint16_t l3_length;  // bytes; 0: not ordinary
};

bool is_ordinary_udp(const uint8_t* l4, unsigned payload) {
  const unsigned length = load_number(l4 + 4);
  return length >= sizeof(UdpHeader) && length <= payload;
}

bool is_ordinary_tcp(const uint8_t* l4, unsigned payload) {
  constexpr uint8_t kTelling = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst | tcp_flag::ack;
  if (payload < sizeof(TcpHeader)) return false;
  const unsigned header = tcp_at(l4).header_bytes();
  return header >= sizeof(TcpHeader) && header <= payload &&
         (tcp_at(l4).flags & kTelling) == tcp_flag::ack;
}

// The destination of a frame, in the low 48 bits.
uint64_t destination_of(uint64_t first_bytes) {
  return first_bytes & 0xFFFFFFFFFFFF;
}

// Everything that parse() would check, but for what a session's key vouches for. `port_mac` as
// destination_of() has it.
[[gnu::always_inline]] inline bool is_ordinary(const Packet& packet, uint64_t port_mac,
                                               Glimpse& seen) {
  if (packet.length < kL4 + sizeof(UdpHeader)) return false;
  const uint8_t* frame = packet.frame;
  // EtherType IPv4, version 4, header without options; neither more fragments nor an offset.
  const uint64_t odd = (destination_of(load<uint64_t>(frame)) ^ port_mac) |
                       ((load<uint32_t>(frame + 12) & 0x00FFFFFF) ^ 0x00450008) |
                       (load_number(frame + kPieces) & 0x3FFF);
  const unsigned total = load_number(frame + kTotalLength);
  if (odd != 0 || frame[kTtl] <= 1 || kL3 + total > packet.length || total < 28) return false;
  if (!plain_header_holds(frame + kL3)) return false;
  const uint8_t proto = frame[kProtocol];
  const unsigned payload = total - sizeof(Ipv4Header);
  const bool is_whole = proto == protocol::udp
                            ? is_ordinary_udp(frame + kL4, payload)
                            : proto == protocol::tcp && is_ordinary_tcp(frame + kL4, payload);
  if (!is_whole) return false;
  seen.key.addresses = load<uint64_t>(frame + kAddresses);
  seen.key.others = load<uint32_t>(frame + kL4) | uint64_t{proto} << 32;
  seen.l3_length = static_cast<uint16_t>(total);
  return true;
}

// A sum in memory order with differences added (RFC 1624).
uint16_t sum_with(uint16_t checksum, uint32_t deltas) {
  return static_cast<uint16_t>(~fold(static_cast<uint16_t>(~checksum) + deltas));
}

[[gnu::always_inline]] inline void rewrite_transport(uint8_t* l4, uint8_t proto, uint32_t delta) {
  if (proto == protocol::tcp) {
    constexpr unsigned kAt = 16;
    store(l4 + kAt, sum_with(load<uint16_t>(l4 + kAt), delta));
    return;
  }
  // RFC 768: zero says that the sender made no checksum; a computed zero is sent as all ones.
  constexpr unsigned kAt = 6;
  const auto before = load<uint16_t>(l4 + kAt);
  const uint16_t after = sum_with(before, delta);
  if (before != 0) store(l4 + kAt, after != 0 ? after : uint16_t{0xFFFF});
}

// `leaves`: the key of the other direction, which is what the packet becomes, turned round.
[[gnu::always_inline]] inline void rewrite(uint8_t* frame, KeyWords leaves, uint32_t ip_delta,
                                           uint32_t transport_delta) {
  constexpr uint16_t kTtlDelta = difference(be16(0x0100), be16(0));
  --frame[kTtl];
  store(frame + kChecksum, sum_with(load<uint16_t>(frame + kChecksum), ip_delta + kTtlDelta));
  store(frame + kAddresses, std::rotl(leaves.addresses, 32));
  store(frame + kL4, std::rotl(static_cast<uint32_t>(leaves.others), 16));
  rewrite_transport(frame + kL4, static_cast<uint8_t>(leaves.others >> 32), transport_delta);
}

// Hits of one rule, counted together as long as it is always the same one.
class RuleTally {
 public:
  RuleTally(RuleCounters* counters, uint16_t default_rule, Instant now)
      : counters_(counters), default_(default_rule), now_(now) {}
  ~RuleTally() { write(); }
  RuleTally(const RuleTally&) = delete;
  RuleTally& operator=(const RuleTally&) = delete;

  void add(uint16_t rule, uint64_t bytes) {
    if (rule != rule_) [[unlikely]] {
      write();
      rule_ = rule;
      packets_ = bytes_ = 0;
    }
    ++packets_;
    bytes_ += bytes;
  }

 private:
  void write() {
    if (packets_ == 0) return;
    RuleCounters& rule = counters_[rule_ == kNoRule ? default_ : rule_];
    rule.packets.add(packets_);
    rule.bytes.add(bytes_);
    rule.last_hit_ns.set(static_cast<uint64_t>(now_.ns));
  }

  RuleCounters* counters_;
  uint16_t default_;
  uint16_t rule_ = kNoRule;
  Instant now_;
  uint64_t packets_ = 0, bytes_ = 0;
};

}  // namespace

// One burst on its way. What holds for all of it is kept here, near at hand.
class Pipeline::State::Burst {
 public:
  Burst(Pipeline::State& state, std::span<Packet> packets)
      : state_(state),
        policy_(*state.policy),
        sessions_(state.sessions),
        packets_(packets),
        tally_(state.rule_counters, static_cast<uint16_t>(state.policy->rules.size()), state.now),
        ticks_(to_ticks(state.now)) {}

  [[gnu::always_inline]] void run() {
    glance();
    if (state_.shared.tap != nullptr && state_.shared.tap->is_following()) [[unlikely]]
      leave_followed();
    const size_t count = packets_.size();
    for (size_t i = 0; i < count; ++i)
      seen_[i].session = seen_[i].l3_length != 0 ? guess(seen_[i]) : kNone;
    for (size_t i = 0; i < count; ++i) {
      if (i + kAskedAgain < count) ask_again(seen_[i + kAskedAgain]);
      if (seen_[i].session == kNone || !pass(packets_[i], seen_[i])) state_.receive(packets_[i]);
    }
  }

 private:
  [[gnu::always_inline]] void glance();
  // Packets that are followed take the long way, which tells of its stages.
  void leave_followed() {
    for (size_t i = 0; i < packets_.size(); ++i) {
      if (packets_[i].trace != 0) seen_[i].l3_length = 0;
    }
  }
  // Where there is no session, the long way will look for a mapping and for both hosts.
  uint32_t guess(const Glimpse& seen) const {
    const uint32_t found = sessions_.guess(seen.spot);
    if (found == kNone) [[unlikely]] {
      const auto key = std::bit_cast<FlowKey>(seen.key);
      state_.mappings.look_ahead_internal(key.protocol, key.source, key.source_port);
      sessions_.look_ahead_hosts(key.source, key.destination);
    }
    return found;
  }
  void ask_again(const Glimpse& seen) const {
    if (seen.session != kNone) sessions_.look_ahead_write(seen.session);
  }
  [[gnu::always_inline]] bool pass(Packet& packet, const Glimpse& seen);

  Pipeline::State& state_;
  const Policy& policy_;
  SessionTable& sessions_;
  std::span<Packet> packets_;
  RuleTally tally_;
  uint32_t ticks_;
  Glimpse seen_[kBurstMax];
};

// Nearly always all packets come from one place.
inline void Pipeline::State::Burst::glance() {
  for (size_t i = 0; i < packets_.size();) {
    const Packet& first = packets_[i];
    const InterfaceId in = first.ingress;
    const bool from_wire = !first.from_host && first.errand != Errand::fragment &&
                           in < policy_.interfaces.size() && policy_.interfaces[in].exists;
    uint64_t mac = 0;
    if (from_wire) std::memcpy(&mac, policy_.interfaces[in].mac.bytes.data(), sizeof(MacAddress));
    uint64_t bytes = 0;
    const size_t begin = i;
    for (; i < packets_.size(); ++i) {
      const Packet& packet = packets_[i];
      if (i + kAskedAgain < packets_.size()) prefetch_for_write(packets_[i + kAskedAgain].frame);
      if (packet.ingress != in || packet.from_host != first.from_host ||
          packet.errand != first.errand) {
        break;
      }
      bytes += packet.length;
      Glimpse& seen = seen_[i];
      if (!from_wire || packet.rounds != 0 || !is_ordinary(packet, mac, seen)) {
        seen.l3_length = 0;
        continue;
      }
      seen.spot = sessions_.look_ahead(seen.key);
    }
    state_.count_received(first, i - begin, bytes);
  }
}

inline bool Pipeline::State::Burst::pass(Packet& packet, const Glimpse& seen) {
  const uint32_t index = SessionTable::index_of(seen.session);
  const Direction direction = SessionTable::direction_of(seen.session);
  const auto d = static_cast<unsigned>(direction);
  Session& session = sessions_.at(index);
  const auto leaves = std::bit_cast<KeyWords>(session.key[1 - d]);
  if (std::bit_cast<KeyWords>(session.key[d]) != seen.key ||
      session.generation != policy_.generation || session.side[d] != packet.ingress ||
      session.side[1 - d] >= kRecirculate ||
      (session.tcp != TcpState::none && session.tcp != TcpState::established)) {
    return false;
  }
  const Ipv4Address to(__builtin_bswap32(static_cast<uint32_t>(leaves.addresses)));
  const Route* route = policy_.routes.find(to);
  if (route == nullptr || route->interface >= kRecirculate) return false;
  const Adjacent* next = state_.find_adjacent(route->interface, route->next_hop(to));
  if (next == nullptr || seen.l3_length > next->mtu) return false;

  const auto turned = [d](uint16_t delta) { return d == 0 ? delta : uint16_t(~delta); };
  rewrite(packet.frame, leaves, turned(session.ip_delta), turned(session.transport_delta));
  std::memcpy(packet.frame, next->macs, sizeof next->macs);
  session.last_seen = ticks_;
  sessions_.count(index, direction, seen.l3_length);
  tally_.add(session.rule, seen.l3_length);
  packet.length = static_cast<uint16_t>(kL3 + seen.l3_length);  // cuts off Ethernet padding
  packet.egress = next->out;
  packet.needs_fragmentation = false;
  state_.out->push(packet, postern::forward());
  return true;
}

void Pipeline::State::run(std::span<Packet> burst) {
  if (policy != nullptr) return Burst(*this, burst).run();
  for (Packet& packet : burst) {
    count_received(packet, 1, packet.length);
    receive(packet);
  }
}

inline const Adjacent* Pipeline::State::find_adjacent(InterfaceId out_id, Ipv4Address next_hop) {
  Adjacent& known = adjacent[(next_hop.number ^ out_id) % kAdjacentMax];
  if (known.next_hop == next_hop && known.out == out_id) [[likely]]
    return &known;
  MacAddress mac;
  if (!shared.neighbors->find(out_id, next_hop, mac)) return nullptr;
  known.next_hop = next_hop;
  known.out = out_id;
  known.mtu = interface(out_id).mtu;
  std::memcpy(known.macs, mac.bytes.data(), 6);
  std::memcpy(known.macs + 6, interface(out_id).mac.bytes.data(), 6);
  return &known;
}

}  // namespace postern
