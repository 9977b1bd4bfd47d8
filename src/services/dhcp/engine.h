// SPDX-License-Identifier: BSD-3-Clause
// Engine: the DHCP server without sockets, disk and clock (RFC 2131 section 4.3, RFC 1534, RFC
// 3046, RFC 4578). Messages and time come in by calls, what is to be done goes out to the sink.
//
//   DISCOVER -> an address is held -> (probed by ARP; behind a relay by ICMP echo) -> OFFER
//   REQUEST  -> lease bound -> sink: store, name, reply after the store -> ACK
//               lease of somebody else, of another network -> NAK (authoritative)
//   DECLINE  -> quarantine;  RELEASE -> kept for the client;  INFORM -> options
//
// Who is who: the client identifier, or hardware type and address where there is none; so a client
// whose identifier is just that (01 and its MAC) is one with its boot ROM. Durability: a reply that
// promises something is marked after_store, and what it promises was given to store() before.
// Bounds: the pools; kProbesMax probes at once, a DISCOVER beyond them is counted and waits for its
// repetition; kOffersMax offers to newcomers, beyond which the oldest gives way. When a pool has no
// address left, offers older than kOfferKeep give way, then it is exhausted: counted, told once a
// minute, and clients that have a lease renew as ever. Thread: control.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "services/dhcp/lease.h"
#include "services/dhcp/lease_table.h"
#include "services/dhcp/message.h"
#include "services/dhcp/rate_limit.h"
#include "services/dhcp/reservation_index.h"
#include "services/dhcp/settings.h"
#include "services/io/keyed_hash.h"

namespace postern::dhcp {

// Both clocks: leases end by the system's, waiting is done by the monotonic one.
struct Now {
  Instant instant;
  int64_t unix_s = 0;
};

// How a datagram came: `local` is our address on that link, `source` the sender's.
struct Arrival {
  LinkId link = kNoLink;
  Ipv4Address local;
  Ipv4Address source;
};

struct Reply {
  enum class Way : uint8_t {
    broadcast,  // to everybody on the link
    hardware,   // to `mac` and `to`, which the client may not answer ARP for yet
    routed,     // to `to` as an ordinary datagram: a relay (port 67) or a client (port 68)
  };
  Way way = Way::broadcast;
  LinkId link = kNoLink;
  Ipv4Address from;  // our address
  Ipv4Address to;
  uint16_t port = kClientPort;
  MacAddress mac;
  bool after_store = false;  // only once all that was stored before is on disk
  std::span<const uint8_t> message;
};

// A name of a client that has come or gone.
struct NameChange {
  std::string name;  // one label, small letters
  Ipv4Address address;
  int64_t until_s = 0;  // 0: withdrawn
};

class EngineSink {
 public:
  virtual ~EngineSink() = default;
  virtual void store(const Lease& lease) = 0;    // to disk, before later after_store replies
  virtual void forget(Ipv4Address address) = 0;  // off the disk
  virtual void reply(const Reply& reply) = 0;    // the bytes are gone after the call
  virtual void probe(LinkId link, Ipv4Address from, Ipv4Address address) = 0;  // asks by ARP
  virtual void echo(Ipv4Address from, Ipv4Address address) = 0;                // asks by ICMP echo
  virtual void change_name(const NameChange& change) = 0;
  virtual void remark(const std::string& line) = 0;  // for the error log
};

#define POSTERN_DHCP_COUNTERS(X) \
  X(received)                    \
  X(malformed)                   \
  X(unknown_link)                \
  X(no_scope)                    \
  X(unknown_relay)               \
  X(rate_limited)                \
  X(discovers)                   \
  X(offers)                      \
  X(requests)                    \
  X(acks)                        \
  X(naks)                        \
  X(declines)                    \
  X(releases)                    \
  X(informs)                     \
  X(bootps)                      \
  X(probes)                      \
  X(conflicts)                   \
  X(probes_full)                 \
  X(exhausted)                   \
  X(not_ours)                    \
  X(name_taken)                  \
  X(expired)                     \
  X(options_left_out)

struct Counters {
#define POSTERN_DHCP_COUNTER(name) uint64_t name = 0;
  POSTERN_DHCP_COUNTERS(POSTERN_DHCP_COUNTER)
#undef POSTERN_DHCP_COUNTER
};

class Engine {
 public:
  static constexpr size_t kProbesMax = 1024;
  static constexpr size_t kOffersMax = 16'384;  // a scope

  explicit Engine(EngineSink& sink) : sink_(sink) {}

  // What holds from now on. Leases stay; those that fit no scope any more run out.
  void configure(Settings settings, Now now);
  // Leases as they were on disk; before the first message. Their names are told.
  void load(std::vector<Lease> leases, Now now);

  // A datagram to port 67.
  void receive(const Arrival& by, std::span<const uint8_t> bytes, Now now);
  // Somebody on the link says to have this address (an ARP answer).
  void address_seen(LinkId link, Ipv4Address address, const MacAddress& mac, Now now);
  // Somebody at this address has answered an echo.
  void echo_seen(Ipv4Address address, Now now);
  // Does what is due. Call it at least every 100 ms.
  void tick(Now now);

  // An administrator ends a lease. False: there is none.
  bool release(Ipv4Address address, Now now);
  // All names that hold, to a sink that is new.
  void tell_names();

  const LeaseTable& leases() const { return table_; }
  const Settings& settings() const { return settings_; }
  const Counters& counters() const { return counters_; }
  Counters& counters() { return counters_; }

