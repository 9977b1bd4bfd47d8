// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/lease_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace postern::dhcp {
namespace {

constexpr int kApplicationId = 0x50444843;  // "PDHC"
constexpr int kVersion = 1;
constexpr int kLeasesMax = 4'000'000;  // rows read; more than all scopes can have

constexpr const char* kSchema =
    "CREATE TABLE lease (address INTEGER PRIMARY KEY, state INTEGER NOT NULL, mac BLOB NOT NULL,"
    " client BLOB NOT NULL, host_name TEXT NOT NULL, started INTEGER NOT NULL,"
    " ends INTEGER NOT NULL) STRICT;";

class Statement {
 public:
  Statement(sqlite3* database, const char* sql) {
    sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  int step() { return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_); }
  int64_t number(int column) { return sqlite3_column_int64(statement_, column); }
  std::string bytes(int column) {
    const void* first = sqlite3_column_blob(statement_, column);
    auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return first == nullptr ? std::string() : std::string(static_cast<const char*>(first), size);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// Leaves the file at its place only once it is whole and on disk.
Result<void> make_file(const std::string& path) {
  const std::string fresh = path + ".new";
  for (const char* suffix : {"", "-journal", "-wal", "-shm"})
    std::remove((fresh + suffix).c_str());
  sqlite3* database = nullptr;
  int code = sqlite3_open_v2(fresh.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             nullptr);
  std::string sql =
      "PRAGMA synchronous=FULL; BEGIN; PRAGMA application_id=" + std::to_string(kApplicationId) +
      "; PRAGMA user_version=" + std::to_string(kVersion) + "; " + kSchema + " COMMIT;";
  if (code == SQLITE_OK) code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  std::string reason = sqlite3_errmsg(database);
  sqlite3_close(database);
  if (code != SQLITE_OK) return Error{ErrorCode::failed, fresh + ": " + reason};
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  }
  size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  return {};
}

}  // namespace

LeaseStore::LeaseStore(std::string path, sqlite3* database)
    : path_(std::move(path)), database_(database) {}

LeaseStore::~LeaseStore() {
  sqlite3_finalize(put_);
  sqlite3_finalize(erase_);
  sqlite3_close(database_);
}

Result<std::unique_ptr<LeaseStore>> LeaseStore::open(const std::string& path) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
    if (auto made = make_file(path); !made) return made.error();
  } else if (facts.st_size == 0) {
    return Error{ErrorCode::invalid,
                 path +
                     " is empty; put a backup in its place, or remove it to begin without "
                     "leases"};
  }
  sqlite3* database = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  auto store = std::unique_ptr<LeaseStore>(new LeaseStore(path, database));
  if (code != SQLITE_OK) return store->fault("cannot be opened");
  sqlite3_extended_result_codes(database, 1);
  if (auto checked = store->check(); !checked) return checked.error();
  if (auto prepared = store->prepare(); !prepared) return prepared.error();
  return store;
}

// Before anything is written.
Result<void> LeaseStore::check() {
  if (auto done = run("PRAGMA locking_mode=EXCLUSIVE"); !done) return done;
  Statement whole(database_, "PRAGMA quick_check(1)");
  if (whole.step() != SQLITE_ROW || whole.bytes(0) != "ok") return fault("is damaged");
  Statement id(database_, "PRAGMA application_id");
  Statement version(database_, "PRAGMA user_version");
  if (id.step() != SQLITE_ROW || version.step() != SQLITE_ROW) return fault("is damaged");
  if (id.number(0) != kApplicationId || version.number(0) != kVersion) {
    return Error{ErrorCode::invalid, path_ + " is no lease file of this version of Postern"};
  }
  return {};
}

Result<void> LeaseStore::prepare() {
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                          "PRAGMA cache_size=-1024", "PRAGMA temp_store=MEMORY"}) {
    if (auto done = run(sql); !done) return done;
  }
  int code = sqlite3_prepare_v3(database_,
                                "INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                -1, SQLITE_PREPARE_PERSISTENT, &put_, nullptr);
  if (code == SQLITE_OK) {
    code = sqlite3_prepare_v3(database_, "DELETE FROM lease WHERE address = ?1", -1,
                              SQLITE_PREPARE_PERSISTENT, &erase_, nullptr);
  }
  if (code != SQLITE_OK) return fault("cannot be used");
  return {};
}

Result<std::vector<Lease>> LeaseStore::load() {
  std::vector<Lease> leases;
  Statement all(database_,
                "SELECT address, state, mac, client, host_name, started, ends FROM lease");
  int code = SQLITE_ROW;
  while ((code = all.step()) == SQLITE_ROW && leases.size() < kLeasesMax) {
    int64_t state = all.number(1);
    std::string mac = all.bytes(2);
    Lease lease;
    if (state < 1 || state > 4 || mac.size() != lease.mac.bytes.size()) {
      return fault("is damaged");
    }
    lease.address = Ipv4Address(static_cast<uint32_t>(all.number(0)));
    lease.state = static_cast<LeaseState>(state);
    std::copy(mac.begin(), mac.end(), lease.mac.bytes.begin());
    lease.client = all.bytes(3);
    lease.host_name = all.bytes(4);
    lease.started_s = all.number(5);
    lease.ends_s = all.number(6);
    leases.push_back(std::move(lease));
  }
  if (code != SQLITE_DONE) return fault("cannot be read");
  return leases;
}

Result<void> LeaseStore::commit(std::span<const LeaseChange> changes) {
  if (changes.empty()) return {};
  if (auto begun = run("BEGIN"); !begun) return begun;
  for (const LeaseChange& change : changes) {
    auto written = write(change);
    if (written) continue;
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    return written;
  }
  auto done = run("COMMIT");
  if (!done) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Result<void> LeaseStore::write(const LeaseChange& change) {
  const Lease& lease = change.lease;
  sqlite3_stmt* statement = change.is_gone ? erase_ : put_;
  sqlite3_bind_int64(statement, 1, lease.address.number);
  if (!change.is_gone) {
    sqlite3_bind_int(statement, 2, static_cast<int>(lease.state));
    sqlite3_bind_blob(statement, 3, lease.mac.bytes.data(),
                      static_cast<int>(lease.mac.bytes.size()), SQLITE_STATIC);
    sqlite3_bind_blob(statement, 4, lease.client.data(), static_cast<int>(lease.client.size()),
                      SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, lease.host_name.data(),
                      static_cast<int>(lease.host_name.size()), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 6, lease.started_s);
    sqlite3_bind_int64(statement, 7, lease.ends_s);
  }
  int code = sqlite3_step(statement);
  Result<void> outcome;
  if (code != SQLITE_DONE) outcome = fault("cannot be written");
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return outcome;
}

Result<void> LeaseStore::run(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fault("cannot be used");
}

Error LeaseStore::fault(const std::string& what) const {
  int code = sqlite3_errcode(database_) & 0xFF;
  if (code == SQLITE_BUSY) return {ErrorCode::unavailable, path_ + " is in use by another program"};
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT || what == "is damaged") {
    return {ErrorCode::invalid,
            path_ + " is damaged; put a backup in its place, or remove it to begin without leases"};
  }
  return {ErrorCode::failed, path_ + " " + what + ": " + sqlite3_errmsg(database_)};
}

}  // namespace postern::dhcp
