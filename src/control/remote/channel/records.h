// SPDX-License-Identifier: BSD-3-Clause
// Records: messages cut into sealed pieces of few sizes, one direction of a connection each.
//
//   record   size class (1 octet), sealed octets (17 more than the class holds)
//   inside   length (2, big-endian), that many octets of a message, zeros up to the class
//
// XChaCha20-Poly1305 secretstream of libsodium; the size class is authenticated as well. The tag
// says what the piece is: one of several (MESSAGE), the last of its message (PUSH), the end of this
// direction (FINAL), without which the connection was cut. Order, number and completeness of the
// records are the stream's; whatever does not fit breaks it for good.
// Bounds: kPieceMax octets a record; the receiver's limit for a message. Pure; thread: any.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/remote/channel/keys.h"

namespace postern::remote {

using Buffer = std::vector<uint8_t>;
using StreamKey = Secret<32>;

constexpr std::array<size_t, 4> kSizeClasses = {256, 1024, 4096, 16384};
constexpr size_t kPieceHead = 2;
constexpr size_t kPieceMax = kSizeClasses.back() - kPieceHead;
constexpr size_t kStreamHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr size_t kSealing = crypto_secretstream_xchacha20poly1305_ABYTES;

// Of the direction in which we send.
class Sealer {
 public:
  explicit Sealer(const StreamKey& key);
  ~Sealer();
  Sealer(Sealer&&) = default;
  Sealer& operator=(Sealer&&) = default;

  const std::array<uint8_t, kStreamHeader>& header() const { return header_; }
  // Appends the records of a part of a message to `out`; `is_last` ends the message. Records are of
  // `least_class` or more.
  void seal(std::string_view part, bool is_last, Buffer& out, size_t least_class = 0);
  // Appends the last record of the direction; nothing may follow.
  void seal_end(Buffer& out);

 private:
  void add(std::string_view piece, uint8_t tag, size_t least_class, Buffer& out);
  crypto_secretstream_xchacha20poly1305_state state_ = {};
  std::array<uint8_t, kStreamHeader> header_ = {};
};

// Of the direction in which we receive.
class Opener {
 public:
  enum class Step {
    more,     // take() the next wanted() octets
    message,  // text() is whole
    ended,    // the other side has said so; nothing more comes
    broken,   // forged, out of order or too large: the connection is of no further use
  };
  struct Limits {
    size_t message_max = 0;  // octets
    bool in_pieces = true;   // else a message is one record
    size_t largest_class = kSizeClasses.size() - 1;
  };
  Opener(const StreamKey& key, const Limits& limits);
  ~Opener();
  Opener(Opener&&) = default;
  Opener& operator=(Opener&&) = default;

  // Between messages.
  void set_limits(const Limits& limits) { limits_ = limits; }
  // How many octets take() needs next.
  size_t wanted() const { return wanted_; }
  Step take(Bytes octets);
  // Valid after `message` until the next take().
  std::string& text() { return text_; }

 private:
  Step open(Bytes sealed);
  bool fits(size_t length, uint8_t tag) const;
  Step break_off();

  enum class Awaits : uint8_t { header, size_class, record, nothing };
  crypto_secretstream_xchacha20poly1305_state state_ = {};
  StreamKey key_;  // until the header is there
  Awaits awaits_ = Awaits::header;
  bool is_whole_ = false;
  uint8_t size_class_ = 0;
  size_t wanted_ = kStreamHeader;
  Limits limits_;
  std::string text_;
};

}  // namespace postern::remote
