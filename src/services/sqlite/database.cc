// SPDX-License-Identifier: BSD-3-Clause
#include "services/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace postern::sqlite {
namespace {

void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

// Leaves the file at its place only once it is whole and on disk.
Result<void> make_file(const std::string& path, const Form& form) {
  const std::string fresh = path + ".new";
  for (const char* suffix : {"", "-journal", "-wal", "-shm"})
    std::remove((fresh + suffix).c_str());
  sqlite3* database = nullptr;
  int code = sqlite3_open_v2(fresh.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             nullptr);
  const std::string sql =
      "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA synchronous=FULL; BEGIN; "
      "PRAGMA application_id=" +
      std::to_string(form.application_id) +
      "; PRAGMA user_version=" + std::to_string(form.version) + "; " + form.schema + " COMMIT;";
  if (code == SQLITE_OK) code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  const std::string reason = sqlite3_errmsg(database);
  sqlite3_close(database);
  if (code != SQLITE_OK) return Error{ErrorCode::failed, fresh + ": " + reason};
  if (std::rename(fresh.c_str(), path.c_str()) != 0)
    return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  sync_folder_of(path);
  return {};
}

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), is_done_(other.is_done_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(is_done_, other.is_done_);
  return *this;
}

Statement& Statement::bind(int parameter, int64_t number) {
  sqlite3_bind_int64(statement_, parameter, number);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_, parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view octets) {
  // A null pointer would be NULL.
  const char* first = octets.empty() ? "" : octets.data();
  sqlite3_bind_blob64(statement_, parameter, first, octets.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  sqlite3_bind_null(statement_, parameter);
  return *this;
}

bool Statement::step() {
  const int code = statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_);
  is_done_ = code == SQLITE_DONE;
  return code == SQLITE_ROW;
}

void Statement::reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::octets(int column) const {
  const void* first = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return first == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(first), size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(std::string path, const Form& form, sqlite3* database)
    : path_(std::move(path)), form_(form), database_(database) {}

Database::~Database() {
  sqlite3_close(database_);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const Form& form) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
    if (auto made = make_file(path, form); !made) return made.error();
  } else if (facts.st_size == 0) {
    return Error{ErrorCode::invalid,
                 path + " is empty; put a backup in its place, or remove it to begin without " +
                     form.without};
  }
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
  auto database = std::unique_ptr<Database>(new Database(path, form, handle));
  if (code != SQLITE_OK) return database->fault("cannot be opened");
  sqlite3_extended_result_codes(handle, 1);
  if (auto checked = database->check(); !checked) return checked.error();
  if (auto prepared = database->prepare_file(); !prepared) return prepared.error();
  return database;
}

// Before anything is written.
Result<void> Database::check() {
  if (auto done = run("PRAGMA locking_mode=EXCLUSIVE"); !done) return done;
  auto whole = prepare("PRAGMA quick_check(1)");
  if (!whole) return whole.error();
  if (!whole->step() || whole->octets(0) != "ok") return fault("is damaged");
  auto id = prepare("PRAGMA application_id");
  if (!id) return id.error();
  auto version = prepare("PRAGMA user_version");
  if (!version) return version.error();
  if (!id->step() || !version->step()) return fault("is damaged");
  if (id->number(0) == form_.application_id && version->number(0) == form_.version) return {};
  return Error{ErrorCode::invalid, path_ + " is no " + form_.kind + " of this version of Postern"};
}

Result<void> Database::prepare_file() {
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                          "PRAGMA cache_size=-1024", "PRAGMA temp_store=MEMORY"}) {
    if (auto done = run(sql); !done) return done;
  }
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fault("cannot be used");
  return Statement(statement);
}

Result<void> Database::run(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fault("cannot be used");
}

Result<void> Database::execute(Statement& statement) {
  Result<void> outcome;
  if (statement.step() || !statement.is_done()) outcome = fault("cannot be written");
  statement.reset();
  return outcome;
}

Result<void> Database::transaction(const std::function<Result<void>()>& work) {
  if (auto begun = run("BEGIN"); !begun) return begun;
  auto done = work();
  if (done) done = run("COMMIT");
  // Some failures have ended the transaction already.
  if (!done && sqlite3_get_autocommit(database_) == 0)
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Error Database::fault(const std::string& what) const {
  const int code = sqlite3_errcode(database_) & 0xFF;
  if (code == SQLITE_BUSY) return {ErrorCode::unavailable, path_ + " is in use by another program"};
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT || what == "is damaged") {
    return {ErrorCode::invalid,
            path_ + " is damaged; put a backup in its place, or remove it to begin without " +
                form_.without};
  }
  return {ErrorCode::failed, path_ + " " + what + ": " + sqlite3_errmsg(database_)};
}

}  // namespace postern::sqlite
