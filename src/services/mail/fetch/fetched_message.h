// SPDX-License-Identifier: BSD-3-Clause
// FetchedMessage: a message on its way from a server into the queue: our Received field, then the
// text as it comes; what its header says, and a hash that tells it from others where the server has
// no ids. Thread: control. Bounds: those of the queue and of HeaderScanner; nothing of the text is
// kept here.
#pragma once

#include <sodium.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/mail/message/header.h"
#include "services/mail/queue/queue.h"

namespace postern::mail {

// What our Received field tells (RFC 5321 section 4.4).
struct FetchedFacts {
  std::string host;    // ours
  std::string server;  // theirs
  Ipv4Address address;
  std::string tls;  // empty: none
  int64_t time_s = 0;
  int zone_min = 0;
};
// With CRLF at the end.
std::string fetched_field(const FetchedFacts& facts, const std::string& id);

class FetchedMessage {
 public:
  // nullptr: the queue has no room now. `octets`: as the server says; `octets_max`: more are not
  // taken.
  static std::unique_ptr<FetchedMessage> begin(Queue& queue, uint64_t octets, uint64_t octets_max,
                                               const FetchedFacts& facts);

  // False: there are too many octets, see is_too_large(), or the queue has no room for them.
  [[nodiscard]] bool feed(std::string_view text);
  void finish();

  bool is_too_large() const { return octets_ > octets_max_; }
  bool is_8bit() const { return is_8bit_; }
  const HeaderScanner& header() const { return header_; }
  // Of the text as the server has it, in hexadecimal digits; once, behind finish().
  const std::string& hash() const { return hash_; }
  // Of the text behind the header and of Date, From and Subject: what the copies of one message for
  // several recipients have in common. 32 octets; once, behind finish().
  const std::string& content() const { return content_; }
  uint64_t octets() const { return octets_; }
  uint64_t number() const { return number_; }

  Incoming& incoming() { return *incoming_; }
  std::unique_ptr<Incoming> take_incoming() { return std::move(incoming_); }

 private:
  FetchedMessage(std::unique_ptr<Incoming> incoming, uint64_t octets_max);

  std::unique_ptr<Incoming> incoming_;
  uint64_t number_;
  uint64_t octets_max_;
  uint64_t octets_ = 0;
  bool is_8bit_ = false;
  HeaderScanner header_;
  crypto_hash_sha256_state hashing_;
  std::string hash_;
  void feed_body(std::string_view text);
  bool is_body_ = false;
  bool is_line_empty_ = true;  // of the header, so far
  crypto_hash_sha256_state body_hashing_;
  std::string content_;
};

}  // namespace postern::mail
