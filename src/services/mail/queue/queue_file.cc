// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/queue/queue_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace postern::mail {
namespace {

constexpr sqlite::Form kForm{
    .application_id = 0x504d4151,  // "PMAQ"
    .version = 1,
    .schema =
        "CREATE TABLE message (number INTEGER PRIMARY KEY AUTOINCREMENT,"
        " arrived INTEGER NOT NULL, octets INTEGER NOT NULL, is_held INTEGER NOT NULL,"
        " is_unscanned INTEGER NOT NULL, front BLOB NOT NULL,"
        " local BLOB NOT NULL, domain TEXT NOT NULL, id TEXT NOT NULL,"
        " returns INTEGER NOT NULL, flags INTEGER NOT NULL, user TEXT NOT NULL,"
        " client INTEGER NOT NULL, helo TEXT NOT NULL, text BLOB) STRICT;"
        "CREATE TABLE recipient (message INTEGER NOT NULL, place INTEGER NOT NULL,"
        " local BLOB NOT NULL, domain TEXT NOT NULL, notify INTEGER NOT NULL,"
        " original TEXT NOT NULL, user TEXT NOT NULL, folder TEXT NOT NULL,"
        " state INTEGER NOT NULL, is_owed INTEGER NOT NULL, was_told_late INTEGER NOT NULL,"
        " attempts INTEGER NOT NULL, next INTEGER NOT NULL, said TEXT NOT NULL,"
        " PRIMARY KEY (message, place)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE epoch (mark INTEGER NOT NULL) STRICT;"
        "INSERT INTO epoch VALUES (abs(random() % 1099511627776));",
    .kind = "mail queue",
    .without = "what is in it",
};
constexpr int64_t kEightBit = 1, kUtf8 = 2;
constexpr int64_t kFreePagesMax = 4096;  // 16 MiB, before they go back to the disk
constexpr const char* kSuffix = ".text";

Error system_fault(const std::string& path) {
  return {ErrorCode::failed, path + ": " + std::strerror(errno)};
}

bool is_state(int64_t number) {
  return number >= int64_t{1} && number <= static_cast<int64_t>(RecipientState::expanded);
}

QueuedMessage message_of(const sqlite::Statement& row) {
  QueuedMessage message;
  message.number = static_cast<uint64_t>(row.number(0));
  message.arrived_s = row.number(1);
  message.octets = static_cast<uint64_t>(row.number(2));
  message.held_by = static_cast<HeldBy>(row.number(3));
  message.is_unscanned = row.number(12) != 0;
  message.front = row.octets(13);
  Envelope& envelope = message.envelope;
  envelope.sender = {row.text(4), row.text(5)};
  envelope.id = row.octets(6);
  envelope.returns = static_cast<uint8_t>(row.number(7));
  envelope.is_8bit = (row.number(8) & kEightBit) != 0;
  envelope.is_utf8 = (row.number(8) & kUtf8) != 0;
  envelope.user = row.octets(9);
  envelope.client = Ipv4Address(static_cast<uint32_t>(row.number(10)));
  envelope.helo = row.octets(11);
  return message;
}

}  // namespace

Result<void> sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_fault(folder);
  const bool is_synced = fsync(fd) == 0;
  const Error fault = system_fault(folder);
  close(fd);
  if (!is_synced) return fault;
  return {};
}

// Its name is synced each time: who made it may not have come so far.
Result<void> make_folder(const std::string& folder) {
  if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return system_fault(folder);
  const std::string above = std::filesystem::path(folder).parent_path().string();
  return sync_folder(above.empty() ? "." : above);
}

Result<std::unique_ptr<QueueFile>> QueueFile::open(const std::string& folder) {
  const std::string texts = folder + "/texts";
  for (const std::string& path : {folder, texts}) {
    if (auto made = make_folder(path); !made) return made.error();
  }
  auto file = std::unique_ptr<QueueFile>(new QueueFile(folder));
  auto database = sqlite::Database::open(folder + "/queue.sqlite", kForm);
  if (!database) return database.error();
  file->database_ = std::move(*database);
  if (auto prepared = file->prepare(); !prepared) return prepared.error();
  return file;
}

