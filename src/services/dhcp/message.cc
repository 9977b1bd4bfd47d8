// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/message.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "services/dhcp/octets.h"

namespace postern::dhcp {
namespace {

constexpr size_t kServerNameAt = 44;
constexpr size_t kServerNameBytes = 64;
constexpr size_t kFileAt = 108;
constexpr size_t kFileBytes = 128;
constexpr size_t kMagicBytes = 4;
constexpr size_t kOptionsAt = kHeaderBytes + kMagicBytes;
constexpr uint8_t kMagic[kMagicBytes] = {99, 130, 83, 99};
constexpr uint8_t kOverloadFile = 1;
constexpr uint8_t kOverloadName = 2;
constexpr size_t kPieceMax = 255;  // bytes of one option on the wire

std::string_view text_of(const uint8_t* at, size_t size) {
  const auto* chars = reinterpret_cast<const char*>(at);
  return {chars, strnlen(chars, size)};
}

// One of the fields that options are written to. The last byte is kept for the end option.
class OptionField {
 public:
  explicit OptionField(std::span<uint8_t> room) : room_(room) {}

  bool fits(size_t value_bytes) const {
    size_t pieces = std::max<size_t>(1, (value_bytes + kPieceMax - 1) / kPieceMax);
    return used_ + value_bytes + 2 * pieces + 1 <= room_.size();
  }
  void put(const OptionView& view) {
    std::span<const uint8_t> left = view.value;
    do {
      size_t piece = std::min(left.size(), kPieceMax);
      room_[used_++] = view.code;
      room_[used_++] = static_cast<uint8_t>(piece);
      std::copy_n(left.begin(), piece, room_.begin() + static_cast<ptrdiff_t>(used_));
      used_ += piece;
      left = left.subspan(piece);
    } while (!left.empty());
  }
  size_t used() const { return used_; }
  void end() { room_[used_++] = option::end; }

 private:
  std::span<uint8_t> room_;
  size_t used_ = 0;
};

void write_header(const Header& header, uint8_t* out) {
  out[0] = header.op;
  out[1] = header.htype;
  out[2] = header.hlen;
  out[3] = header.hops;
  store32(out + 4, header.xid);
  store16(out + 8, header.secs);
  store16(out + 10, header.flags);
  store32(out + 12, header.ciaddr.number);
  store32(out + 16, header.yiaddr.number);
  store32(out + 20, header.siaddr.number);
  store32(out + 24, header.giaddr.number);
  std::copy(header.chaddr.begin(), header.chaddr.end(), out + 28);
}

size_t cut_copy(std::string_view text, uint8_t* out, size_t room) {
  size_t length = std::min(text.size(), room - 1);
  std::copy_n(text.begin(), length, out);
  return length;
}

size_t wire_bytes(const OptionView& view) {
  return view.value.size() + 2 * std::max<size_t>(1, (view.value.size() + 254) / kPieceMax);
}

}  // namespace

const char* to_word(MessageFault fault) {
  switch (fault) {
    case MessageFault::none:
      return "none";
    case MessageFault::too_short:
      return "too_short";
    case MessageFault::too_long:
      return "too_long";
    case MessageFault::not_bootp:
      return "not_bootp";
    case MessageFault::hardware_address:
      return "hardware_address";
    case MessageFault::truncated_option:
      return "truncated_option";
    case MessageFault::bad_overload:
      return "bad_overload";
    case MessageFault::bad_type:
      return "bad_type";
  }
  return "?";
}

MacAddress Header::mac() const {
  MacAddress mac;
  std::copy_n(chaddr.begin(), mac.bytes.size(), mac.bytes.begin());
  return mac;
}

MessageFault Message::read(std::span<const uint8_t> bytes) {
  entries_.clear();
  overload_ = 0;
  type = MessageType::none;
  if (bytes.size() < kHeaderBytes) return MessageFault::too_short;
  if (bytes.size() > kMessageBytesMax) return MessageFault::too_long;
  bytes_.assign(bytes.begin(), bytes.end());
  length_ = bytes.size();
  const uint8_t* at = bytes_.data();
  if (at[0] != kBootRequest && at[0] != kBootReply) return MessageFault::not_bootp;
  if (at[2] > header.chaddr.size()) return MessageFault::hardware_address;
  header.op = at[0];
  header.htype = at[1];
  header.hlen = at[2];
  header.hops = at[3];
  header.xid = load32(at + 4);
  header.secs = load16(at + 8);
  header.flags = load16(at + 10);
  header.ciaddr = Ipv4Address(load32(at + 12));
  header.yiaddr = Ipv4Address(load32(at + 16));
  header.siaddr = Ipv4Address(load32(at + 20));
  header.giaddr = Ipv4Address(load32(at + 24));
  std::copy_n(at + 28, header.chaddr.size(), header.chaddr.begin());
  bool has_magic = bytes.size() >= kOptionsAt && std::equal(kMagic, kMagic + 4, at + kHeaderBytes);
  if (!has_magic) return MessageFault::none;  // BOOTP with a vendor area of another kind

  MessageFault fault = scan(bytes_, kOptionsAt, bytes_.size());
  if (fault != MessageFault::none) return fault;
  const Entry* overload = find_entry(option::overload);
  if (overload != nullptr) {
    overload_ = overload->length == 1 ? bytes_[overload->offset] : uint8_t{0};
    if (overload_ == 0 || overload_ > 3) return MessageFault::bad_overload;
  }
  if ((overload_ & kOverloadFile) != 0) fault = scan(bytes_, kFileAt, kFileAt + kFileBytes);
  if (fault != MessageFault::none) return fault;
  if ((overload_ & kOverloadName) != 0) {
    fault = scan(bytes_, kServerNameAt, kServerNameAt + kServerNameBytes);
  }
  if (fault != MessageFault::none) return fault;
  join_pieces();
  const Entry* kind = find_entry(option::message_type);
  if (kind == nullptr) return MessageFault::none;
  uint8_t value = kind->length == 1 ? bytes_[kind->offset] : uint8_t{0};
  if (value == 0 || value > kMessageTypeMax) return MessageFault::bad_type;
  type = static_cast<MessageType>(value);
  return MessageFault::none;
}

// A field ends with its end option; where that is missing, with its last byte.
MessageFault Message::scan(std::span<const uint8_t> bytes, size_t first, size_t last) {
  for (size_t at = first; at < last;) {
    uint8_t code = bytes[at++];
    if (code == option::end) break;
    if (code == option::pad) continue;
    if (at == last) return MessageFault::truncated_option;
    size_t length = bytes[at++];
    if (length > last - at) return MessageFault::truncated_option;
    entries_.push_back({code, static_cast<uint16_t>(at), static_cast<uint16_t>(length)});
    at += length;
  }
  return MessageFault::none;
}

// RFC 3396 section 7: the pieces of one code, in the order in which they stand, are one value. They
// are copied behind the message; all together are shorter than it.
void Message::join_pieces() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.code < b.code; });
  size_t kept = 0;
  for (size_t i = 0; i < entries_.size();) {
    size_t next = i + 1;
    Entry joined = entries_[i];
    while (next < entries_.size() && entries_[next].code == joined.code)
      ++next;
    if (next > i + 1) {
      const size_t start = bytes_.size();
      for (size_t piece = i; piece < next; ++piece) {
        const Entry from = entries_[piece];
        bytes_.resize(bytes_.size() + from.length);
        std::copy_n(bytes_.data() + from.offset, from.length,
                    bytes_.data() + bytes_.size() - from.length);
      }
      joined.offset = static_cast<uint16_t>(start);
      joined.length = static_cast<uint16_t>(bytes_.size() - start);
    }
    entries_[kept++] = joined;
    i = next;
  }
  entries_.resize(kept);
}

