// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/message.h"

#include <algorithm>

namespace postern::dns {
namespace {

constexpr uint32_t kDnssecOk = 0x8000;
constexpr uint16_t kEdeOption = 15;
constexpr size_t kFixedBytes = 10;  // type, class, TTL, length

// The EDNS of a query and whether it is signed. RFC 6891 section 6.1.1: one OPT at most, its owner
// is the root.
QueryFault read_edns(Bytes message, Query& query) {
  RecordWalk walk(message, query.question_end());
  Record record;
  uint32_t version = 0;
  bool is_signed = false;
  while (walk.next(record)) {
    // RFC8945-5.1: one at most, and the last record.
    if (is_signed) return QueryFault::format_error;
    if (record.type == type::tsig) {
      is_signed = record.section == MessageSection::additional && read_tsig(message, record);
      if (!is_signed) return QueryFault::format_error;
    }
    if (record.type != type::opt) continue;
    if (query.has_edns || record.section != MessageSection::additional) {
      return QueryFault::format_error;
    }
    if (message[record.owner] != 0) return QueryFault::format_error;
    query.has_edns = true;
    query.udp_bytes = std::max<uint16_t>(record.klass, kPlainUdpBytes);
    query.wants_dnssec = (record.ttl & kDnssecOk) != 0;
    version = record.ttl >> 16 & 0xFF;
  }
  if (walk.is_broken()) return QueryFault::format_error;
  if (is_signed) return QueryFault::unknown_key;
  return version == 0 ? QueryFault::none : QueryFault::bad_version;
}

}  // namespace

Header read_header(Bytes message) {
  return {get16(message, 0), get16(message, 2), get16(message, 4),
          get16(message, 6), get16(message, 8), get16(message, 10)};
}

QueryFault parse_query(Bytes message, Query& query) {
  if (message.size() < kHeaderBytes) return QueryFault::not_a_query;
  Header header = read_header(message);
  query.id = header.id;
  query.flags = header.flags;
  query.has_edns = query.wants_dnssec = false;
  query.udp_bytes = kPlainUdpBytes;
  if ((header.flags & flag::qr) != 0) return QueryFault::not_a_query;
  if (header.opcode() != 0) return QueryFault::not_implemented;
  if (header.questions != 1) return QueryFault::format_error;
  // Nothing is in front of the question that a pointer could lead to, so the name is plain.
  auto end = read_name(message, kHeaderBytes, query.name);
  if (!end || *end != kHeaderBytes + query.name.size() || *end + 4 > message.size()) {
    return QueryFault::format_error;
  }
  query.name.make_lower();
  query.type = get16(message, *end);
  query.klass = get16(message, *end + 2);
  if (header.answers == 0 && header.authorities == 0 && header.additionals == 0) {
    return QueryFault::none;
  }
  return read_edns(message, query);
}

std::optional<Tsig> read_tsig(Bytes message, const Record& record) {
  constexpr uint16_t kClassAny = 255;
  constexpr size_t kTimesBytes = 8;
  if (record.klass != kClassAny || record.ttl != 0) return std::nullopt;
  Name algorithm;
  Tsig tsig{record.data, record.data};
  auto end = read_name(message, record.data, algorithm);
  if (!end || *end != record.data + algorithm.size()) return std::nullopt;
  tsig.times = *end;
  // Then the MAC by its length, ID and error, and other data by its length.
  size_t at = tsig.times + kTimesBytes;
  if (at + 2 > record.end) return std::nullopt;
  at += size_t{2} + get16(message, at) + 4;
  if (at + 2 > record.end || at + 2 + get16(message, at) != record.end) return std::nullopt;
  return tsig;
}

RecordWalk::RecordWalk(Bytes message, size_t at) : message_(message), at_(at) {
  for (size_t i = 0; i < 3; ++i)
    left_[i] = get16(message, 6 + 2 * i);
}

bool RecordWalk::stop() {
  is_broken_ = true;
  return false;
}

bool RecordWalk::next(Record& record) {
  while (section_ < 3 && left_[section_] == 0)
    ++section_;
  if (section_ == 3 || is_broken_) return false;
  --left_[section_];
  auto name_end = skip_name(message_, at_);
  if (!name_end || *name_end + kFixedBytes > message_.size()) return stop();
  record.section = static_cast<MessageSection>(section_);
  record.owner = at_;
  record.fixed = *name_end;
  record.type = get16(message_, record.fixed);
  record.klass = get16(message_, record.fixed + 2);
  record.ttl = get32(message_, record.fixed + 4);
  record.data = record.fixed + kFixedBytes;
  record.end = record.data + get16(message_, record.fixed + 8);
  if (record.end > message_.size()) return stop();
  at_ = record.end;
  return true;
}

void Writer::header(const Header& header) {
  for (uint16_t value : {header.id, header.flags, header.questions, header.answers,
                         header.authorities, header.additionals})
    u16(value);
}

void Writer::opt(uint16_t udp_bytes, uint16_t rcode, bool wants_dnssec, Ede error) {
  u8(0);
  u16(type::opt);
  u16(udp_bytes);
  u32(static_cast<uint32_t>(rcode >> 4) << 24 | (wants_dnssec ? kDnssecOk : 0));
  if (error == Ede::none) return u16(0);
  u16(6);
  u16(kEdeOption);
  u16(2);
  u16(static_cast<uint16_t>(error));
}

}  // namespace postern::dns
