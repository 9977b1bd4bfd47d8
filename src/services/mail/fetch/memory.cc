// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/memory.h"

#include <sodium.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace postern::mail {
namespace {

constexpr sqlite::Form kForm{
    .application_id = 0x504d4146,  // "PMAF"
    .version = 2,
    .schema =
        "CREATE TABLE seen (account TEXT NOT NULL, uid TEXT NOT NULL, fate INTEGER NOT NULL,"
        " since INTEGER NOT NULL, missing INTEGER NOT NULL DEFAULT 0,"
        " PRIMARY KEY (account, uid)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE intent (account TEXT PRIMARY KEY, uid TEXT NOT NULL,"
        " number INTEGER NOT NULL, keys BLOB NOT NULL, octets INTEGER NOT NULL) STRICT, WITHOUT "
        "ROWID;"
        "CREATE TABLE copy (key BLOB PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE INDEX copy_since ON copy (since);",
    .kind = "memory of fetched mail",
    .without = "it, and to fetch again what was left at the servers",
};
constexpr size_t kKeySize = crypto_hash_sha256_BYTES;

Fate fate_of(int64_t number) {
  const bool is_fate = number > 0 && number <= static_cast<int64_t>(Fate::refused);
  return is_fate ? static_cast<Fate>(number) : Fate::taken;
}

std::vector<std::string> split_keys(std::string_view octets) {
  std::vector<std::string> keys;
  keys.reserve(octets.size() / kKeySize);
  for (; octets.size() >= kKeySize; octets.remove_prefix(kKeySize))
    keys.emplace_back(octets.substr(0, kKeySize));
  return keys;
}

// Places of messages that have an id, in the order of those.
std::vector<uint32_t> by_uid(const Pop3Listing& listing) {
  const auto& messages = listing.messages();
  std::vector<uint32_t> places(messages.size());
  std::iota(places.begin(), places.end(), 0U);
  std::erase_if(places, [&](uint32_t place) { return messages[place].uid_size == 0; });
  std::sort(places.begin(), places.end(), [&](uint32_t a, uint32_t b) {
    return listing.uid(messages[a]) < listing.uid(messages[b]);
  });
  return places;
}

}  // namespace

std::string listed_uid(const Pop3Listing::Message& message) {
  return std::string(1, FetchMemory::kOwnUid) + std::to_string(message.number) + ' ' +
         std::to_string(message.octets);
}

