// SPDX-License-Identifier: BSD-3-Clause
// Forwarder: the engine of the DNS service. Queries, answers and time in; answers, questions to
// servers and counters out. No socket and no clock here.
//
//   ask() -> rate limit -> hosts, leases, own zones -> block list -> cache -> pending question
//              |                                                                  |
//              +-- answer at once                    Outlet::send_datagram, ask_stream
//                                                                                 |
//   Outlet::reply() <- every client that waits <- cache <- take_datagram(), take_stream()
//
// Of an answer are checked: the socket it comes in by (and so the server's address), the ID, the
// question with the case of its letters (RFC 5452); records of other names are left out (answer.h).
// A server that does not answer costs a client kFirstWait at most; kPatience after the question
// a client has its answer, or a stale one (RFC 8767), or SERVFAIL.
//
// Bounds: those of the cache, PendingTable, Servers and RateLimiter. Thread: control.
#pragma once

#include <functional>

#include "services/dns/local_answer.h"
#include "services/dns/pending.h"
#include "services/dns/servers.h"
#include "services/dns/verdict.h"
#include "services/io/rate_limiter.h"

namespace postern::dns {

struct Counters {
#define POSTERN_DNS_COUNTER(name, help) uint64_t name = 0;
#include "services/dns/counters.def"
#undef POSTERN_DNS_COUNTER
};

struct Forward {
  Name zone;
  std::vector<ServerAddress> servers;
  friend bool operator==(const Forward&, const Forward&) = default;
};

struct Settings {
  Name domain;  // the root: none
  std::vector<HostName> records;
  std::vector<std::string> hosts_files;
  std::vector<ServerAddress> servers;  // for what no forward is for
  bool in_parallel = false;            // asks all healthy ones at once; else one after the other
  std::vector<Forward> forwards;
  CacheLimits cache;
  bool prefetch = true;
  bool rebind_guard = true;
  std::vector<Name> rebind_allow;   // zones that may have inside addresses; forwards may anyway
  uint32_t rate_per_client = 1000;  // queries a second; 0: no limit
  uint32_t local_ttl_s = 5;
  bool logs_queries = false;
};

// What other parts of the service do for the forwarder; all may be empty.
struct Hooks {
  // Whether a name (lower case) is not to be resolved.
  std::function<bool(const Name&)> blocks;
  // Judges the whole answer of a server (asked with DO) and calls back once, at once or later, with
  // the answer that may be told in its place: it may be another one.
  using Judged = std::function<void(Verdict, Bytes judged)>;
  std::function<void(const Question&, Bytes answer, Judged done)> validate;
};

class Outlet {
 public:
  virtual ~Outlet() = default;
  // Sends to the server by UDP; returns a number for the socket, 0 when it could not be sent.
  virtual uint32_t send_datagram(const ServerAddress& server, Bytes message) = 0;
  // By TCP, or TLS for a server that has a name for that; the outcome goes to take_stream() with
  // `id` and never from within this call.
  virtual void ask_stream(const ServerAddress& server, Bytes message, uint16_t id) = 0;
  // An empty message tells a stream that this query gets none. Others that wait for the same answer
  // are still to be told: the forwarder must not be asked anything from within this call.
  virtual void reply(const Client& client, Bytes message) = 0;
  virtual void log_query(const Client& client, const Name& name, uint16_t type,
                         std::string_view outcome) = 0;
  // Not to be guessed by anybody.
  virtual uint64_t random() = 0;
};

class Forwarder {
 public:
  static constexpr uint16_t kUdpBytes = 1232;                // that we send and take by UDP
  static constexpr Duration kFirstWait = milliseconds(400);  // then the next server is asked
  static constexpr Duration kPatience = milliseconds(1800);  // RFC 8767 section 5
  // The same while all servers are known not to answer; a slow link still brings them back.
  static constexpr Duration kPatienceInOutage = milliseconds(800);
  static constexpr uint32_t kFailureTtl = 2;           // RFC 9520 section 3.2: at least a second
  static constexpr Duration kTick = milliseconds(25);  // while questions are pending

