// SPDX-License-Identifier: BSD-3-Clause
// What a client is told: answers from the cache with its own ID and question and with TTLs that
// have fallen, errors, and answers that are made here.
//
// Nothing allocates: all is written into room that the caller has. An answer that is longer than
// the client takes is cut down to its question, with TC (RFC 2181 section 9). Pure.
#pragma once

#include "services/dns/message.h"

namespace postern::dns {

// What of a query its answer depends on.
struct ReplyShape {
  uint16_t id = 0;
  uint16_t flags = 0;  // of the query
  bool has_edns = false;
  bool wants_dnssec = false;
  uint16_t udp_bytes = kPlainUdpBytes;  // what we take, told in our OPT
  size_t limit = kPlainUdpBytes;        // bytes of the answer; no more than the room
  Bytes question;                       // as it was asked: name, type, class; empty: none
};

// `message` is what parse_query() read; `limit` as above.
ReplyShape shape_of(Bytes message, const Query& query, size_t limit);

struct Kept {
  Bytes message;                     // as take_answer() makes it
  std::span<const uint16_t> ttl_at;  // where TTLs stand
  uint32_t age_s = 0;
  uint32_t stale_ttl_s = 0;  // above 0: the answer is stale, and this is told as TTL
};
size_t write_kept(std::span<uint8_t> room, const ReplyShape& shape, const Kept& kept);

// An answer without records. `error` stands in the OPT where the client sent one.
size_t write_error(std::span<uint8_t> room, const ReplyShape& shape, uint16_t rcode,
                   Ede error = Ede::none);

// To a query that is signed with TSIG (RFC 8945 section 5.2.1): NOTAUTH, and that its key is not
// known here. What is forwarded is taken apart, kept and told anew, which no signature survives; so
// nobody who signs is told anything that looks like an answer. `message` is the query.
size_t write_unknown_key(std::span<uint8_t> room, const ReplyShape& shape, Bytes message);

// An answer of our own about the name that was asked, record by record.
class OwnReply {
 public:
  OwnReply(std::span<uint8_t> room, const ReplyShape& shape);
  void record(uint16_t type, uint32_t ttl_s, Bytes data);
  // The SOA of a zone of ours, for how long a denial holds (RFC 2308; RFC 6303 section 3). `zone`
  // is the name that was asked or one above it.
  void soa(const Name& asked, std::string_view zone, uint32_t ttl_s);
  size_t finish(uint16_t rcode, Ede error = Ede::none);

 private:
  std::span<uint8_t> room_;
  const ReplyShape& shape_;
  Writer writer_;
  uint16_t answers_ = 0;
  uint16_t authorities_ = 0;
};

}  // namespace postern::dns
