// SPDX-License-Identifier: BSD-3-Clause
// Database: state that outlives a power cut, in one SQLite file of ours. What a transaction has
// returned from is on the disk (write-ahead log, synchronous=FULL).
//
// A file that is missing is made whole beside its place and then moved there; so one that is empty,
// damaged or of another program is an error that names it, and is never replaced by a new one. One
// process has it at a time. Thread: whoever has it; one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace postern::sqlite {

// What makes a file one of ours.
struct Form {
  int application_id = 0;
  int version = 0;
  const char* schema = "";   // CREATE TABLE ...; for a new file
  const char* kind = "";     // "lease file"
  const char* without = "";  // how one begins anew: "leases", as in "to begin without leases"
};

// A prepared statement. Columns and parameters that are not there read as 0 and empty, and bind to
// nothing. Ends before its Database.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Parameters count from 1. Octets are copied.
  Statement& bind(int parameter, int64_t number);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view octets);
  Statement& bind_null(int parameter);

  // The next row is there.
  bool step();
  // After step() returned false: whether that was the end, not an error.
  bool is_done() const { return is_done_; }
  // For the next use; parameters are empty again.
  void reset();

  // Columns count from 0. Views are valid until the next step().
  int64_t number(int column) const;
  std::string_view octets(int column) const;
  std::string text(int column) const { return std::string(octets(column)); }
  bool is_null(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
  bool is_done_ = false;
};

class Database {
 public:
  // `form` has static texts.
  static Result<std::unique_ptr<Database>> open(const std::string& path, const Form& form);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Statement> prepare(const char* sql);
  Result<void> run(const char* sql);
  // Steps a statement that returns no rows, and resets it.
  Result<void> execute(Statement& statement);
  // All that `work` does, or nothing of it.
  Result<void> transaction(const std::function<Result<void>()>& work);
  // What is wrong, with the file's name and what to do about it.
  Error fault(const std::string& what) const;

 private:
  Database(std::string path, const Form& form, sqlite3* database);
  Result<void> check();
  Result<void> prepare_file();

  std::string path_;
  Form form_;
  sqlite3* database_;
};

}  // namespace postern::sqlite
