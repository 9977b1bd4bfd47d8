// SPDX-License-Identifier: BSD-3-Clause
// LeaseStore: the leases on disk, in one SQLite file. What commit() has returned from outlives a
// power cut at any later moment (write-ahead log, synchronous=FULL).
//
// A file that is missing is made whole beside its place and then moved there; so one that is empty,
// damaged or of another program is an error that names it, and is never replaced by a new one. One
// process has it at a time. Thread: whoever has it; one at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/dhcp/lease.h"

struct sqlite3;
struct sqlite3_stmt;

namespace postern::dhcp {

// A lease as it is now, or that there is none at its address any more.
struct LeaseChange {
  Lease lease;
  bool is_gone = false;
};

class LeaseStore {
 public:
  static Result<std::unique_ptr<LeaseStore>> open(const std::string& path);
  ~LeaseStore();
  LeaseStore(const LeaseStore&) = delete;
  LeaseStore& operator=(const LeaseStore&) = delete;

  Result<std::vector<Lease>> load();
  // All of it or nothing, in one transaction.
  Result<void> commit(std::span<const LeaseChange> changes);

 private:
  LeaseStore(std::string path, sqlite3* database);
  Result<void> prepare();
  Result<void> check();
  Result<void> run(const char* sql);
  Result<void> write(const LeaseChange& change);
  Error fault(const std::string& what) const;

  std::string path_;
  sqlite3* database_;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* erase_ = nullptr;
};

}  // namespace postern::dhcp
