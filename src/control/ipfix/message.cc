// SPDX-License-Identifier: BSD-3-Clause
#include "control/ipfix/message.h"

#include <algorithm>

namespace postern::ipfix {
namespace {

constexpr uint64_t kVersion = 10;
constexpr size_t kHeader = 16, kSetHeader = 4;
constexpr uint16_t kTemplateSet = 2, kOptionsTemplateSet = 3;
constexpr uint16_t kEnterpriseBit = 0x8000;
constexpr size_t kNameMax = 254;  // its length is one octet (RFC 7011 section 7)

}  // namespace

void Message::begin(size_t octets_max) {
  max_ = std::min(octets_max, kMax);
  octets_.assign(kHeader, '\0');
  set_at_ = 0;
  set_ = 0;
  records_ = 0;
}

bool Message::is_empty() const {
  return octets_.size() <= kHeader;
}

bool Message::add(const Template& wanted) {
  const bool is_options = wanted.scopes != 0;
  size_t length = is_options ? 6 : 4;
  for (const Field& field : wanted.fields)
    length += field.enterprise != 0 ? 8 : 4;
  if (!make_room(is_options ? kOptionsTemplateSet : kTemplateSet, length)) return false;
  put(wanted.id, 2);
  put(wanted.fields.size(), 2);
  if (is_options) put(wanted.scopes, 2);
  for (const Field& field : wanted.fields) {
    put(field.enterprise != 0 ? field.element | kEnterpriseBit : field.element, 2);
    put(field.length, 2);
    if (field.enterprise != 0) put(field.enterprise, 4);
  }
  return true;
}

bool Message::add(const FlowRecord& record, int64_t offset_ns, const Limits& limits) {
  const Template& by = template_of(record);
  if (!make_room(by.id, by.record_length)) return false;
  for (const Field& field : by.fields)
    put(value_of(field.value, record, offset_ns, limits), field.length);
  ++records_;
  return true;
}

bool Message::add(const Loss& loss) {
  const Template& by = loss_template();
  if (!make_room(by.id, by.record_length)) return false;
  for (const Field& field : by.fields)
    put(value_of(field.value, loss), field.length);
  ++records_;
  return true;
}

bool Message::add_interface(uint32_t number, std::string_view name) {
  const Template& by = interface_template();
  name = name.substr(0, kNameMax);
  if (!make_room(by.id, by.record_length + 1 + name.size())) return false;
  put(number, by.fields[0].length);
  put(name.size(), 1);
  octets_ += name;
  ++records_;
  return true;
}

std::string_view Message::finish(const Header& header) {
  close_set();
  put_at(0, kVersion, 2);
  put_at(2, octets_.size(), 2);
  put_at(4, header.exported_s, 4);
  put_at(8, header.sequence, 4);
  put_at(12, header.domain, 4);
  return octets_;
}

// Opens the set, unless it is the one that is open.
bool Message::make_room(uint16_t set, size_t octets) {
  const bool is_open = set_at_ != 0 && set_ == set;
  if (octets_.size() + octets + (is_open ? 0 : kSetHeader) > max_) return false;
  if (is_open) return true;
  close_set();
  set_at_ = octets_.size();
  set_ = set;
  put(set, 2);
  put(0, 2);
  return true;
}

void Message::close_set() {
  if (set_at_ != 0) put_at(set_at_ + 2, octets_.size() - set_at_, 2);
  set_at_ = 0;
}

void Message::put(uint64_t value, size_t octets) {
  const size_t at = octets_.size();
  octets_.resize(at + octets);
  put_at(at, value, octets);
}

// In network order.
void Message::put_at(size_t at, uint64_t value, size_t octets) {
  for (size_t i = octets; i-- > 0; value >>= 8)
    octets_[at + i] = static_cast<char>(value & 0xFF);
}

}  // namespace postern::ipfix
