// SPDX-License-Identifier: BSD-3-Clause
// FetchMemory: what was fetched already, on the disk: so that no message comes twice, and none is
// removed at its server before it is safe here (C20).
//
//   compare()   what of a listing is known; what the server has not listed for kMissingKept is
//               forgotten: for a moment a server may show an empty mailbox
//   begin()     before a message goes to the queue, with the number that it gets there
//   take()      it is in the queue, or nobody here wants it: it may be removed at the server
//   forget()    it was removed there
//
// Between begin() and take() lies the queue's commit. After a crash there the queue knows whether
// it took place: open_intents() has the number, and take() or give_up() follow before anything else
// happens. (A number without a message may be used again later: the message that has it then is of
// another size.)
//
// A copy is a message, by its Message-IDs and its text, for one recipient. begin() tells which
// recipients have theirs already; copies are remembered for kCopiesKept, of each account for
// itself.
//
// Bounds: a row for each message that a server lists, and one for each copy of that time. Messages
// without an id of the server's are forgotten after kCopiesKept. Thread: whoever has it; one at a
// time; waits for the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/mail/pop3/client_listing.h"
#include "services/sqlite/database.h"

namespace postern::mail {

enum class Fate : uint8_t {
  unknown = 0,    // not seen yet
  taken = 1,      // it was delivered, or is a copy that nobody misses
  too_large = 2,  // it stays there; this was told
  refused = 3,    // the same: by a scanner, or because it goes round
};

class FetchMemory {
 public:
  static constexpr int64_t kCopiesKept = 2'592'000;  // seconds: 30 days
  static constexpr int64_t kMissingKept = 259'200;   // seconds: 3 days
  // Ids that we made because the server has none begin so (fetched_message.h).
  static constexpr char kOwnUid = '\x01';

  static Result<std::unique_ptr<FetchMemory>> open(const std::string& path);

  struct Known {
    Fate fate = Fate::unknown;
    int64_t since_s = 0;  // UTC
  };
  // One for each message of the listing, in its order.
  Result<std::vector<Known>> compare(const std::string& account, const Pop3Listing& listing,
                                     int64_t now_s);
  // Of one message without an id of the server's.
  Result<Known> find(const std::string& account, std::string_view uid);

  struct Intent {
    std::string account;
    std::string uid;
    uint64_t number = 0;            // of the queue
    std::vector<std::string> keys;  // of copies (copy_key())
    uint64_t octets = 0;            // of the message in the queue
  };
  // One for each key: whether that recipient has a copy. Where all have, nothing is intended.
  // `intent` stands for the account until take() or give_up().
  Result<std::vector<bool>> begin(const Intent& intent);
  // Its copies are those of the intent, where it is of the same id.
  Result<void> take(const std::string& account, std::string_view uid, Fate fate, int64_t now_s);
  Result<void> give_up(const std::string& account);
  Result<void> forget(const std::string& account, const std::vector<std::string>& uids);

  Result<std::vector<Intent>> open_intents();

 private:
  explicit FetchMemory(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}
  Result<void> prepare();
  Result<void> miss(const std::string& account, const std::vector<std::string>& uids,
                    int64_t since_s);
  Result<void> expire(const std::string& account, int64_t now_s);
  Result<void> keep_copies(const std::string& account, std::string_view uid, int64_t now_s);

  std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement seen_, see_, forget_, all_seen_, miss_;
  sqlite::Statement intend_, intent_of_, give_up_, copy_, has_copy_;
  sqlite::Statement expire_copies_, expire_seen_;
};

// What a message without an id of the server's is known by before it is fetched: its place in the
// listing and its size there.
std::string listed_uid(const Pop3Listing::Message& message);

// 32 octets.
std::string copy_key(const std::string& account, std::string_view message_ids,
                     std::string_view recipient);

}  // namespace postern::mail