 private:
  using ScopeId = LeaseTable::ScopeId;
  static constexpr ScopeId kNoScope = LeaseTable::kNoScope;

  // One message with what is known of its sender.
  struct Request {
    const Message* message = nullptr;
    Arrival by;
    Now now;
    std::string client;
    uint64_t hash = 0;
    std::string host_name;
    std::vector<ScopeId> scopes;  // where the client is; the first ones first
    bool is_relayed = false;
  };
  struct Probe {
    std::vector<uint8_t> bytes;  // the DISCOVER
    Arrival by;
    Instant due;
    unsigned sent = 0;
    unsigned tries = 0;       // addresses that were in use before this one
    bool is_relayed = false;  // asked by ICMP echo, which a router carries
  };
  // An address was held for a newcomer.
  struct Offer {
    Ipv4Address address;
    Now since;
  };
  // A place for the client.
  struct Place {
    ScopeId scope = kNoScope;
    Ipv4Address address;
    bool needs_probe = false;
  };

  bool understand(Request& request);
  void find_scopes(Request& request);
  void tell_unknown_relay(const Request& request, const Scope& scope);
  void handle(const Request& request);
  void discover(const Request& request, unsigned tries);
  void request(const Request& request);
  void select(const Request& request, Ipv4Address wanted);
  void renew(const Request& request, Ipv4Address wanted);
  void decline(const Request& request);
  void release(const Request& request);
  void inform(const Request& request);
  void bootp(const Request& request);

  // --- engine_places.cc: which address for whom
  std::optional<Place> find_place(const Request& request);
  std::optional<Place> place_in(const Request& request, ScopeId scope);
  bool is_free_for(const Request& request, ScopeId scope, Ipv4Address address) const;
  const Reservation* find_reservation(const Request& request, ScopeId scope) const;
  std::optional<Ipv4Address> take_from_pool(const Request& request, ScopeId scope);
  const Lease* find_offered(const Offer& offer) const;
  bool start_probe(const Request& request, const Place& place, unsigned tries);
  void send_probe(const Probe& probe, Ipv4Address address);
  void end_in_conflict(Ipv4Address address, const std::string& who, Now now);
  void hold(const Request& request, Ipv4Address address);
  void quarantine(Ipv4Address address, Now now);
  void tell_conflict(const std::string& line, Now now);
  void tell_exhausted(const Request& request);
  void step_probes(Now now);
  void take_up(const Probe& probe, Now now);

  // --- engine_replies.cc: what is said to whom
  const Lease& bind(const Request& request, ScopeId scope, Ipv4Address address, uint32_t lease_s);
  uint32_t lease_time(const Request& request, ScopeId scope, const Reservation* reservation);
  void send_lease(const Request& request, MessageType type, ScopeId scope, Ipv4Address address,
                  uint32_t lease_s);
  void send_nak(const Request& request);
  void send_info(const Request& request, ScopeId scope);
  void send(const Request& request, const Outgoing& outgoing, bool after_store);
  void find_layers(const Request& request, ScopeId scope, const Reservation* reservation);
  Ipv4Address server_of(const Request& request, ScopeId scope) const;
  void begin_options(MessageType type, const Request& request, Ipv4Address server);
  void put_number(uint8_t code, uint32_t number);
  void put_configured(const Request& request, const Reservation* reservation);
  void put_fqdn(const Request& request);
  Outgoing outgoing_for(const Request& request) const;

  // --- engine_names.cc: names of clients
  void tell_name(const Lease& lease);
  void withdraw_name(const Lease& lease);
  void end_due(Now now);

  EngineSink& sink_;
  Settings settings_;
  std::vector<ReservationIndex> reservations_;  // by scope
  LeaseTable table_;
  Counters counters_;
  RateLimit rate_;
  Message message_;  // of the call that is under way
  std::unordered_map<uint32_t, Probe> probes_;
  std::vector<std::deque<Offer>> offers_;              // by scope, oldest first
  std::unordered_map<uint32_t, int64_t> probed_free_;  // until when an answer counts, unix time
  std::unordered_map<std::string, uint32_t, io::KeyedHash> names_;  // name -> address
  std::optional<Instant> unknown_relay_told_;
  std::optional<Instant> exhausted_told_;
  uint64_t exhausted_since_ = 0;
  Instant conflicts_since_;  // of the minute in which these were told
  unsigned conflicts_told_ = 0;
  // What the reply under way is made of.
  std::vector<OptionView> views_;
  std::vector<const Profile*> layers_;  // the most special first
  std::deque<std::array<uint8_t, 4>> numbers_;
  std::vector<uint8_t> fqdn_;
};

// --- identity of clients (identity.cc)
// The key of a client: its identifier, else hardware type and address.
std::string client_key(const Message& message);
// Spreads clients over a pool, the same way after a restart. Anybody can work it out.
uint64_t client_hash(std::string_view client);
// The first label of what the client calls itself (options 12 and 81), in small letters; empty when
// that is no host name (RFC 1123 2.1).
std::string client_host_name(const Message& message);
std::string clean_host_name(std::string_view text);
// The value of a suboption of option 82 (RFC 3046).
std::span<const uint8_t> relay_suboption(const Message& message, uint8_t code);
bool belongs_to(const Message& message, const ClientClass& client_class);
// "02:00:00:00:00:01", or the identifier in hexadecimal.
std::string client_text(const Lease& lease);

}  // namespace postern::dhcp