  Forwarder(Outlet& outlet, const io::HashSeed& seed);

  void set_hooks(Hooks hooks) { hooks_ = std::move(hooks); }
  // Takes over new settings; questions under way go on, the cache stays unless where names are
  // asked for has changed.
  void configure(const Settings& settings, Instant now);
  // Servers that the link told of, for use where the settings have none.
  void set_learned_servers(const std::vector<ServerAddress>& servers, Instant now);
  // The contents of all hosts files.
  void set_hosts(std::vector<HostName> names);
  LocalNames& names() { return names_; }

  // A query. The size of an answer in `room`, which has room for 64 KiB when it came by TCP and
  // for kUdpBytes else; 0: none, or it comes later by Outlet::reply().
  size_t ask(Bytes message, const Client& client, Instant now, std::span<uint8_t> room);
  // What came in by the socket of this number.
  void take_datagram(uint32_t socket, Bytes message, Instant now);
  void take_stream(uint16_t id, const Result<std::vector<uint8_t>>& outcome, Instant now);
  // To be called each kTick while is_waiting(), and once a second at least.
  void tick(Instant now);
  bool is_waiting() const { return pending_.size() > 0; }
  // To be called before the callback of Hooks::validate.
  void note_time(Instant now) { now_ = now; }

  size_t flush(const Name& name) { return cache_.flush(name); }
  const Counters& counters() const { return counters_; }
  const Cache& cache() const { return cache_; }
  const Servers& servers() const { return servers_; }
  const PendingTable& pending() const { return pending_; }
  const Settings& settings() const { return settings_; }

 private:
  struct Asked;  // a query with all that is known of it
  using WriteReply = std::function<size_t(const ReplyShape&)>;

  size_t keep_silent(const Client& client);
  size_t refuse_fault(QueryFault fault, Bytes message, Asked& asked);
  size_t answer_from_cache(Asked& asked);
  size_t tell(Asked& asked, const CacheEntry& entry, bool is_stale);
  size_t wait_for_server(Asked& asked);
  Pending* begin(const Question& question, uint64_t hash, uint16_t group, Instant now);
  void refresh(const Question& question, uint64_t hash, uint16_t group, Instant now);

  void arrange_servers();
  void send_next(Pending& pending, Instant now);
  void send(Pending& pending, uint16_t server, bool by_stream, Instant now);
  size_t write_question(const Pending& pending, const Attempt& attempt);
  bool is_question_of(const Pending& pending, const Attempt& attempt, Bytes message,
                      bool& is_other_case) const;
  void take(Pending& pending, Attempt& attempt, Bytes message, Instant now);
  void ask_by_stream(Pending& pending, Attempt& attempt, Instant now);
  void put_aside(Pending& pending, Attempt& attempt, Instant now);
  void judge(Pending& pending, Bytes message, Instant now);
  void accept(Pending& pending, Bytes message, bool is_secure, Instant now);
  bool may_lead_inside(const Pending& pending) const;
  void fail(Pending& pending, Instant now);
  void finish(Pending& pending, const WriteReply& write, std::string_view outcome);
  void finish_with(Pending& pending, const Kept& kept, std::string_view outcome);
  void finish_with_error(Pending& pending, uint16_t rcode, Ede error, std::string_view outcome);
  void go_on(Pending& pending, Instant now);
  Cache::Key key_of(const Question& question);

  Outlet& outlet_;
  io::HashSeed seed_;
  Settings settings_;
  Hooks hooks_;
  std::vector<ServerAddress> learned_;
  std::vector<HostName> hosts_;
  LocalNames names_;
  Zones zones_;
  Servers servers_;
  Cache cache_;
  PendingTable pending_;
  io::RateLimiter limiter_;
  Counters counters_;
  Answer answer_;  // of the message that is taken
  Instant now_;    // of the last call, for answers of the validator
  std::array<uint8_t, kNameBytesMax + 4> question_;  // lower-cased, of the last key
  std::vector<uint8_t> scratch_;                     // 64 KiB for what is sent
};

}  // namespace postern::dns
