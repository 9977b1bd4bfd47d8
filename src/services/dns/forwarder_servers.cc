// SPDX-License-Identifier: BSD-3-Clause
// The servers' side: questions out, answers in, and what is done when none comes.
#include <algorithm>

#include "services/dns/forwarder.h"

namespace postern::dns {
namespace {

constexpr Duration kRefusalHolds = seconds(3600);  // a server without EDNS, or without our case
constexpr Duration kStreamPatience = seconds(4);   // the server is there, a stream takes its time
constexpr Duration kStaleRetry = seconds(10);      // RFC 8767 section 5: failure recheck timer
constexpr Duration kWaitMin = milliseconds(150);

bool is_letter(uint8_t lower_octet) {
  return lower_octet >= 'a' && lower_octet <= 'z';
}

uint8_t in_case(uint8_t octet, size_t place, uint64_t case_bits) {
  bool is_capital = is_letter(octet) && (case_bits >> place % 64 & 1) != 0;
  return is_capital ? static_cast<uint8_t>(octet & 0xDF) : octet;
}

}  // namespace

// Asks the next server, or, in parallel, all that are healthy; and beside it one that was down.
void Forwarder::send_next(Pending& pending, Instant now) {
  uint16_t first = servers_.choose(pending.group, pending.was_asked);
  if (first == Servers::kNone) {
    pending.was_asked = 0;  // another round
    first = servers_.choose(pending.group, pending.was_asked);
  }
  if (first == Servers::kNone) return fail(pending, now);
  Duration wait = kFirstWait;
  if (Duration known = servers_.at(first).round_trip; known.ns > 0) {
    wait = std::clamp(known * 4, kWaitMin, kFirstWait);
  }
  pending.next_at = now + wait;
  send(pending, first, false, now);
  for (size_t more = 1; settings_.in_parallel && more < kServersAskedAtOnce; ++more) {
    uint64_t was_asked = pending.was_asked;
    uint16_t server = servers_.choose(pending.group, was_asked);
    if (server == Servers::kNone || servers_.is_down(server)) break;
    pending.was_asked = was_asked;
    send(pending, server, false, now);
  }
  if (servers_.is_down(first)) return;
  uint16_t probe = servers_.choose_probe(pending.group, now);
  if (probe != Servers::kNone) send(pending, probe, false, now);
}

void Forwarder::send(Pending& pending, uint16_t number, bool by_stream, Instant now) {
  if (pending.attempt_count == kAttemptsMax) return;
  Server& server = servers_.at(number);
  uint64_t random = outlet_.random();
  Attempt& attempt = pending.attempts[pending.attempt_count];
  attempt.server = number;
  attempt.id = pending_.take_id(pending, pending.attempt_count, static_cast<uint16_t>(random));
  ++pending.attempt_count;
  attempt.case_bits = now < server.one_case_until ? 0 : outlet_.random();
  attempt.sent = now;
  attempt.with_edns = now >= server.plain_until && number != pending.asked_plain;
  attempt.by_stream = by_stream || !server.address.tls_name.empty();
  attempt.is_open = true;
  attempt.is_silent = false;
  attempt.socket = 0;
  ++server.queries;
  size_t size = write_question(pending, attempt);
  Bytes message = Bytes(scratch_).first(size);
  if (attempt.by_stream) {
    outlet_.ask_stream(server.address, message, attempt.id);
    return;
  }
  attempt.socket = outlet_.send_datagram(server.address, message);
  if (attempt.socket == 0) put_aside(pending, attempt, now);
}

size_t Forwarder::write_question(const Pending& pending, const Attempt& attempt) {
  const Question& question = pending.question;
  Writer writer(scratch_);
  uint16_t flags = flag::rd;
  bool is_validated = hooks_.validate && !question.checking_disabled;
  if (question.checking_disabled || is_validated) flags |= flag::cd;
  writer.header({attempt.id, flags, 1, 0, 0, static_cast<uint16_t>(attempt.with_edns ? 1 : 0)});
  Bytes name = question.name.wire();
  for (size_t i = 0; i < name.size(); ++i)
    writer.u8(in_case(name[i], i, attempt.case_bits));
  writer.u16(question.type);
  writer.u16(kClassIn);
  if (attempt.with_edns) writer.opt(kUdpBytes, 0, question.wants_dnssec || is_validated);
  return writer.size();
}

bool Forwarder::is_question_of(const Pending& pending, const Attempt& attempt, Bytes message,
                               bool& is_other_case) const {
  Bytes name = pending.question.name.wire();
  size_t end = kHeaderBytes + name.size();
  is_other_case = false;
  if (get16(message, 4) != 1 || message.size() < end + 4) return false;
  if (get16(message, end) != pending.question.type || get16(message, end + 2) != kClassIn) {
    return false;
  }
  for (size_t i = 0; i < name.size(); ++i) {
    uint8_t octet = message[kHeaderBytes + i];
    if (lower(octet) != name[i]) return false;
    is_other_case |= octet != in_case(name[i], i, attempt.case_bits);
  }
  return true;
}

void Forwarder::take_datagram(uint32_t socket, Bytes message, Instant now) {
  now_ = now;
  if (message.size() < kHeaderBytes || (get16(message, 2) & flag::qr) == 0) {
    ++counters_.broken;
    return;
  }
  auto [pending, attempt] = pending_.find_id(get16(message, 0));
  if (!pending || attempt->socket != socket) {
    ++counters_.unmatched;
    return;
  }
  bool is_other_case = false;
  Header header = read_header(message);
  // A server that does not understand EDNS may send back the header alone.
  bool is_bare_refusal =
      header.questions == 0 && message.size() == kHeaderBytes &&
      (header.rcode() == rcode::format_error || header.rcode() == rcode::not_implemented);
  if (!is_bare_refusal && !is_question_of(*pending, *attempt, message, is_other_case)) {
    ++counters_.mismatched;
    return;  // forged, perhaps; the right one may follow
  }
  servers_.note_answer(attempt->server, now - attempt->sent);
  if (is_other_case) {
    // Forged, or a server that spells in its own way: a stream tells the two apart.
    ++counters_.mismatched;
    return ask_by_stream(*pending, *attempt, now);
  }
  take(*pending, *attempt, message, now);
}

void Forwarder::take_stream(uint16_t id, const Result<std::vector<uint8_t>>& outcome, Instant now) {
  now_ = now;
  auto [pending, attempt] = pending_.find_id(id);
  if (!pending || !attempt->by_stream) return;  // given up meanwhile
  if (!outcome) {
    servers_.note_silence(attempt->server, now);
    put_aside(*pending, *attempt, now);
    return go_on(*pending, now);
  }
  Bytes message = *outcome;
  bool is_other_case = false;
  bool is_ours = message.size() >= kHeaderBytes && (get16(message, 2) & flag::qr) != 0 &&
                 get16(message, 0) == id &&
                 is_question_of(*pending, *attempt, message, is_other_case);
  if (!is_ours) {
    ++counters_.mismatched;
    put_aside(*pending, *attempt, now);
    return go_on(*pending, now);
  }
  servers_.note_answer(attempt->server, now - attempt->sent);
  if (is_other_case) servers_.at(attempt->server).one_case_until = now + kRefusalHolds;
  take(*pending, *attempt, message, now);
}

// The answer to an attempt, which is what it seems to be.
void Forwarder::take(Pending& pending, Attempt& attempt, Bytes message, Instant now) {
  Header header = read_header(message);
  if ((header.flags & flag::tc) != 0 && !attempt.by_stream) {
    return ask_by_stream(pending, attempt, now);
  }
  uint16_t rcode = header.rcode();
  bool is_refusal = rcode == rcode::format_error || rcode == rcode::not_implemented;
  if (is_refusal && attempt.with_edns) {
    // RFC 6891 section 6.2.2: such servers are asked without.
    ++counters_.without_edns;
    uint16_t server = attempt.server;
    bool by_stream = attempt.by_stream;
    pending.asked_plain = server;
    put_aside(pending, attempt, now);
    return send(pending, server, by_stream, now);
  }
  if (rcode != rcode::no_error && rcode != rcode::name_error) {
    put_aside(pending, attempt, now);
    return go_on(pending, now);
  }
  // A refusal may be about the name, or forged; that the server answers the same question without
  // EDNS is what shows that it knows none.
  if (attempt.server == pending.asked_plain && !attempt.with_edns) {
    servers_.at(attempt.server).plain_until = now + kRefusalHolds;
  }
  judge(pending, message, now);
}

void Forwarder::ask_by_stream(Pending& pending, Attempt& attempt, Instant now) {
  uint16_t server = attempt.server;
  put_aside(pending, attempt, now);
  if (pending.is_stream_tried) return go_on(pending, now);
  pending.is_stream_tried = true;
  ++counters_.over_tcp;
  pending.gives_up_at = std::max(pending.gives_up_at, now + kPatience);
  pending.next_at = now + kPatience;
  send(pending, server, true, now);
}

// Nothing more is awaited of an attempt.
void Forwarder::put_aside(Pending& pending, Attempt& attempt, Instant now) {
  if (attempt.is_open) pending_.free_id(attempt.id);
  attempt.is_open = false;
  attempt.socket = 0;
  if (!pending.is_awaited()) pending.next_at = std::min(pending.next_at, now);
}

// After an attempt that led to nothing: the next server, unless others are still to answer or all
// have said no.
void Forwarder::go_on(Pending& pending, Instant now) {
  if (pending.is_awaited() || pending.is_judged) return;
  uint64_t was_asked = pending.was_asked;
  bool has_more = servers_.choose(pending.group, was_asked) != Servers::kNone;
  if (!has_more || pending.attempt_count == kAttemptsMax) return fail(pending, now);
  send_next(pending, now);
}

void Forwarder::judge(Pending& pending, Bytes message, Instant now) {
  if (!hooks_.validate || pending.question.checking_disabled) {
    return accept(pending, message, false, now);
  }
  if (pending.is_judged) return;
  pending.is_judged = true;
  pending.gives_up_at = now + kStreamPatience;
  uint32_t place = pending_.place_of(pending);
  uint64_t serial = pending.serial;
  hooks_.validate(pending.question, message, [this, place, serial](Verdict verdict, Bytes judged) {
    Pending* waiting = pending_.find_serial(place, serial);
    if (!waiting) return;
    waiting->is_judged = false;
    switch (verdict) {
      case Verdict::secure:
      case Verdict::insecure:
        return accept(*waiting, judged, verdict == Verdict::secure, now_);
      case Verdict::failed:
        return fail(*waiting, now_);
      case Verdict::bogus:
        ++counters_.bogus;
        return finish_with_error(*waiting, rcode::server_failure, Ede::bogus, "bogus");
    }
  });
}

bool Forwarder::may_lead_inside(const Pending& pending) const {
  if (!settings_.rebind_guard || pending.group != 0) return true;
  std::string_view key = pending.question.name.key();
  return std::any_of(settings_.rebind_allow.begin(), settings_.rebind_allow.end(),
                     [key](const Name& zone) { return is_within(key, zone.key()); });
}

void Forwarder::accept(Pending& pending, Bytes message, bool is_secure, Instant now) {
  if (!take_answer(message, pending.question, answer_)) {
    ++counters_.broken;
    for (uint8_t i = 0; i < pending.attempt_count; ++i)
      put_aside(pending, pending.attempts[i], now);
    return go_on(pending, now);
  }
  counters_.foreign += answer_.dropped;
  if (answer_.leads_inside && !may_lead_inside(pending)) {
    ++counters_.rebind;
    return finish_with_error(pending, rcode::refused, Ede::blocked, "rebind");
  }
  if (is_secure) answer_.message[3] |= flag::ad;
  // RFC 2308 section 5: a denial that does not say for how long is not kept.
  if (answer_.is_bounded) cache_.insert(key_of(pending.question), answer_, now);
  finish_with(pending, {answer_.message, answer_.ttl_at, 0, 0}, "asked");
}

// No server has an answer: a stale one is better than none (RFC 8767).
void Forwarder::fail(Pending& pending, Instant now) {
  constexpr uint32_t kStaleTtl = 30;
  Cache::Key key = key_of(pending.question);
  CacheEntry* entry = cache_.find(key, now);
  if (entry && !entry->is_failure) {
    entry->asked_again = now + kStaleRetry;
    counters_.stale += pending.waiters.size();
    return finish_with(pending, {entry->message(), entry->ttl_at(), 0, kStaleTtl}, "stale");
  }
  counters_.failures += pending.waiters.size();
  make_failure(pending.question, kFailureTtl, answer_);
  cache_.insert(key, answer_, now);
  finish_with_error(pending, rcode::server_failure, Ede::no_reachable_authority, "failed");
}

void Forwarder::finish_with(Pending& pending, const Kept& kept, std::string_view outcome) {
  finish(
      pending, [&](const ReplyShape& shape) { return write_kept(scratch_, shape, kept); }, outcome);
}

void Forwarder::finish_with_error(Pending& pending, uint16_t rcode, Ede error,
                                  std::string_view outcome) {
  finish(
      pending, [&](const ReplyShape& shape) { return write_error(scratch_, shape, rcode, error); },
      outcome);
}

void Forwarder::tick(Instant now) {
  now_ = now;
  for (uint32_t place = pending_.oldest(); place != PendingTable::kNone;) {
    Pending& pending = pending_.at(place);
    place = pending.after_active;
    if (now >= pending.gives_up_at) {
      for (uint8_t i = 0; i < pending.attempt_count; ++i) {
        const Attempt& attempt = pending.attempts[i];
        if (attempt.is_open && !attempt.is_silent) servers_.note_silence(attempt.server, now);
      }
      fail(pending, now);
      continue;
    }
    if (now < pending.next_at || pending.is_judged) continue;
    for (uint8_t i = 0; i < pending.attempt_count; ++i) {
      Attempt& attempt = pending.attempts[i];
      if (!attempt.is_open || attempt.is_silent) continue;
      attempt.is_silent = true;
      servers_.note_silence(attempt.server, now);
    }
    if (pending.attempt_count < kAttemptsMax) {
      send_next(pending, now);
    } else {
      pending.next_at = pending.gives_up_at;
    }
  }
  cache_.sweep(now);
}

}  // namespace postern::dns