std::string copy_key(const std::string& account, std::string_view message_ids,
                     std::string_view recipient) {
  std::string text = account;
  for (const std::string_view part : {message_ids, recipient}) {
    text += '\0';
    text += part;
  }
  std::string key(kKeySize, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(key.data()),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return key;
}

Result<std::unique_ptr<FetchMemory>> FetchMemory::open(const std::string& path) {
  auto database = sqlite::Database::open(path, kForm);
  if (!database) return database.error();
  auto memory = std::unique_ptr<FetchMemory>(new FetchMemory(std::move(*database)));
  if (auto done = memory->prepare(); !done) return done.error();
  return memory;
}

Result<void> FetchMemory::prepare() {
  struct Wanted {
    sqlite::Statement& statement;
    const char* sql;
  };
  const Wanted all[] = {
      {seen_, "SELECT fate, since FROM seen WHERE account = ?1 AND uid = ?2"},
      {see_, "INSERT OR REPLACE INTO seen VALUES (?1, ?2, ?3, ?4, 0)"},
      {forget_, "DELETE FROM seen WHERE account = ?1 AND uid = ?2"},
      {all_seen_, "SELECT uid, fate, since, missing FROM seen WHERE account = ?1 ORDER BY uid"},
      {miss_, "UPDATE seen SET missing = ?3 WHERE account = ?1 AND uid = ?2"},
      {intend_, "INSERT OR REPLACE INTO intent VALUES (?1, ?2, ?3, ?4, ?5)"},
      {intent_of_, "SELECT keys FROM intent WHERE account = ?1 AND uid = ?2"},
      {give_up_, "DELETE FROM intent WHERE account = ?1"},
      {copy_, "INSERT OR REPLACE INTO copy VALUES (?1, ?2)"},
      {has_copy_, "SELECT 1 FROM copy WHERE key = ?1"},
      {expire_copies_, "DELETE FROM copy WHERE since < ?1"},
      {expire_seen_,
       "DELETE FROM seen WHERE account = ?1 AND uid >= ?2 AND uid < ?3"
       " AND since < ?4"},
  };
  for (const Wanted& one : all) {
    auto statement = database_->prepare(one.sql);
    if (!statement) return statement.error();
    one.statement = std::move(*statement);
  }
  return {};
}

// Both are in the order of the ids, so one walk finds what is known and what is gone.
Result<std::vector<FetchMemory::Known>> FetchMemory::compare(const std::string& account,
                                                             const Pop3Listing& listing,
                                                             int64_t now_s) {
  const auto& messages = listing.messages();
  std::vector<Known> known(messages.size());
  const std::vector<uint32_t> places = by_uid(listing);
  std::vector<std::string> gone, missed, found_again;
  std::unordered_map<std::string, Known> own;
  auto at = places.begin();
  all_seen_.bind(1, std::string_view(account));
  while (all_seen_.step()) {
    const std::string_view uid = all_seen_.octets(0);
    while (at != places.end() && listing.uid(messages[*at]) < uid)
      ++at;
    const bool is_listed = at != places.end() && listing.uid(messages[*at]) == uid;
    const int64_t missing_s = all_seen_.number(3);
    if (is_listed && missing_s != 0) found_again.emplace_back(uid);
    if (!is_listed && !uid.starts_with(kOwnUid)) {
      if (missing_s == 0 || missing_s > now_s) missed.emplace_back(uid);
      if (missing_s != 0 && now_s - missing_s >= kMissingKept) gone.emplace_back(uid);
    }
    if (uid.starts_with(kOwnUid) && uid.find(' ') != uid.npos)
      own.try_emplace(std::string(uid), Known{fate_of(all_seen_.number(1)), all_seen_.number(2)});
    // Identical messages may have one id (RFC 1939 section 7).
    for (; at != places.end() && listing.uid(messages[*at]) == uid; ++at)
      known[*at] = {fate_of(all_seen_.number(1)), all_seen_.number(2)};
  }
  const bool is_read = all_seen_.is_done();
  all_seen_.reset();
  if (!is_read) return database_->fault("cannot be read");
  for (size_t i = 0; i < messages.size() && !own.empty(); ++i) {
    if (messages[i].uid_size != 0) continue;
    if (const auto found = own.find(listed_uid(messages[i])); found != own.end())
      known[i] = found->second;
  }
  if (listing.is_cut()) {
    gone.clear();
    missed.clear();
  }
  if (auto done = miss(account, missed, now_s); !done) return done.error();
  if (auto done = miss(account, found_again, 0); !done) return done.error();
  if (!gone.empty()) {
    if (auto done = forget(account, gone); !done) return done.error();
  }
  if (auto done = expire(account, now_s); !done) return done.error();
  return known;
}

Result<void> FetchMemory::expire(const std::string& account, int64_t now_s) {
  const int64_t oldest = now_s - kCopiesKept;
  if (auto done = database_->execute(expire_copies_.bind(1, oldest)); !done) return done;
  const char first[] = {kOwnUid};
  const char behind[] = {kOwnUid + 1};
  expire_seen_.bind(1, std::string_view(account)).bind(2, std::string_view(first, 1));
  return database_->execute(expire_seen_.bind(3, std::string_view(behind, 1)).bind(4, oldest));
}

Result<FetchMemory::Known> FetchMemory::find(const std::string& account, std::string_view uid) {
  seen_.bind(1, std::string_view(account)).bind(2, uid);
  Known known;
  if (seen_.step()) {
    known = {fate_of(seen_.number(0)), seen_.number(1)};
  } else if (!seen_.is_done()) {
    seen_.reset();
    return database_->fault("cannot be read");
  }
  seen_.reset();
  return known;
}

Result<std::vector<bool>> FetchMemory::begin(const Intent& intent) {
  std::vector<bool> has_copy(intent.keys.size());
  std::string wanted;
  for (size_t i = 0; i < intent.keys.size(); ++i) {
    has_copy_.bind_blob(1, intent.keys[i]);
    has_copy[i] = has_copy_.step();
    const bool is_sound = has_copy[i] || has_copy_.is_done();
    has_copy_.reset();
    if (!is_sound) return database_->fault("cannot be read");
    if (!has_copy[i]) wanted += intent.keys[i];
  }
  if (wanted.empty() && !intent.keys.empty()) return has_copy;
  intend_.bind(1, std::string_view(intent.account)).bind(2, std::string_view(intent.uid));
  intend_.bind(3, static_cast<int64_t>(intent.number)).bind_blob(4, wanted);
  intend_.bind(5, static_cast<int64_t>(intent.octets));
  if (auto done = database_->execute(intend_); !done) return done.error();
  return has_copy;
}

Result<void> FetchMemory::take(const std::string& account, std::string_view uid, Fate fate,
                               int64_t now_s) {
  return database_->transaction([&]() -> Result<void> {
    if (fate == Fate::taken) {
      if (auto done = keep_copies(account, uid, now_s); !done) return done;
    }
    if (auto done = database_->execute(give_up_.bind(1, std::string_view(account))); !done)
      return done;
    see_.bind(1, std::string_view(account)).bind(2, uid);
    return database_->execute(see_.bind(3, static_cast<int64_t>(fate)).bind(4, now_s));
  });
}

Result<void> FetchMemory::keep_copies(const std::string& account, std::string_view uid,
                                      int64_t now_s) {
  intent_of_.bind(1, std::string_view(account)).bind(2, uid);
  const auto keys = intent_of_.step() ? split_keys(intent_of_.octets(0)) : split_keys({});
  intent_of_.reset();
  for (const std::string& key : keys) {
    if (auto done = database_->execute(copy_.bind_blob(1, key).bind(2, now_s)); !done) return done;
  }
  return {};
}

Result<void> FetchMemory::give_up(const std::string& account) {
  return database_->execute(give_up_.bind(1, std::string_view(account)));
}

// Since when they are; 0: they are not.
Result<void> FetchMemory::miss(const std::string& account, const std::vector<std::string>& uids,
                               int64_t since_s) {
  if (uids.empty()) return {};
  return database_->transaction([&]() -> Result<void> {
    for (const std::string& uid : uids) {
      miss_.bind(1, std::string_view(account)).bind(2, std::string_view(uid)).bind(3, since_s);
      if (auto done = database_->execute(miss_); !done) return done;
    }
    return {};
  });
}

Result<void> FetchMemory::forget(const std::string& account, const std::vector<std::string>& uids) {
  return database_->transaction([&]() -> Result<void> {
    for (const std::string& uid : uids) {
      forget_.bind(1, std::string_view(account)).bind(2, std::string_view(uid));
      if (auto done = database_->execute(forget_); !done) return done;
    }
    return {};
  });
}

Result<std::vector<FetchMemory::Intent>> FetchMemory::open_intents() {
  std::vector<Intent> intents;
  auto rows =
      database_->prepare("SELECT account, uid, number, keys, octets FROM intent ORDER BY account");
  if (!rows) return rows.error();
  while (rows->step())
    intents.push_back({rows->text(0), rows->text(1), static_cast<uint64_t>(rows->number(2)),
                       split_keys(rows->octets(3)), static_cast<uint64_t>(rows->number(4))});
  if (!rows->is_done()) return database_->fault("cannot be read");
  return intents;
}

}  // namespace postern::mail
