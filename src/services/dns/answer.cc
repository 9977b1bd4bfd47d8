// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/answer.h"

#include <algorithm>
#include <array>

namespace postern::dns {
namespace {

// Which names stand in the data of a record and may be compressed (RFC 3597 section 4): after
// `before` octets come `names` of them.
struct DataShape {
  uint16_t type;
  uint8_t before;
  uint8_t names;
  uint8_t after;
};
constexpr DataShape kShapes[] = {
    {type::ns, 0, 1, 0},   {type::cname, 0, 1, 0}, {type::ptr, 0, 1, 0}, {type::dname, 0, 1, 0},
    {type::soa, 0, 2, 20}, {type::mx, 2, 1, 0},    {type::srv, 6, 1, 0}};

const DataShape* shape_of(uint16_t type) {
  for (const DataShape& shape : kShapes) {
    if (shape.type == type) return &shape;
  }
  return nullptr;
}

bool is_data_sound(Bytes from, const Record& record) {
  if (record.type == type::a) return record.data_bytes() == 4;
  if (record.type == type::aaaa) return record.data_bytes() == 16;
  const DataShape* shape = shape_of(record.type);
  if (!shape) return true;
  size_t at = record.data + shape->before;
  Name name;
  for (unsigned i = 0; i < shape->names; ++i) {
    auto end = at < record.end ? read_name(from, at, name) : std::nullopt;
    if (!end) return false;
    at = *end;
  }
  return at + shape->after == record.end;
}

bool is_dnssec(uint16_t type) {
  return type == type::rrsig || type == type::nsec || type == type::nsec3;
}

// The names that the answer is about: the question, then where aliases lead.
class Chain {
 public:
  explicit Chain(const Name& first) : count_(1) { names_[0] = first; }
  bool has(const Name& name) const {
    return std::any_of(names_.begin(), names_.begin() + count_,
                       [&](const Name& one) { return one == name; });
  }
  bool is_below(const Name& zone) const {
    return std::any_of(names_.begin(), names_.begin() + count_,
                       [&](const Name& one) { return is_within(one.key(), zone.key()); });
  }
  bool add(const Name& name) {
    if (has(name)) return true;
    if (count_ == kChainMax) return false;
    names_[count_++] = name;
    return true;
  }
  size_t size() const { return count_; }

 private:
  std::array<Name, kChainMax> names_;
  size_t count_;
};

class Taking {
 public:
  Taking(Bytes from, const Question& question, Answer& answer)
      : from_(from),
        question_(question),
        answer_(answer),
        chain_(question.name),
        records_at_(kHeaderBytes + question.name.size() + 4) {}

  bool run();

 private:
  bool follow_aliases();
  bool is_kept(const Record& record, const Name& owner);
  void note(const Record& record);
  void begin(const Header& from);
  bool write();
  void write_record(const Record& record, const Name& owner);
  void write_owner(const Name& owner);
  void note_written(size_t at);
  void add(Bytes bytes);
  void settle();

