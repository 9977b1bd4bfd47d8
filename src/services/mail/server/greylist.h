// SPDX-License-Identifier: BSD-3-Clause
// Greylist: strangers come again after a while, senders of junk mostly do not (RFC 6647).
//
//   first time -> wait; again after `wait` -> it passes, and those like it for `memory`
//
// Counted by the client's /24, as large senders try from several hosts; by the sender, numbers in
// whose local part count as equal, as lists put one of the message there; and by the recipient.
//
// Bounds: kSets x kWays entries of 16 octets, 2 MiB. Where a set is full, who waits gives way
// before who has passed, older ones first: a flood makes strangers wait again, and nobody else.
// Which set is up to a key that is drawn with the table. Thread: control; no clock here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "services/io/keyed_hash.h"
#include "services/mail/message/envelope.h"
#include "services/mail/server/settings.h"

namespace postern::mail {

class Greylist {
 public:
  static constexpr size_t kSets = 16384;
  static constexpr size_t kWays = 8;
  // Who does not come again within it comes for the first time, next time.
  static constexpr int64_t kRetryMaxS = 2LL * 24 * 3600;

  Greylist();  // empty

  struct Sending {
    Ipv4Address client;
    const Address& sender;
    const Address& recipient;
  };
  // Seconds that it has to wait still; 0: it may pass. `now_s`: since 1970, UTC.
  int64_t ask(const Sending& sending, const GreylistSettings& settings, int64_t now_s);

  // Something changed since.
  bool is_changed() const { return is_changed_; }
  void note_saved() { is_changed_ = false; }
  void note_unsaved() { is_changed_ = true; }
  // For a file, and back. False: it is none of ours, or damaged; then the table is empty.
  std::string encode() const;
  bool decode(std::string_view octets);

 private:
  struct Entry {
    uint64_t hash = 0;     // 0: empty
    uint32_t first_s = 0;  // when it came first
    uint32_t last_s = 0;   // when it passed last; 0: it waits
  };
  uint64_t hash_of(const Sending& sending) const;
  Entry& place_of(uint64_t hash, const GreylistSettings& settings, int64_t now_s);
  void clear();

  io::HashKey key_ = {};
  std::vector<Entry> entries_;
  bool is_changed_ = false;
};

}  // namespace postern::mail
