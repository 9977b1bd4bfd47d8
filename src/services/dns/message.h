// SPDX-License-Identifier: BSD-3-Clause
// DNS messages read in place (RFC 1035 section 4, EDNS of RFC 6891) and written front to back.
//
//   parse_query()   what a client sent: its one question and its EDNS, or what is wrong with it
//   RecordWalk      the records of a message one by one, as offsets; no tree is built
//   Writer          octets into a buffer that never grows; what does not fit is told, not written
//
// Pure; bounded by the message.
#pragma once

#include <cstring>

#include "services/dns/name.h"

namespace postern::dns {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kOptBytes = 11;        // an OPT record without options
constexpr size_t kPlainUdpBytes = 512;  // RFC 1035 section 4.2.1
constexpr size_t kMessageBytesMax = 65535;

namespace type {
constexpr uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, hinfo = 13, mx = 15, txt = 16,
                   aaaa = 28, srv = 33, dname = 39, opt = 41, ds = 43, rrsig = 46, nsec = 47,
                   dnskey = 48, nsec3 = 50, svcb = 64, https = 65, tsig = 250, ixfr = 251,
                   axfr = 252, any = 255;
}
constexpr uint16_t kClassIn = 1;

namespace flag {
constexpr uint16_t qr = 0x8000, aa = 0x0400, tc = 0x0200, rd = 0x0100, ra = 0x0080, ad = 0x0020,
                   cd = 0x0010, opcode = 0x7800, rcode = 0x000F;
}

namespace rcode {
constexpr uint16_t no_error = 0, format_error = 1, server_failure = 2, name_error = 3,
                   not_implemented = 4, refused = 5, not_authorized = 9, bad_version = 16;
}

// Extended DNS errors (RFC 8914).
enum class Ede : uint16_t {
  stale_answer = 3,
  bogus = 6,
  blocked = 15,
  stale_name_error = 19,
  no_reachable_authority = 22,
  none = 0xFFFF
};

inline uint16_t get16(Bytes bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline uint32_t get32(Bytes bytes, size_t at) {
  uint32_t raw;
  std::memcpy(&raw, bytes.data() + at, sizeof raw);
  return be32::from_raw(raw).value();
}
inline void put16(std::span<uint8_t> bytes, size_t at, uint16_t value) {
  uint16_t raw = be16(value).raw();
  std::memcpy(bytes.data() + at, &raw, sizeof raw);
}
inline void put32(std::span<uint8_t> bytes, size_t at, uint32_t value) {
  uint32_t raw = be32(value).raw();
  std::memcpy(bytes.data() + at, &raw, sizeof raw);
}

struct Header {
  uint16_t id = 0;
  uint16_t flags = 0;
  uint16_t questions = 0;
  uint16_t answers = 0;
  uint16_t authorities = 0;
  uint16_t additionals = 0;

  uint16_t opcode() const { return static_cast<uint16_t>((flags & flag::opcode) >> 11); }
  uint16_t rcode() const { return flags & flag::rcode; }
};
// `message` has at least kHeaderBytes.
Header read_header(Bytes message);

struct Query {
  uint16_t id = 0;
  uint16_t flags = 0;
  uint16_t type = 0;
  uint16_t klass = 0;
  Name name;  // lower-cased; as asked it stands at kHeaderBytes of the message
  bool has_edns = false;
  bool wants_dnssec = false;            // the DO bit (RFC 3225)
  uint16_t udp_bytes = kPlainUdpBytes;  // of an answer by UDP; at least 512

  bool recursion_desired() const { return (flags & flag::rd) != 0; }
  bool checking_disabled() const { return (flags & flag::cd) != 0; }
  size_t question_end() const { return kHeaderBytes + name.size() + 4; }
};

enum class QueryFault : uint8_t {
  none,
  not_a_query,      // too short, or an answer: never answered
  format_error,     // RFC 9619: nor is there more than one question
  not_implemented,  // another opcode
  bad_version,      // EDNS version above 0 (RFC 6891 section 6.1.3)
  unknown_key,      // signed by TSIG: see signed.h
};
// With bad_version and unknown_key the query is filled; with format_error and not_implemented id
// and flags are.
QueryFault parse_query(Bytes message, Query& query);

enum class MessageSection : uint8_t { answer, authority, additional };

struct Record {
  MessageSection section = MessageSection::answer;
  size_t owner = 0;  // offset of the name
  size_t fixed = 0;  // offset of type, class, TTL, length
  size_t data = 0;
  size_t end = 0;
  uint16_t type = 0;
  uint16_t klass = 0;
  uint32_t ttl = 0;

  size_t ttl_at() const { return fixed + 4; }
  size_t data_bytes() const { return end - data; }
};

// The TSIG record of a message (RFC 8945 section 4.2), taken apart.
struct Tsig {
  size_t algorithm = 0;  // offset of its name, which is not compressed
  size_t times = 0;      // of the time signed and the fudge, 8 octets
};
// nullopt: it is broken.
std::optional<Tsig> read_tsig(Bytes message, const Record& record);

class RecordWalk {
 public:
  // `at` is where the first record begins, behind the question.
  RecordWalk(Bytes message, size_t at);
  // False at the end, and at a broken record.
  bool next(Record& record);
  bool is_broken() const { return is_broken_; }
  size_t position() const { return at_; }

 private:
  bool stop();

  Bytes message_;
  size_t at_;
  uint16_t left_[3];
  uint8_t section_ = 0;
  bool is_broken_ = false;
};

class Writer {
 public:
  explicit Writer(std::span<uint8_t> room) : room_(room) {}

  void u8(uint8_t value) {
    if (uint8_t* to = take(1)) *to = value;
  }
  void u16(uint16_t value) {
    if (take(2)) put16(room_, size_ - 2, value);
  }
  void u32(uint32_t value) {
    if (take(4)) put32(room_, size_ - 4, value);
  }
  void bytes(Bytes bytes) {
    if (bytes.empty()) return;
    if (uint8_t* to = take(bytes.size())) std::memcpy(to, bytes.data(), bytes.size());
  }
  void header(const Header& header);
  // An OPT record with at most one extended error.
  void opt(uint16_t udp_bytes, uint16_t rcode, bool wants_dnssec, Ede error = Ede::none);

  size_t size() const { return size_; }
  bool is_full() const { return is_full_; }  // something did not fit
  std::span<uint8_t> written() const { return room_.first(size_); }

 private:
  uint8_t* take(size_t count) {
    if (is_full_ || room_.size() - size_ < count) {
      is_full_ = true;
      return nullptr;
    }
    size_ += count;
    return room_.data() + size_ - count;
  }

  std::span<uint8_t> room_;
  size_t size_ = 0;
  bool is_full_ = false;
};

}  // namespace postern::dns
