// SPDX-License-Identifier: BSD-3-Clause
// QueueFile: the queue on the disk: one database (services/sqlite/database.h) of messages and
// recipients, with the text of messages up to kInlineMax octets in it, and a folder for longer
// ones, a file each.
//
// Short texts in the database are what makes group commit work: one sync for all messages of a
// batch, where files would cost one or two each. A long text is in its file, and the file in its
// folder, before the message is in the database; files without a message are nobody's, and are
// removed when the queue is opened.
//
// Thread: whoever has it; one at a time. Between begin() and commit() all or nothing happens.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "services/mail/queue/queued.h"
#include "services/sqlite/database.h"

namespace postern::mail {

constexpr size_t kInlineMax = size_t{64} << 10;

class QueueFile {
 public:
  // Makes the folder where it is missing; the ones above it are the administrator's.
  static Result<std::unique_ptr<QueueFile>> open(const std::string& folder);

  // All that is there, by number, the number that comes next, and the mark of this database: eight
  // digits at random, other ones for each that was begun. Removes files of nobody.
  struct Loaded {
    std::vector<QueuedMessage> messages;
    uint64_t next_number = 1;
    std::string epoch;
  };
  Result<Loaded> load();

  Result<void> begin() { return database_->run("BEGIN"); }
  Result<void> commit() { return database_->run("COMMIT"); }
  void roll_back();

  // `text`: the whole message; nullptr: it is in its file.
  Result<void> put(const QueuedMessage& message, const std::string* text);
  using Change = std::pair<uint32_t, Progress>;  // of the recipient at that place
  Result<void> change(uint64_t number, const std::vector<Change>& changes);
  Result<void> hold(uint64_t number, HeldBy held_by);
  // A scanner has seen it.
  Result<void> scanned(uint64_t number, const std::string& front, HeldBy held_by);
  // Others in the place of its recipients.
  Result<void> replace(const QueuedMessage& message);
  // Its file is to be removed after commit().
  Result<void> remove(uint64_t number);
  // Gives the room of what is gone back to the disk, where there is much of it.
  void shrink();

  // The text of one in the database.
  Result<std::string> text_of(uint64_t number);

  // The file of a long text.
  std::string path_of(uint64_t number) const;
  const std::string& folder() const { return folder_; }

 private:
  explicit QueueFile(std::string folder) : folder_(std::move(folder)) {}
  Result<void> prepare();
  Result<void> put_recipients(const QueuedMessage& message);
  Result<std::string> load_epoch();
  Result<void> load_recipients(std::vector<QueuedMessage>& messages);
  Result<void> remove_strangers(const std::vector<QueuedMessage>& messages);

  std::string folder_;
  std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement put_, put_recipient_, change_, hold_, scanned_, remove_, remove_recipients_,
      text_;
};

// The name, and what is in it, are on the disk behind this.
Result<void> sync_folder(const std::string& folder);
// The folder is there, and its name is on the disk. The one above it has to be there.
Result<void> make_folder(const std::string& folder);

}  // namespace postern::mail