  Bytes from_;
  const Question& question_;
  Answer& answer_;
  Chain chain_;
  size_t records_at_;
  std::array<uint16_t, kChainMax> written_;  // where names stand in full
  size_t written_count_ = 0;
  uint16_t kept_[2] = {0, 0};
  bool has_data_ = false;  // a record of the type that was asked
  uint32_t least_ttl_ = UINT32_MAX;
  std::optional<uint32_t> negative_ttl_;
};

uint32_t ttl_of(const Record& record) {
  return record.ttl >> 31 != 0 ? 0 : record.ttl;  // RFC 2181 section 8
}

// Aliases may stand in any order, so the records are gone through until none adds a name.
bool Taking::follow_aliases() {
  for (size_t before = 0; before != chain_.size();) {
    before = chain_.size();
    RecordWalk walk(from_, records_at_);
    Record record;
    Name owner;
    Name target;
    while (walk.next(record)) {
      if (record.section != MessageSection::answer) break;
      if (record.type != type::cname || record.klass != kClassIn) continue;
      if (!read_name(from_, record.owner, owner)) return false;
      owner.make_lower();
      if (!chain_.has(owner)) continue;
      if (!read_name(from_, record.data, target)) return false;
      target.make_lower();
      if (!chain_.add(target)) return false;
    }
    if (question_.type == type::cname || question_.type == type::any) break;
  }
  return true;
}

bool Taking::is_kept(const Record& record, const Name& owner) {
  if (record.klass != kClassIn || record.type == type::opt) return false;
  if (is_dnssec(record.type) && !question_.wants_dnssec && record.type != question_.type) {
    return false;
  }
  if (record.section == MessageSection::answer) {
    bool is_ours = chain_.has(owner);
    bool leads_on = record.type == type::dname || record.type == type::rrsig;
    if (!is_ours && !(leads_on && chain_.is_below(owner))) {
      ++answer_.dropped;
      return false;
    }
    return true;
  }
  if (record.section != MessageSection::authority) return false;
  if (record.type == type::soa) return chain_.is_below(owner);
  // What proves a denial is signed, and says nothing without that.
  return question_.wants_dnssec && (is_dnssec(record.type) || record.type == type::ds);
}

void Taking::note(const Record& record) {
  auto section = static_cast<size_t>(record.section);
  ++kept_[section];
  least_ttl_ = std::min(least_ttl_, ttl_of(record));
  if (record.section == MessageSection::answer) {
    has_data_ |= record.type == question_.type || question_.type == type::any;
    Bytes data = from_.subspan(record.data, record.data_bytes());
    answer_.leads_inside |= is_inside_address(record.type, data);
  } else if (record.type == type::soa) {
    // RFC 2308 section 5: the lesser of the TTL of the SOA and of its last field.
    negative_ttl_ = std::min(ttl_of(record), get32(from_, record.end - 4));
  }
}

void Taking::begin(const Header& from) {
  answer_.message.clear();
  answer_.ttl_at.clear();
  answer_.rcode = from.rcode();
  answer_.ttl_s = 0;
  answer_.is_negative = answer_.is_bounded = answer_.leads_inside = answer_.is_failure = false;
  answer_.dropped = 0;
}

void Taking::add(Bytes bytes) {
  answer_.message.insert(answer_.message.end(), bytes.begin(), bytes.end());
}

// In full, or as a pointer to the end of the question or to a name that was written in full.
void Taking::write_owner(const Name& owner) {
  std::vector<uint8_t>& out = answer_.message;
  auto point_to = [this](size_t at) {
    uint8_t pointer[2];
    put16(pointer, 0, static_cast<uint16_t>(0xC000 | at));
    add(pointer);
  };
  if (is_within(question_.name.key(), owner.key())) {
    return point_to(kHeaderBytes + question_.name.size() - owner.size());
  }
  for (size_t i = 0; i < written_count_; ++i) {
    size_t at = written_[i];
    if (out.size() - at >= owner.size() &&
        std::memcmp(&out[at], owner.wire().data(), owner.size()) == 0) {
      return point_to(at);
    }
  }
  note_written(out.size());
  add(owner.wire());
}

void Taking::note_written(size_t at) {
  constexpr size_t kPointerMax = 0x3FFF;
  if (written_count_ < written_.size() && at <= kPointerMax) {
    written_[written_count_++] = static_cast<uint16_t>(at);
  }
}

void Taking::write_record(const Record& record, const Name& owner) {
  std::vector<uint8_t>& out = answer_.message;
  write_owner(owner);
  answer_.ttl_at.push_back(static_cast<uint16_t>(out.size() + 4));
  add(from_.subspan(record.fixed, 10));
  size_t data = out.size();
  size_t at = record.data;
  if (const DataShape* shape = shape_of(record.type)) {
    add(from_.subspan(at, shape->before));
    at += shape->before;
    Name name;
    for (unsigned i = 0; i < shape->names; ++i) {
      at = read_name(from_, at, name).value_or(record.end);
      if (record.type == type::cname) note_written(out.size());
      add(name.wire());
    }
  }
  add(from_.subspan(at, record.end - at));
  put16(out, data - 2, static_cast<uint16_t>(out.size() - data));
}

// Nothing of the message stays as it lies: a pointer may lead to any place of it, to a TTL even,
// and would lead to something else once that has changed.
bool Taking::write() {
  add(from_.first(records_at_));
  RecordWalk walk(from_, records_at_);
  Record record;
  Name owner;
  while (walk.next(record)) {
    if (!read_name(from_, record.owner, owner)) return false;
    owner.make_lower();
    if (record.type == type::opt && record.section == MessageSection::additional) {
      answer_.rcode |= static_cast<uint16_t>(record.ttl >> 24 << 4);
    }
    if (!is_kept(record, owner)) continue;
    if (!is_data_sound(from_, record)) return false;
    note(record);
    write_record(record, owner);
    if (answer_.message.size() > kMessageBytesMax) return false;
  }
  return !walk.is_broken();
}

// Header, question and TTLs as they are kept.
void Taking::settle() {
  std::vector<uint8_t>& out = answer_.message;
  put16(out, 0, 0);
  put16(out, 2, static_cast<uint16_t>(flag::qr | flag::ra | (answer_.rcode & flag::rcode)));
  put16(out, 4, 1);
  put16(out, 6, kept_[0]);
  put16(out, 8, kept_[1]);
  put16(out, 10, 0);
  std::copy(question_.name.wire().begin(), question_.name.wire().end(), out.begin() + kHeaderBytes);
  answer_.is_negative = answer_.rcode == rcode::name_error || !has_data_;
  answer_.is_bounded = !answer_.is_negative || negative_ttl_.has_value();
  if (answer_.is_negative && negative_ttl_) {
    answer_.ttl_s = std::min(least_ttl_, *negative_ttl_);
  } else {
    answer_.ttl_s = kept_[0] + kept_[1] > 0 ? least_ttl_ : 0;
  }
  for (uint16_t at : answer_.ttl_at) {
    uint32_t ttl = get32(out, at) >> 31 != 0 ? 0 : get32(out, at);
    put32(out, at, answer_.is_negative ? std::min(ttl, answer_.ttl_s) : ttl);
  }
}

bool Taking::run() {
  if (from_.size() < records_at_) return false;
  begin(read_header(from_));
  if (!follow_aliases() || !write()) return false;
  settle();
  return true;
}

bool is_inside_v4(uint32_t number) {
  constexpr Prefix kInside[] = {{Ipv4Address(0, 0, 0, 0), 8},      {Ipv4Address(10, 0, 0, 0), 8},
                                {Ipv4Address(100, 64, 0, 0), 10},  {Ipv4Address(127, 0, 0, 0), 8},
                                {Ipv4Address(169, 254, 0, 0), 16}, {Ipv4Address(172, 16, 0, 0), 12},
                                {Ipv4Address(192, 168, 0, 0), 16}};
  return std::any_of(std::begin(kInside), std::end(kInside),
                     [number](const Prefix& p) { return p.contains(Ipv4Address(number)); });
}

// The address hints of an SVCB or HTTPS record, which clients connect to as to addresses (RFC 9460
// section 7.3). What cannot be read counts as inside: some client may read it.
bool has_inside_hint(Bytes data) {
  constexpr uint16_t kIpv4Hint = 4;
  constexpr uint16_t kIpv6Hint = 6;
  Name target;
  auto end = data.size() > 2 ? read_name(data, 2, target) : std::nullopt;
  if (!end || *end != 2 + target.size()) return true;
  for (size_t at = *end; at < data.size();) {
    if (data.size() - at < 4) return true;
    uint16_t key = get16(data, at);
    size_t length = get16(data, at + 2);
    at += 4;
    if (data.size() - at < length) return true;
    size_t each = key == kIpv4Hint ? 4 : key == kIpv6Hint ? 16 : 0;
    if (each != 0 && (length == 0 || length % each != 0)) return true;
    for (size_t i = 0; each != 0 && i < length; i += each) {
      uint16_t kind = each == 4 ? type::a : type::aaaa;
      if (is_inside_address(kind, data.subspan(at + i, each))) return true;
    }
    at += length;
  }
  return false;
}

}  // namespace

bool is_inside_address(uint16_t type, Bytes data) {
  if (type == type::svcb || type == type::https) return has_inside_hint(data);
  if (type == type::a && data.size() == 4) return is_inside_v4(get32(data, 0));
  if (type != type::aaaa || data.size() != 16) return false;
  if ((data[0] & 0xFE) == 0xFC) return true;                     // fc00::/7
  if (data[0] == 0xFE && (data[1] & 0xC0) == 0x80) return true;  // fe80::/10
  if (get32(data, 0) != 0 || get32(data, 4) != 0 || get16(data, 8) != 0) return false;
  if (get16(data, 10) == 0xFFFF) return is_inside_v4(get32(data, 12));  // ::ffff:0:0/96
  return get16(data, 10) == 0 && get32(data, 12) <= 1;                  // :: and ::1
}

void make_failure(const Question& question, uint32_t ttl_s, Answer& answer) {
  answer = {};
  answer.rcode = rcode::server_failure;
  answer.ttl_s = ttl_s;
  answer.is_failure = answer.is_negative = answer.is_bounded = true;
  answer.message.resize(kHeaderBytes + question.name.size() + 4);
  Writer writer(answer.message);
  writer.header({0, flag::qr | flag::ra | rcode::server_failure, 1, 0, 0, 0});
  writer.bytes(question.name.wire());
  writer.u16(question.type);
  writer.u16(kClassIn);
}

bool take_answer(Bytes from, const Question& question, Answer& answer) {
  return Taking(from, question, answer).run();
}

}  // namespace postern::dns
