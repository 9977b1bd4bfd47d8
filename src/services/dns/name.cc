// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/name.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace postern::dns {
namespace {

constexpr uint8_t kPointerBits = 0xC0;
constexpr unsigned kPointersMax = 128;  // a name has 127 labels at most

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Name::Name(Bytes wire) : size_(static_cast<uint8_t>(wire.size())) {
  POSTERN_DCHECK(!wire.empty() && wire.size() <= kNameBytesMax);
  std::memcpy(bytes_.data(), wire.data(), wire.size());
}

// Lengths are below 64 and so no letters: the whole may be gone over as one.
void Name::make_lower() {
  for (size_t i = 0; i < size_; ++i)
    bytes_[i] = lower(bytes_[i]);
}

bool Name::append(Bytes label) {
  if (label.empty() || label.size() > kLabelBytesMax) return false;
  if (size_ + label.size() + 1 > kNameBytesMax) return false;
  bytes_[size_ - 1u] = static_cast<uint8_t>(label.size());
  std::memcpy(&bytes_[size_], label.data(), label.size());
  size_ = static_cast<uint8_t>(size_ + label.size() + 1);
  bytes_[size_ - 1u] = 0;
  return true;
}

bool Name::append(const Name& other) {
  if (size_ - 1u + other.size_ > kNameBytesMax) return false;
  std::memcpy(&bytes_[size_ - 1u], other.bytes_.data(), other.size_);
  size_ = static_cast<uint8_t>(size_ - 1u + other.size_);
  return true;
}

std::string_view parent_of(std::string_view key) {
  auto length = static_cast<uint8_t>(key[0]);
  return length == 0 ? key : key.substr(length + 1u);
}

size_t count_labels(std::string_view key) {
  size_t count = 0;
  for (; key[0] != 0; key = parent_of(key))
    ++count;
  return count;
}

bool is_within(std::string_view key, std::string_view zone) {
  while (key.size() > zone.size())
    key = parent_of(key);
  return key == zone;
}

bool is_same_name(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](uint8_t x, uint8_t y) { return lower(x) == lower(y); });
}

std::optional<size_t> read_name(Bytes message, size_t at, Name& name) {
  name = Name();
  std::optional<size_t> end;  // behind the first pointer
  size_t before = at;         // a pointer leads to in front of all that was read so far
  unsigned pointers = 0;
  while (at < message.size()) {
    uint8_t length = message[at];
    if (length == 0) return end ? end : at + 1;
    if ((length & kPointerBits) == kPointerBits) {
      if (at + 1 >= message.size()) return std::nullopt;
      size_t to = static_cast<size_t>(length & ~kPointerBits) << 8 | message[at + 1];
      if (to >= before || ++pointers > kPointersMax) return std::nullopt;
      if (!end) end = at + 2;
      before = to;
      at = to;
      continue;
    }
    // 01 and 10 are no labels of ours (RFC 6891 section 5).
    if ((length & kPointerBits) != 0 || at + 1 + length > message.size()) return std::nullopt;
    if (!name.append(message.subspan(at + 1, length))) return std::nullopt;
    at += 1u + length;
  }
  return std::nullopt;
}

std::optional<size_t> skip_name(Bytes message, size_t at) {
  size_t start = at;
  while (at < message.size()) {
    uint8_t length = message[at];
    if (length == 0) {
      if (at + 1 - start > kNameBytesMax) return std::nullopt;
      return at + 1;
    }
    if ((length & kPointerBits) == kPointerBits) {
      if (at + 1 >= message.size()) return std::nullopt;
      return at + 2;
    }
    if ((length & kPointerBits) != 0) return std::nullopt;
    at += 1u + length;
  }
  return std::nullopt;
}

std::optional<Name> parse_name(std::string_view text) {
  Name name;
  if (text == ".") return name;
  if (text.ends_with('.')) text.remove_suffix(1);
  do {
    size_t dot = std::min(text.find('.'), text.size());
    std::string_view label = text.substr(0, dot);
    if (!std::all_of(label.begin(), label.end(), is_plain)) return std::nullopt;
    if (!name.append(bytes_of(label))) return std::nullopt;
    if (dot + 1 == text.size()) return std::nullopt;  // two dots at the end
    text.remove_prefix(std::min(dot + 1, text.size()));
  } while (!text.empty());
  name.make_lower();
  return name;
}

std::string to_text(const Name& name) {
  if (name.is_root()) return ".";
  std::string text;
  for (std::string_view key = name.key(); key[0] != 0; key = parent_of(key)) {
    if (!text.empty()) text += '.';
    for (char c : key.substr(1, static_cast<uint8_t>(key[0]))) {
      if (is_plain(c)) {
        text += c;
        continue;
      }
      auto octet = static_cast<uint8_t>(c);
      text += '\\';
      for (unsigned unit : {100u, 10u, 1u})
        text += static_cast<char>('0' + octet / unit % 10);
    }
  }
  return text;
}

Name reverse_zone(const Prefix& prefix) {
  Name name;
  for (unsigned octets = prefix.length / 8; octets > 0; --octets) {
    unsigned octet = prefix.address.number >> (32 - 8 * octets) & 0xFF;
    name.append(bytes_of(std::to_string(octet)));
  }
  name.append(bytes_of("in-addr"));
  name.append(bytes_of("arpa"));
  return name;
}

std::optional<Ipv4Address> address_of_reverse(const Name& name) {
  constexpr std::string_view kZone("\7in-addr\4arpa\0", 14);
  std::string_view key = name.key();
  if (!key.ends_with(kZone)) return std::nullopt;
  uint32_t number = 0;
  for (unsigned place = 0; place < 4; ++place, key = parent_of(key)) {
    auto length = static_cast<uint8_t>(key[0]);
    if (length == 0 || length > 3) return std::nullopt;
    unsigned octet = 0;
    for (char c : key.substr(1, length)) {
      if (c < '0' || c > '9') return std::nullopt;
      octet = octet * 10 + static_cast<unsigned>(c - '0');
    }
    if (octet > 255 || (length > 1 && key[1] == '0')) return std::nullopt;
    number |= octet << (8 * place);
  }
  if (key != kZone) return std::nullopt;
  return Ipv4Address(number);
}

}  // namespace postern::dns
