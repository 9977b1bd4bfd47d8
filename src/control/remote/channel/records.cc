// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/channel/records.h"

#include <algorithm>

#include "base/assert.h"

namespace postern::remote {
namespace {

constexpr uint8_t kTagPart = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
constexpr uint8_t kTagLast = crypto_secretstream_xchacha20poly1305_TAG_PUSH;
constexpr uint8_t kTagEnd = crypto_secretstream_xchacha20poly1305_TAG_FINAL;

size_t class_for(size_t octets, size_t least_class) {
  size_t found = least_class;
  while (kSizeClasses[found] < octets)
    ++found;
  return found;
}

void copy(StreamKey& to, const StreamKey& from) {
  std::copy_n(from.data(), from.size(), to.data());
}

}  // namespace

Sealer::Sealer(const StreamKey& key) {
  crypto_secretstream_xchacha20poly1305_init_push(&state_, header_.data(), key.data());
}

Sealer::~Sealer() {
  sodium_memzero(&state_, sizeof state_);
}

void Sealer::seal(std::string_view part, bool is_last, Buffer& out, size_t least_class) {
  while (part.size() > kPieceMax) {
    add(part.substr(0, kPieceMax), kTagPart, least_class, out);
    part.remove_prefix(kPieceMax);
  }
  add(part, is_last ? kTagLast : kTagPart, least_class, out);
}

void Sealer::seal_end(Buffer& out) {
  add({}, kTagEnd, 0, out);
}

void Sealer::add(std::string_view piece, uint8_t tag, size_t least_class, Buffer& out) {
  const size_t number = class_for(piece.size() + kPieceHead, least_class);
  const size_t size = kSizeClasses[number];
  Buffer plain(size);
  plain[0] = static_cast<uint8_t>(piece.size() >> 8);
  plain[1] = static_cast<uint8_t>(piece.size());
  std::copy(piece.begin(), piece.end(), plain.begin() + kPieceHead);
  const auto name = static_cast<uint8_t>(number);
  const size_t at = out.size() + 1;
  out.push_back(name);
  out.resize(at + size + kSealing);
  crypto_secretstream_xchacha20poly1305_push(&state_, out.data() + at, nullptr, plain.data(), size,
                                             &name, 1, tag);
  sodium_memzero(plain.data(), plain.size());
}

Opener::Opener(const StreamKey& key, const Limits& limits) : limits_(limits) {
  copy(key_, key);
}

Opener::~Opener() {
  sodium_memzero(&state_, sizeof state_);
  wipe(text_);
}

Opener::Step Opener::take(Bytes octets) {
  if (awaits_ == Awaits::nothing || octets.size() != wanted_) return break_off();
  if (is_whole_) wipe(text_);
  is_whole_ = false;
  switch (awaits_) {
    case Awaits::header:
      crypto_secretstream_xchacha20poly1305_init_pull(&state_, octets.data(), key_.data());
      key_ = StreamKey();
      break;
    case Awaits::size_class:
      if (octets[0] > limits_.largest_class) return break_off();
      size_class_ = octets[0];
      awaits_ = Awaits::record;
      wanted_ = kSizeClasses[size_class_] + kSealing;
      return Step::more;
    case Awaits::record:
      return open(octets);
    case Awaits::nothing:
      break;
  }
  awaits_ = Awaits::size_class;
  wanted_ = 1;
  return Step::more;
}

Opener::Step Opener::open(Bytes sealed) {
  Buffer plain(kSizeClasses[size_class_]);
  uint8_t tag = 0;
  if (crypto_secretstream_xchacha20poly1305_pull(&state_, plain.data(), nullptr, &tag,
                                                 sealed.data(), sealed.size(), &size_class_,
                                                 1) != 0) {
    return break_off();
  }
  const size_t length = size_t{plain[0]} << 8 | plain[1];
  const bool is_sound = length + kPieceHead <= plain.size() && fits(length, tag);
  if (is_sound) text_.append(reinterpret_cast<const char*>(plain.data()) + kPieceHead, length);
  sodium_memzero(plain.data(), plain.size());
  if (!is_sound) return break_off();
  const bool is_end = tag == kTagEnd;
  awaits_ = is_end ? Awaits::nothing : Awaits::size_class;
  wanted_ = is_end ? 0 : 1;
  is_whole_ = tag == kTagLast;
  if (is_end) return Step::ended;
  return is_whole_ ? Step::message : Step::more;
}

bool Opener::fits(size_t length, uint8_t tag) const {
  if (tag == kTagEnd) return length == 0 && text_.empty();
  const bool is_known = tag == kTagLast || (tag == kTagPart && limits_.in_pieces);
  return is_known && length <= limits_.message_max && text_.size() <= limits_.message_max - length;
}

Opener::Step Opener::break_off() {
  awaits_ = Awaits::nothing;
  wanted_ = 0;
  wipe(text_);
  return Step::broken;
}

}  // namespace postern::remote
