// SPDX-License-Identifier: BSD-3-Clause
// MadeUpFrame: the bytes of a made-up packet, with what parse() says of them. Pure; thread: any.
#pragma once

#include <array>

#include "base/limits.h"
#include "control/explain/packet_words.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/packet.h"
#include "dataplane/pipeline/decide.h"

namespace postern {

class MadeUpFrame {
 public:
  // As it would come in from the wire of its interface (or from the kernel), for us.
  MadeUpFrame(const MadeUpPacket& packet, const Policy& policy);
  MadeUpFrame(const MadeUpFrame&) = delete;  // the packet views the bytes
  MadeUpFrame& operator=(const MadeUpFrame&) = delete;

  DropReason reason() const { return reason_; }  // none: well formed
  const Packet& packet() const { return packet_; }
  FirstPacket first() const { return first_of(packet_, in_); }

 private:
  static constexpr size_t kBytes = 14 + 20 + 20;  // the longest of our headers
  std::array<uint8_t, kHeadroomMin + kBytes> bytes_ = {};
  Packet packet_;
  InterfaceId in_;
  DropReason reason_ = DropReason::none;
};

}  // namespace postern