Result<void> QueueFile::prepare() {
  if (auto done = database_->run("PRAGMA wal_autocheckpoint=4000"); !done) return done;
  struct Wanted {
    sqlite::Statement& statement;
    const char* sql;
  };
  const Wanted all[] = {
      {put_,
       "INSERT INTO message (number, arrived, octets, is_held, local, domain, id, returns, flags,"
       " user, client, helo, text, is_unscanned, front)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"},
      {put_recipient_,
       "INSERT INTO recipient (message, place, local, domain, notify, original, state,"
       " was_told_late, attempts, next, said, user, folder, is_owed)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"},
      {change_,
       "UPDATE recipient SET state = ?3, was_told_late = ?4, attempts = ?5, next = ?6, said = ?7,"
       " is_owed = ?8"
       " WHERE message = ?1 AND place = ?2"},
      {hold_, "UPDATE message SET is_held = ?2 WHERE number = ?1"},
      {scanned_, "UPDATE message SET is_unscanned = 0, front = ?2, is_held = ?3 WHERE number = ?1"},
      {remove_, "DELETE FROM message WHERE number = ?1"},
      {remove_recipients_, "DELETE FROM recipient WHERE message = ?1"},
      {text_, "SELECT text FROM message WHERE number = ?1"},
  };
  for (const Wanted& one : all) {
    auto statement = database_->prepare(one.sql);
    if (!statement) return statement.error();
    one.statement = std::move(*statement);
  }
  return {};
}

Result<QueueFile::Loaded> QueueFile::load() {
  Loaded loaded;
  auto rows = database_->prepare(
      "SELECT number, arrived, octets, is_held, local, domain, id, returns, flags, user, client,"
      " helo, is_unscanned, front FROM message ORDER BY number");
  if (!rows) return rows.error();
  while (rows->step()) {
    const int64_t held_by = rows->number(3);
    const bool is_known = held_by >= 0 && held_by <= static_cast<int64_t>(HeldBy::administrator);
    if (!is_known) return database_->fault("is damaged");
    loaded.messages.push_back(message_of(*rows));
  }
  if (!rows->is_done()) return database_->fault("cannot be read");
  if (auto done = load_recipients(loaded.messages); !done) return done.error();
  auto last = database_->prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'");
  if (!last) return last.error();
  if (last->step()) loaded.next_number = static_cast<uint64_t>(last->number(0)) + 1;
  auto epoch = load_epoch();
  if (!epoch) return epoch.error();
  loaded.epoch = std::move(*epoch);
  if (auto done = remove_strangers(loaded.messages); !done) return done.error();
  return loaded;
}

Result<std::string> QueueFile::load_epoch() {
  auto row = database_->prepare("SELECT mark FROM epoch");
  if (!row) return row.error();
  if (!row->step()) return database_->fault("is damaged");
  constexpr size_t kDigits = 8;
  std::string epoch = to_queue_id(static_cast<uint64_t>(row->number(0)));
  epoch.insert(0, kDigits - std::min(kDigits, epoch.size()), '0');
  return epoch;
}

Result<void> QueueFile::load_recipients(std::vector<QueuedMessage>& messages) {
  auto rows = database_->prepare(
      "SELECT message, local, domain, notify, original, state, was_told_late, attempts, next, said,"
      " place, user, folder, is_owed FROM recipient ORDER BY message, place");
  if (!rows) return rows.error();
  auto at = messages.begin();
  while (rows->step()) {
    const auto number = static_cast<uint64_t>(rows->number(0));
    while (at != messages.end() && at->number < number)
      ++at;
    // Message and recipients come and go in one transaction.
    if (at == messages.end() || at->number != number) return database_->fault("is damaged");
    const bool is_next = rows->number(10) == static_cast<int64_t>(at->progress.size());
    if (!is_next || !is_state(rows->number(5))) return database_->fault("is damaged");
    Recipient& recipient = at->envelope.recipients.emplace_back();
    recipient.address = {rows->text(1), rows->text(2)};
    recipient.notify = static_cast<uint8_t>(rows->number(3));
    recipient.original = rows->octets(4);
    recipient.user = rows->octets(11);
    recipient.folder = rows->octets(12);
    Progress& progress = at->progress.emplace_back();
    progress.state = static_cast<RecipientState>(rows->number(5));
    progress.was_told_late = rows->number(6) != 0;
    progress.attempts = static_cast<uint32_t>(rows->number(7));
    progress.next_s = rows->number(8);
    progress.said = rows->octets(9);
    progress.is_owed = rows->number(13) != 0;
  }
  if (!rows->is_done()) return database_->fault("cannot be read");
  return {};
}

Result<void> QueueFile::remove_strangers(const std::vector<QueuedMessage>& messages) {
  std::error_code error;
  std::vector<std::string> strangers;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/texts", error)) {
    const uint64_t number =
        entry.path().extension() == kSuffix ? parse_queue_id(entry.path().stem().string()) : 0;
    const auto at = std::lower_bound(
        messages.begin(), messages.end(), number,
        [](const QueuedMessage& message, uint64_t wanted) { return message.number < wanted; });
    const bool is_known = at != messages.end() && at->number == number;
    // Only what is surely ours is removed.
    if (number != 0 && !is_known) strangers.push_back(entry.path().string());
  }
  if (error) return Error{ErrorCode::failed, folder_ + "/texts: " + error.message()};
  for (const std::string& path : strangers)
    unlink(path.c_str());
  return {};
}

