// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/reply.h"

#include <algorithm>

namespace postern::dns {
namespace {

constexpr uint16_t kNotTold = flag::aa | flag::tc | flag::ad;

uint16_t flags_of(const ReplyShape& shape, uint16_t more) {
  return static_cast<uint16_t>(flag::qr | flag::ra | more |
                               (shape.flags & (flag::opcode | flag::rd | flag::cd)));
}

size_t opt_bytes(const ReplyShape& shape, Ede error) {
  if (!shape.has_edns) return 0;
  return kOptBytes + (error == Ede::none ? 0 : 6);
}

// An answer that does not fit: the question alone (RFC 2181 section 9).
size_t write_cut(std::span<uint8_t> room, const ReplyShape& shape, uint16_t rcode) {
  Writer writer(room);
  Header header{shape.id, flags_of(shape, static_cast<uint16_t>(flag::tc | (rcode & flag::rcode))),
                1,        0,
                0,        static_cast<uint16_t>(shape.has_edns ? 1 : 0)};
  writer.header(header);
  writer.bytes(shape.question);
  if (shape.has_edns) writer.opt(shape.udp_bytes, rcode, shape.wants_dnssec);
  return writer.is_full() ? 0 : writer.size();
}

}  // namespace

ReplyShape shape_of(Bytes message, const Query& query, size_t limit) {
  ReplyShape shape;
  shape.id = query.id;
  shape.flags = query.flags;
  shape.has_edns = query.has_edns;
  shape.wants_dnssec = query.wants_dnssec;
  shape.limit = limit;
  shape.question = message.subspan(kHeaderBytes, query.name.size() + 4);
  return shape;
}

size_t write_kept(std::span<uint8_t> room, const ReplyShape& shape, const Kept& kept) {
  bool is_stale = kept.stale_ttl_s > 0;
  uint16_t rcode = get16(kept.message, 2) & flag::rcode;
  Ede error = !is_stale                    ? Ede::none
              : rcode == rcode::name_error ? Ede::stale_name_error
                                           : Ede::stale_answer;
  size_t size = kept.message.size() + opt_bytes(shape, error);
  if (size > shape.limit || size > room.size()) return write_cut(room, shape, rcode);
  std::memcpy(room.data(), kept.message.data(), kept.message.size());
  put16(room, 0, shape.id);
  uint16_t told = get16(room, 2) & static_cast<uint16_t>(~kNotTold);
  bool says_secure = (get16(room, 2) & flag::ad) != 0 && (shape.flags & flag::cd) == 0 &&
                     (shape.wants_dnssec || (shape.flags & flag::ad) != 0);
  put16(room, 2, flags_of(shape, static_cast<uint16_t>(told | (says_secure ? flag::ad : 0))));
  std::memcpy(room.data() + kHeaderBytes, shape.question.data(), shape.question.size());
  for (uint16_t at : kept.ttl_at) {
    uint32_t ttl = get32(room, at);
    put32(room, at, is_stale ? kept.stale_ttl_s : ttl - std::min(ttl, kept.age_s));
  }
  if (!shape.has_edns) return size;
  put16(room, 10, 1);
  Writer writer(room.subspan(kept.message.size()));
  writer.opt(shape.udp_bytes, rcode, shape.wants_dnssec, error);
  return size;
}

size_t write_error(std::span<uint8_t> room, const ReplyShape& shape, uint16_t rcode, Ede error) {
  Writer writer(room.first(std::min(room.size(), shape.limit)));
  auto count = [](bool is_there) { return static_cast<uint16_t>(is_there ? 1 : 0); };
  writer.header({shape.id, flags_of(shape, rcode & flag::rcode), count(!shape.question.empty()), 0,
                 0, count(shape.has_edns)});
  writer.bytes(shape.question);
  if (shape.has_edns) writer.opt(shape.udp_bytes, rcode, shape.wants_dnssec, error);
  return writer.is_full() ? 0 : writer.size();
}

size_t write_unknown_key(std::span<uint8_t> room, const ReplyShape& shape, Bytes message) {
  constexpr uint16_t kBadKey = 17;
  constexpr uint16_t kClassAny = 255;
  RecordWalk walk(message, kHeaderBytes + shape.question.size());
  Record record;
  std::optional<Tsig> tsig;
  Name key;
  while (!tsig && walk.next(record)) {
    if (record.type == type::tsig) tsig = read_tsig(message, record);
  }
  size_t size = write_error(room, shape, rcode::not_authorized);
  if (!tsig || !read_name(message, record.owner, key)) return size;
  Writer writer(room.first(std::min(room.size(), shape.limit)).subspan(size));
  Bytes algorithm_and_times = message.subspan(tsig->algorithm, tsig->times + 8 - tsig->algorithm);
  writer.bytes(key.wire());
  writer.u16(type::tsig);
  writer.u16(kClassAny);
  writer.u32(0);
  writer.u16(static_cast<uint16_t>(algorithm_and_times.size() + 8));
  writer.bytes(algorithm_and_times);
  writer.u16(0);  // no MAC: there is no key for one
  writer.u16(shape.id);
  writer.u16(kBadKey);
  writer.u16(0);
  if (writer.is_full()) return size;
  put16(room, 10, static_cast<uint16_t>(get16(room, 10) + 1));
  return size + writer.size();
}

OwnReply::OwnReply(std::span<uint8_t> room, const ReplyShape& shape)
    : room_(room), shape_(shape), writer_(room.first(std::min(room.size(), shape.limit))) {
  writer_.header({});
  writer_.bytes(shape.question);
}

void OwnReply::record(uint16_t type, uint32_t ttl_s, Bytes data) {
  writer_.u16(0xC000 | kHeaderBytes);
  writer_.u16(type);
  writer_.u16(kClassIn);
  writer_.u32(ttl_s);
  writer_.u16(static_cast<uint16_t>(data.size()));
  writer_.bytes(data);
  ++answers_;
}

void OwnReply::soa(const Name& asked, std::string_view zone, uint32_t ttl_s) {
  // The zone is the tail of the question, and so is its server (RFC 6303 section 3).
  auto pointer = static_cast<uint16_t>(0xC000 | (kHeaderBytes + asked.size() - zone.size()));
  constexpr std::string_view kMailbox("\6nobody\7invalid\0", 16);
  writer_.u16(pointer);
  writer_.u16(type::soa);
  writer_.u16(kClassIn);
  writer_.u32(ttl_s);
  writer_.u16(static_cast<uint16_t>(2 + kMailbox.size() + 20));
  writer_.u16(pointer);
  writer_.bytes({reinterpret_cast<const uint8_t*>(kMailbox.data()), kMailbox.size()});
  for (uint32_t value : {1u, 3600u, 1200u, 604800u, ttl_s})
    writer_.u32(value);
  ++authorities_;
}

size_t OwnReply::finish(uint16_t rcode, Ede error) {
  if (shape_.has_edns) writer_.opt(shape_.udp_bytes, rcode, shape_.wants_dnssec, error);
  if (writer_.is_full()) return write_cut(room_, shape_, rcode);
  Writer head(room_);
  head.header({shape_.id, flags_of(shape_, static_cast<uint16_t>(flag::aa | rcode)), 1, answers_,
               authorities_, static_cast<uint16_t>(shape_.has_edns ? 1 : 0)});
  return writer_.size();
}

}  // namespace postern::dns
