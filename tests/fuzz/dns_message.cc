// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any bytes as a query from a client and as an answer from a server. What is read must
// be within its bounds, and what is made of it must be a sound message that reads the same again.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "services/dns/answer.h"
#include "services/dns/local_names.h"
#include "services/dns/reply.h"

namespace dns = postern::dns;

namespace {

// Every record can be walked over, and every owner read.
void demand_sound(dns::Bytes message, size_t records_at) {
  dns::RecordWalk walk(message, records_at);
  dns::Record record;
  dns::Name name;
  while (walk.next(record)) {
    POSTERN_ASSERT(record.end <= message.size());
    POSTERN_ASSERT(dns::read_name(message, record.owner, name));
  }
  POSTERN_ASSERT(!walk.is_broken());
  POSTERN_ASSERT(walk.position() == message.size());
}

void as_query(dns::Bytes message) {
  dns::Query query;
  if (dns::parse_query(message, query) != dns::QueryFault::none) return;
  std::array<uint8_t, 1232> room;
  dns::ReplyShape shape = dns::shape_of(message, query, 512);
  size_t size = dns::write_error(room, shape, dns::rcode::refused, dns::Ede::blocked);
  POSTERN_ASSERT(size > 0 && size <= 512);
  demand_sound(dns::Bytes(room).first(size), query.question_end());
  dns::OwnReply reply(room, shape);
  reply.soa(query.name, dns::parent_of(query.name.key()), 60);
  size = reply.finish(dns::rcode::name_error);
  demand_sound(dns::Bytes(room).first(size), query.question_end());
}

void as_answer(dns::Bytes message, bool wants_dnssec) {
  if (message.size() < dns::kHeaderBytes) return;
  dns::Name name;
  auto end = dns::read_name(message, dns::kHeaderBytes, name);
  if (!end || *end + 4 > message.size() || *end != dns::kHeaderBytes + name.size()) return;
  dns::Question question{name, dns::get16(message, *end), wants_dnssec, false};
  question.name.make_lower();
  dns::Answer answer;
  if (!dns::take_answer(message, question, answer)) return;
  POSTERN_ASSERT(answer.message.size() <= dns::kMessageBytesMax + dns::kNameBytesMax * 3);
  demand_sound(answer.message, *end + 4);
  for (uint16_t at : answer.ttl_at)
    POSTERN_ASSERT(at + 6u <= answer.message.size());
  // What was kept is kept the second time as well, all of it.
  dns::Answer again;
  POSTERN_ASSERT(dns::take_answer(answer.message, question, again));
  POSTERN_ASSERT(again.dropped == 0);
  POSTERN_ASSERT(again.message.size() == answer.message.size());
  std::array<uint8_t, 1232> room;
  std::array<uint8_t, dns::kNameBytesMax + 4> asked = {};
  std::copy(name.wire().begin(), name.wire().end(), asked.begin());
  dns::ReplyShape shape;
  shape.has_edns = wants_dnssec;
  shape.limit = room.size();
  shape.question = dns::Bytes(asked).first(name.size() + 4);
  size_t size = dns::write_kept(room, shape, {answer.message, answer.ttl_at, 5, 0});
  POSTERN_ASSERT(size > 0);
  demand_sound(dns::Bytes(room).first(size), *end + 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dns::Bytes message(data, size);
  as_query(message);
  as_answer(message, false);
  as_answer(message, true);
  dns::parse_hosts({reinterpret_cast<const char*>(data), size});
  return 0;
}