const Message::Entry* Message::find_entry(uint8_t code) const {
  for (const Entry& entry : entries_) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

std::span<const uint8_t> Message::find(uint8_t code) const {
  const Entry* entry = find_entry(code);
  if (entry == nullptr) return {};
  return std::span(bytes_).subspan(entry->offset, entry->length);
}

uint32_t Message::number32(uint8_t code, uint32_t fallback) const {
  auto value = find(code);
  return value.size() == 4 ? load32(value.data()) : fallback;
}

uint16_t Message::number16(uint8_t code, uint16_t fallback) const {
  auto value = find(code);
  return value.size() == 2 ? load16(value.data()) : fallback;
}

std::string_view Message::text(uint8_t code) const {
  auto value = find(code);
  while (!value.empty() && value.back() == 0)
    value = value.first(value.size() - 1);
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

std::string_view Message::file() const {
  if ((overload_ & kOverloadFile) != 0) return {};
  return text_of(bytes_.data() + kFileAt, kFileBytes);
}

std::string_view Message::server_name() const {
  if ((overload_ & kOverloadName) != 0) return {};
  return text_of(bytes_.data() + kServerNameAt, kServerNameBytes);
}

size_t write_message(const Outgoing& message, std::span<uint8_t> out, unsigned& left_out) {
  POSTERN_ASSERT(out.size() >= kMessageBytesMax);
  const size_t bytes_max = std::clamp(message.bytes_max, kMessageBytesSafe, kMessageBytesMax);
  std::fill_n(out.begin(), kMessageBytesMin, uint8_t{0});
  write_header(message.header, out.data());
  std::copy(kMagic, kMagic + kMagicBytes, out.begin() + kHeaderBytes);

  // Room that is kept in the options field: for option 52, and for option 82, which stands last.
  const OptionView* relay = nullptr;
  size_t kept = 3;
  for (const OptionView& view : message.options) {
    if (view.code == option::relay_agent) relay = &view;
  }
  if (relay != nullptr) kept += wire_bytes(*relay);
  if (kOptionsAt + kept + 1 > bytes_max) {
    relay = nullptr;
    kept = 3;
    ++left_out;
  }
  uint8_t overload = 0;
  OptionField main(out.subspan(kOptionsAt, bytes_max - kOptionsAt - kept));
  OptionField file(out.subspan(kFileAt, message.file.empty() ? kFileBytes : 0));
  OptionField name(out.subspan(kServerNameAt, message.server_name.empty() ? kServerNameBytes : 0));
  for (const OptionView& view : message.options) {
    if (view.code == option::relay_agent) continue;
    if (main.fits(view.value.size())) {
      main.put(view);
    } else if (message.file.empty() && file.fits(view.value.size())) {
      overload |= kOverloadFile;
      file.put(view);
    } else if (message.server_name.empty() && name.fits(view.value.size())) {
      overload |= kOverloadName;
      name.put(view);
    } else {
      ++left_out;
    }
  }
  if ((overload & kOverloadFile) != 0) file.end();
  if ((overload & kOverloadName) != 0) name.end();
  cut_copy(message.file, out.data() + kFileAt, kFileBytes);
  cut_copy(message.server_name, out.data() + kServerNameAt, kServerNameBytes);

  OptionField tail(out.subspan(kOptionsAt + main.used(), kept + 1));
  if (overload != 0) tail.put({option::overload, {&overload, 1}});
  if (relay != nullptr) tail.put(*relay);
  tail.end();
  return std::max(kMessageBytesMin, kOptionsAt + main.used() + tail.used());
}

}  // namespace postern::dhcp
