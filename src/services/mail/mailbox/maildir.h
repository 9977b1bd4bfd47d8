// SPDX-License-Identifier: BSD-3-Clause
// Maildir: the mailbox of a user, as every mail tool reads it: a folder with tmp/, new/ and cur/,
// a file a message, lines ending in LF.
//
//   deliver: tmp/NAME written, synced -> new/NAME -> the folder synced -> told
//
// A name begins with the time and the delivery's id, and says in ",S=" how large the file is and in
// ",W=" how large with CRLFs, so that 100,000 messages are listed without reading one. Messages of
// other tools, without it, are read once and renamed.
//
// One delivery gives one message: where it may have been tried before, its id is looked for first,
// so that after a crash between the mailbox and the queue the message is not there twice. Where it
// cannot be looked for, the delivery fails.
//
// All calls wait for the disk. Thread: any; one at a time for a list and what is done by it.
// Deliveries may come meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/mail/queue/body.h"

namespace postern::mail {

constexpr size_t kMailboxMessagesMax = 1'000'000;  // listed

struct MailboxMessage {
  std::string file;     // "new/..." or "cur/..."
  std::string unique;   // its unique id (RFC 1939 section 7, UIDL): 1 to 70 printable octets
  uint64_t octets = 0;  // as POP3 counts them, with CRLFs
  friend bool operator==(const MailboxMessage&, const MailboxMessage&) = default;
};

struct Delivery {
  std::string id;  // unique among deliveries: "4K7QX2-1"
  int64_t now_s = 0;
  // Lines with CRLF that go before the text: Return-Path and such (RFC 5321 section 4.4).
  std::string front;
  bool is_first = false;  // it surely was not tried before
};

class Maildir {
 public:
  // Made where it is missing, with the folders above it up to `root`, which is there.
  static Result<Maildir> open(const std::string& root, const std::string& path);

  // The text has lines that end in CRLF.
  Result<void> deliver(const Delivery& delivery, const Body& text);

  // The same in two steps, so that many deliveries share the sync of their folders: what was
  // written is a delivery when place() says so. Results are those of `all`, in order.
  struct Written {
    std::string tmp;    // empty: it was there already
    std::string place;  // in new/
  };
  Result<Written> write(const Delivery& delivery, const Body& text) const;
  static std::vector<Result<void>> place(const std::vector<Written>& all);

  // Ids of the deliveries whose messages are still there.
  Result<std::vector<std::string>> deliveries() const;

  // Oldest first.
  Result<std::vector<MailboxMessage>> list();
  // Lines end in LF, mostly.
  Result<std::shared_ptr<const Body>> read(const MailboxMessage& message) const;
  // All of them, and then for good; one that is not there any more is no error.
  Result<void> remove(const std::vector<MailboxMessage>& messages);

  const std::string& path() const { return path_; }

 private:
  explicit Maildir(std::string path) : path_(std::move(path)) {}
  Result<bool> has_delivery(const std::string& id) const;
  Result<void> list_folder(const char* folder, std::vector<MailboxMessage>& messages) const;
  Result<uint64_t> measure(std::string& file) const;
  void clean_tmp(int64_t now_s) const;

  std::string path_;
};

}  // namespace postern::mail
