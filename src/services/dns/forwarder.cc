// SPDX-License-Identifier: BSD-3-Clause
// The clients' side: settings, and queries up to where a server has to be asked.
#include "services/dns/forwarder.h"

#include <algorithm>

namespace postern::dns {
namespace {

constexpr uint32_t kStaleTtl = 30;  // RFC 8767 section 4
constexpr uint16_t kDefaultGroup = 0;

size_t limit_of(const Client& client, const Query& query) {
  if (client.connection != 0) return kMessageBytesMax;
  return std::min(query.udp_bytes, Forwarder::kUdpBytes);
}

}  // namespace

struct Forwarder::Asked {
  const Client& client;
  Bytes message;
  std::span<uint8_t> room;
  Instant now;
  Query query;
  ReplyShape shape;
  ZoneFound zone;
  Question question;
  Cache::Key key;
};

Forwarder::Forwarder(Outlet& outlet, const io::HashSeed& seed)
    : outlet_(outlet),
      seed_(seed),
      cache_({}, seed),
      pending_(seed),
      limiter_(seed),
      scratch_(kMessageBytesMax) {}

void Forwarder::configure(const Settings& settings, Instant now) {
  bool is_same_view =
      settings.servers == settings_.servers && settings.forwards == settings_.forwards &&
      settings.rebind_guard == settings_.rebind_guard &&
      settings.rebind_allow == settings_.rebind_allow && settings.domain == settings_.domain;
  settings_ = settings;
  now_ = now;
  cache_.set_limits(settings_.cache);
  limiter_.set_rate(settings_.rate_per_client);
  if (!is_same_view) cache_.flush(Name());
  arrange_servers();
  set_hosts(std::move(hosts_));
}

void Forwarder::set_learned_servers(const std::vector<ServerAddress>& servers, Instant now) {
  if (servers == learned_) return;
  learned_ = servers;
  now_ = now;
  if (settings_.servers.empty()) cache_.flush(Name());
  arrange_servers();
}

// Group 0 are the default servers, the others those of the forwards in order.
void Forwarder::arrange_servers() {
  servers_.begin();
  servers_.add_group(settings_.servers.empty() ? learned_ : settings_.servers);
  zones_.reset(settings_.domain);
  for (const Forward& forward : settings_.forwards)
    zones_.add_forward(forward.zone, servers_.add_group(forward.servers));
  std::vector<uint16_t> old_to_new = servers_.finish();
  for (uint32_t place = pending_.oldest(); place != PendingTable::kNone;) {
    Pending& pending = pending_.at(place);
    place = pending.after_active;
    for (uint8_t i = 0; i < pending.attempt_count; ++i) {
      Attempt& attempt = pending.attempts[i];
      if (!attempt.is_open) continue;
      attempt.server = old_to_new[attempt.server];
      if (attempt.server == Servers::kNone) put_aside(pending, attempt, now_);
    }
    ZoneFound zone = zones_.find(pending.question.name);
    pending.group = zone.kind == ZoneKind::forward ? zone.group : kDefaultGroup;
    pending.was_asked = 0;
    pending.asked_plain = Pending::kNoServer;  // the servers have other numbers now
  }
}

void Forwarder::set_hosts(std::vector<HostName> names) {
  hosts_ = std::move(names);
  std::vector<HostName> all = settings_.records;
  all.insert(all.end(), hosts_.begin(), hosts_.end());
  names_.set_fixed(all, settings_.domain);
}

Cache::Key Forwarder::key_of(const Question& question) {
  size_t size = question.name.size();
  std::memcpy(question_.data(), question.name.wire().data(), size);
  put16(question_, size, question.type);
  put16(question_, size + 2, kClassIn);
  return cache_.key_of(Bytes(question_).first(size + 4), question.wants_dnssec,
                       question.checking_disabled);
}

// A stream counts the queries that are under way, so it has to know.
size_t Forwarder::keep_silent(const Client& client) {
  if (client.connection != 0) outlet_.reply(client, {});
  return 0;
}

size_t Forwarder::refuse_fault(QueryFault fault, Bytes message, Asked& asked) {
  ++(fault == QueryFault::unknown_key ? counters_.refused : counters_.malformed);
  if (fault == QueryFault::not_a_query) return keep_silent(asked.client);
  ReplyShape shape;
  shape.id = asked.query.id;
  shape.flags = asked.query.flags;
  shape.limit = kPlainUdpBytes;
  switch (fault) {
    case QueryFault::bad_version:
      shape = shape_of(message, asked.query, kPlainUdpBytes);
      shape.udp_bytes = kUdpBytes;
      return write_error(asked.room, shape, rcode::bad_version);
    case QueryFault::unknown_key:
      shape = shape_of(message, asked.query, limit_of(asked.client, asked.query));
      shape.udp_bytes = kUdpBytes;
      return write_unknown_key(asked.room, shape, message);
    case QueryFault::not_implemented:
      return write_error(asked.room, shape, rcode::not_implemented);
    default:
      return write_error(asked.room, shape, rcode::format_error);
  }
}

size_t Forwarder::ask(Bytes message, const Client& client, Instant now, std::span<uint8_t> room) {
  now_ = now;
  ++counters_.queries;
  counters_.streams += client.connection != 0;
  if (!client.is_own && !limiter_.allows(client.address, now)) {
    ++counters_.rate_limited;
    return keep_silent(client);
  }
  Asked asked{client, message, room, now, {}, {}, {}, {}, {}};
  Query& query = asked.query;
  QueryFault fault = parse_query(message, query);
  if (fault != QueryFault::none) return refuse_fault(fault, message, asked);
  asked.shape = shape_of(message, query, limit_of(client, query));
  asked.shape.udp_bytes = kUdpBytes;
  auto log = [&](std::string_view outcome) {
    if (!settings_.logs_queries || client.is_own) return;
    outlet_.log_query(client, query.name, query.type, outcome);
  };
  if (size_t size = refuse_kind(query, asked.shape, room)) {
    ++counters_.refused;
    log("refused");
    return size;
  }
  const LocalView view{names_, zones_, settings_.local_ttl_s};
  if (size_t size = answer_locally(view, query, asked.shape, room, asked.zone)) {
    ++counters_.local;
    log("local");
    return size;
  }
  if (hooks_.blocks && !client.is_own && hooks_.blocks(query.name)) {
    ++counters_.blocked;
    log("blocked");
    OwnReply reply(room, asked.shape);
    reply.soa(query.name, query.name.key(), std::max(settings_.local_ttl_s, 1u));
    return reply.finish(rcode::name_error, Ede::blocked);
  }
  return answer_from_cache(asked);
}

size_t Forwarder::answer_from_cache(Asked& asked) {
  Query& query = asked.query;
  asked.question = {query.name, query.type, query.wants_dnssec, query.checking_disabled()};
  asked.key = key_of(asked.question);
  uint16_t group = asked.zone.kind == ZoneKind::forward ? asked.zone.group : kDefaultGroup;
  if (CacheEntry* entry = cache_.find(asked.key, asked.now)) {
    if (entry->is_fresh(asked.now)) {
      // The last tenth of its time: whoever asks now makes sure that the next one need not wait.
      Duration left = entry->expires - asked.now;
      size_t size = tell(asked, *entry, false);
      if (settings_.prefetch && left * 10 < entry->expires - entry->stored) {
        refresh(asked.question, asked.key.hash, group, asked.now);
      }
      return size;
    }
    if (asked.now < entry->asked_again || servers_.all_down(group)) {
      size_t size = tell(asked, *entry, true);
      if (asked.now >= entry->asked_again) {
        refresh(asked.question, asked.key.hash, group, asked.now);
      }
      return size;
    }
  }
  // RFC 1035 section 4.1.1: without RD nobody is asked.
  if (!query.recursion_desired()) {
    ++counters_.refused;
    return write_error(asked.room, asked.shape, rcode::refused);
  }
  return wait_for_server(asked);
}

size_t Forwarder::tell(Asked& asked, const CacheEntry& entry, bool is_stale) {
  ++(is_stale ? counters_.stale : counters_.hits);
  if (settings_.logs_queries && !asked.client.is_own) {
    outlet_.log_query(asked.client, asked.query.name, asked.query.type, is_stale ? "stale" : "hit");
  }
  Kept kept{entry.message(), entry.ttl_at(), entry.age_s(asked.now), is_stale ? kStaleTtl : 0};
  return write_kept(asked.room, asked.shape, kept);
}

size_t Forwarder::wait_for_server(Asked& asked) {
  const Query& query = asked.query;
  uint16_t group = asked.zone.kind == ZoneKind::forward ? asked.zone.group : kDefaultGroup;
  if (servers_.group(group).servers.empty()) {
    ++counters_.failures;
    return write_error(asked.room, asked.shape, rcode::server_failure, Ede::no_reachable_authority);
  }
  Pending* pending = pending_.find(asked.question, asked.key.hash);
  bool is_new = pending == nullptr;
  if (!pending_.has_share(asked.client, is_new)) {
    ++counters_.over_share;
    return write_error(asked.room, asked.shape, rcode::server_failure);
  }
  // A question that nobody can wait for is not asked.
  if (!pending_.has_room_to_wait()) {
    ++counters_.busy;
    return write_error(asked.room, asked.shape, rcode::server_failure);
  }
  if (is_new) pending = begin(asked.question, asked.key.hash, group, asked.now);
  Waiter waiter;
  waiter.client = asked.client;
  waiter.id = query.id;
  waiter.flags = query.flags;
  waiter.has_edns = query.has_edns;
  waiter.limit = static_cast<uint16_t>(asked.shape.limit);
  waiter.spelling = Spelling::of(asked.shape.question.first(query.name.size()));
  if (!pending) {
    ++counters_.busy;
    return write_error(asked.room, asked.shape, rcode::server_failure);
  }
  pending_.add_waiter(*pending, waiter, is_new);
  ++(is_new ? counters_.misses : counters_.joined);
  if (is_new) send_next(*pending, asked.now);
  return 0;
}

Pending* Forwarder::begin(const Question& question, uint64_t hash, uint16_t group, Instant now) {
  Pending* pending = pending_.add(question, hash);
  if (!pending) return nullptr;
  pending->group = group;
  pending->started = now;
  pending->next_at = now;
  pending->gives_up_at = now + (servers_.all_down(group) ? kPatienceInOutage : kPatience);
  return pending;
}

// Asks again for what clients are told from the cache meanwhile.
void Forwarder::refresh(const Question& question, uint64_t hash, uint16_t group, Instant now) {
  if (pending_.size() >= kPendingMax / 2 || pending_.find(question, hash)) return;
  if (servers_.group(group).servers.empty()) return;
  Pending* pending = begin(question, hash, group, now);
  if (!pending) return;
  ++counters_.prefetched;
  send_next(*pending, now);
}

// Tells every client that waits, each with its own ID and spelling: `write` fills scratch_.
void Forwarder::finish(Pending& pending, const WriteReply& write, std::string_view outcome) {
  std::array<uint8_t, kNameBytesMax + 4> asked;
  const Question& question = pending.question;
  size_t name_bytes = question.name.size();
  for (const Waiter& waiter : pending.waiters) {
    std::memcpy(asked.data(), question.name.wire().data(), name_bytes);
    waiter.spelling.apply(std::span(asked).first(name_bytes));
    put16(asked, name_bytes, question.type);
    put16(asked, name_bytes + 2, kClassIn);
    ReplyShape shape;
    shape.id = waiter.id;
    shape.flags = waiter.flags;
    shape.has_edns = waiter.has_edns;
    shape.wants_dnssec = question.wants_dnssec;
    shape.udp_bytes = kUdpBytes;
    shape.limit = waiter.limit;
    shape.question = Bytes(asked).first(name_bytes + 4);
    size_t size = write(shape);
    outlet_.reply(waiter.client, std::span(scratch_).first(size));
    if (settings_.logs_queries && !waiter.client.is_own) {
      outlet_.log_query(waiter.client, question.name, question.type, outcome);
    }
  }
  pending_.remove(pending);
}

}  // namespace postern::dns
