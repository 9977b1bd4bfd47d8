// SPDX-License-Identifier: BSD-3-Clause
// Pop3Listing: what a POP3 server has, as LIST and UIDL tell it (RFC 1939 sections 5 and 7).
//
// Bounds: kMessagesMax messages, the oldest of more; kUidMax octets a unique-id; all ids lie in one
// text, so that a mailbox of a million messages takes 16 MB and its ids. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

class Pop3Listing {
 public:
  static constexpr size_t kMessagesMax = 1'000'000;
  static constexpr size_t kLinesMax = 10 * kMessagesMax;
  static constexpr size_t kUidMax = 255;                // octets; RFC 1939 section 7 has 70
  static constexpr size_t kUidsMax = size_t{80} << 20;  // octets of all of them

  struct Message {
    uint32_t number = 0;
    uint32_t octets = 0;  // as the server says; what is above 2^32-1 counts as that
    uint32_t uid_at = 0;
    uint32_t uid_size = 0;  // 0: it has none
  };

  // "7 1234", a line of LIST. False: it is none, or there is no end of them.
  [[nodiscard]] bool add(std::string_view line);
  // Behind the last of LIST. False: a number stands there twice.
  [[nodiscard]] bool finish();
  // "7 whqtswO00WBw418f9t5JxYwZ", a line of UIDL. False: it is none. Messages that LIST did not
  // tell of are passed over.
  [[nodiscard]] bool add_uid(std::string_view line);

  // There are more messages than are told here.
  bool is_cut() const { return lines_ > kMessagesMax; }
  // By number, which is by age.
  const std::vector<Message>& messages() const { return messages_; }
  std::string_view uid(const Message& message) const {
    return std::string_view(uids_).substr(message.uid_at, message.uid_size);
  }

 private:
  std::vector<Message> messages_;
  std::string uids_;
  size_t lines_ = 0;  // of LIST
  size_t next_ = 0;   // which UIDL will tell of, most likely
};

}  // namespace postern::mail