void QueueFile::roll_back() {
  // Some failures have ended the transaction already: then this says so, to nobody.
  (void)database_->run("ROLLBACK");
}

Result<void> QueueFile::put(const QueuedMessage& message, const std::string* text) {
  const Envelope& envelope = message.envelope;
  const auto number = static_cast<int64_t>(message.number);
  const int64_t flags = (envelope.is_8bit ? kEightBit : 0) | (envelope.is_utf8 ? kUtf8 : 0);
  put_.bind(1, number).bind(2, message.arrived_s).bind(3, static_cast<int64_t>(message.octets));
  put_.bind(4, static_cast<int64_t>(message.held_by)).bind_blob(5, envelope.sender.local);
  put_.bind(6, std::string_view(envelope.sender.domain)).bind(7, std::string_view(envelope.id));
  put_.bind(8, int64_t{envelope.returns}).bind(9, flags).bind(10, std::string_view(envelope.user));
  put_.bind(11, int64_t{envelope.client.number}).bind(12, std::string_view(envelope.helo));
  if (text != nullptr) put_.bind_blob(13, *text);
  put_.bind(14, int64_t{message.is_unscanned}).bind_blob(15, message.front);
  if (auto done = database_->execute(put_); !done) return done;
  return put_recipients(message);
}

Result<void> QueueFile::put_recipients(const QueuedMessage& message) {
  const Envelope& envelope = message.envelope;
  const auto number = static_cast<int64_t>(message.number);
  for (size_t place = 0; place < envelope.recipients.size(); ++place) {
    const Recipient& recipient = envelope.recipients[place];
    const Progress& progress = message.progress[place];
    sqlite::Statement& row = put_recipient_;
    row.bind(1, number).bind(2, static_cast<int64_t>(place));
    row.bind_blob(3, recipient.address.local).bind(4, std::string_view(recipient.address.domain));
    row.bind(5, int64_t{recipient.notify}).bind(6, std::string_view(recipient.original));
    row.bind(7, static_cast<int64_t>(progress.state)).bind(8, int64_t{progress.was_told_late});
    row.bind(9, int64_t{progress.attempts}).bind(10, progress.next_s);
    row.bind(11, std::string_view(progress.said));
    row.bind(12, std::string_view(recipient.user)).bind(13, std::string_view(recipient.folder));
    row.bind(14, int64_t{progress.is_owed});
    if (auto done = database_->execute(row); !done) return done;
  }
  return {};
}

Result<void> QueueFile::change(uint64_t number, const std::vector<Change>& changes) {
  for (const auto& [place, progress] : changes) {
    change_.bind(1, static_cast<int64_t>(number)).bind(2, int64_t{place});
    change_.bind(3, static_cast<int64_t>(progress.state)).bind(4, int64_t{progress.was_told_late});
    change_.bind(5, int64_t{progress.attempts}).bind(6, progress.next_s);
    change_.bind(7, std::string_view(progress.said)).bind(8, int64_t{progress.is_owed});
    if (auto done = database_->execute(change_); !done) return done;
  }
  return {};
}

Result<void> QueueFile::hold(uint64_t number, HeldBy held_by) {
  return database_->execute(
      hold_.bind(1, static_cast<int64_t>(number)).bind(2, static_cast<int64_t>(held_by)));
}

Result<void> QueueFile::scanned(uint64_t number, const std::string& front, HeldBy held_by) {
  scanned_.bind(1, static_cast<int64_t>(number))
      .bind_blob(2, front)
      .bind(3, static_cast<int64_t>(held_by));
  return database_->execute(scanned_);
}

Result<void> QueueFile::replace(const QueuedMessage& message) {
  const auto key = static_cast<int64_t>(message.number);
  if (auto done = database_->execute(remove_recipients_.bind(1, key)); !done) return done;
  return put_recipients(message);
}

Result<void> QueueFile::remove(uint64_t number) {
  const auto key = static_cast<int64_t>(number);
  if (auto done = database_->execute(remove_recipients_.bind(1, key)); !done) return done;
  return database_->execute(remove_.bind(1, key));
}

void QueueFile::shrink() {
  auto pages = database_->prepare("PRAGMA freelist_count");
  const bool is_much = pages && pages->step() && pages->number(0) > kFreePagesMax;
  if (is_much) (void)database_->run("PRAGMA incremental_vacuum");
}

Result<std::string> QueueFile::text_of(uint64_t number) {
  text_.bind(1, static_cast<int64_t>(number));
  const bool is_there = text_.step() && !text_.is_null(0);
  std::string text = is_there ? text_.text(0) : std::string();
  text_.reset();
  if (!is_there) return Error{ErrorCode::not_found, "message " + to_queue_id(number) + " is gone"};
  return text;
}

std::string QueueFile::path_of(uint64_t number) const {
  return folder_ + "/texts/" + to_queue_id(number) + kSuffix;
}

}  // namespace postern::mail
