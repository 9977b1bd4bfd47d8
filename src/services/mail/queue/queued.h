// SPDX-License-Identifier: BSD-3-Clause
// QueuedMessage: a message that somebody here has answered for (RFC 5321 section 6.1), until each
// of its recipients has it or its sender knows that they have not. Plain values; thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/mail/message/envelope.h"

namespace postern::mail {

constexpr size_t kSaidMax = 512;  // octets kept of an answer

enum class RecipientState : uint8_t {
  waiting = 1,    // to be tried at next_s
  delivered = 2,  // somebody else answers for it now, or it is in the mailbox
  failed = 3,     // for good
  expanded = 4,   // others of the message's recipients stand for it
};

// Who keeps a message from going, until somebody lets it. The greater one stays.
enum class HeldBy : uint8_t {
  nobody = 0,
  scanner = 1,  // or the want of one
  administrator = 2,
};

// How far a recipient is; that of the same place in Envelope::recipients.
struct Progress {
  RecipientState state = RecipientState::waiting;
  bool is_owed = false;        // the sender is still to be told of it
  bool was_told_late = false;  // the sender knows that it takes long (RFC 3461, DELAY)
  uint32_t attempts = 0;
  int64_t next_s = 0;  // since 1970, UTC; 0: at once
  std::string said;    // the last answer: "450 4.2.1 The mailbox is busy"; at most kSaidMax
  friend bool operator==(const Progress&, const Progress&) = default;
};

struct QueuedMessage {
  uint64_t number = 0;  // from 1; none is used twice
  Envelope envelope;
  std::vector<Progress> progress;
  int64_t arrived_s = 0;  // since 1970, UTC
  uint64_t octets = 0;    // of the text, with its Received line
  HeldBy held_by = HeldBy::nobody;
  bool is_unscanned = false;  // no scanner has seen it yet, and one has to: it does not go
  std::string front;          // lines with CRLF that we, or a scanner, put before the text
  bool is_held() const { return held_by != HeldBy::nobody; }
};

// What logs, replies and administrators call it: "4K7QX2", and back; 0: not an id.
std::string to_queue_id(uint64_t number);
uint64_t parse_queue_id(std::string_view id);

}  // namespace postern::mail
