// SPDX-License-Identifier: BSD-3-Clause
// LeaseStore: the leases on disk, in one file (services/sqlite/database.h). What commit() has
// returned from outlives a power cut at any later moment. Thread: whoever has it; one at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/dhcp/lease.h"
#include "services/sqlite/database.h"

namespace postern::dhcp {

// A lease as it is now, or that there is none at its address any more.
struct LeaseChange {
  Lease lease;
  bool is_gone = false;
};

class LeaseStore {
 public:
  static Result<std::unique_ptr<LeaseStore>> open(const std::string& path);

  Result<std::vector<Lease>> load();
  // All of it or nothing, in one transaction.
  Result<void> commit(std::span<const LeaseChange> changes);

 private:
  LeaseStore() = default;
  Result<void> write(const LeaseChange& change);

  std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement put_, erase_;
};

}  // namespace postern::dhcp
