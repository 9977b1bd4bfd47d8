// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/lease_store.h"

#include <algorithm>

namespace postern::dhcp {
namespace {

constexpr sqlite::Form kForm{
    .application_id = 0x50444843,  // "PDHC"
    .version = 1,
    .schema =
        "CREATE TABLE lease (address INTEGER PRIMARY KEY, state INTEGER NOT NULL,"
        " mac BLOB NOT NULL, client BLOB NOT NULL, host_name TEXT NOT NULL,"
        " started INTEGER NOT NULL, ends INTEGER NOT NULL) STRICT;",
    .kind = "lease file",
    .without = "leases",
};
constexpr int kLeasesMax = 4'000'000;  // rows read; more than all scopes can have

std::string_view view_of(const MacAddress& mac) {
  return {reinterpret_cast<const char*>(mac.bytes.data()), mac.bytes.size()};
}

}  // namespace

Result<std::unique_ptr<LeaseStore>> LeaseStore::open(const std::string& path) {
  auto database = sqlite::Database::open(path, kForm);
  if (!database) return database.error();
  auto store = std::unique_ptr<LeaseStore>(new LeaseStore());
  store->database_ = std::move(*database);
  auto put =
      store->database_->prepare("INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  if (!put) return put.error();
  auto erase = store->database_->prepare("DELETE FROM lease WHERE address = ?1");
  if (!erase) return erase.error();
  store->put_ = std::move(*put);
  store->erase_ = std::move(*erase);
  return store;
}

Result<std::vector<Lease>> LeaseStore::load() {
  auto all =
      database_->prepare("SELECT address, state, mac, client, host_name, started, ends FROM lease");
  if (!all) return all.error();
  std::vector<Lease> leases;
  while (leases.size() < kLeasesMax && all->step()) {
    const int64_t state = all->number(1);
    const std::string_view mac = all->octets(2);
    Lease lease;
    if (state < 1 || state > 4 || mac.size() != lease.mac.bytes.size())
      return database_->fault("is damaged");
    lease.address = Ipv4Address(static_cast<uint32_t>(all->number(0)));
    lease.state = static_cast<LeaseState>(state);
    std::copy(mac.begin(), mac.end(), lease.mac.bytes.begin());
    lease.client = all->octets(3);
    lease.host_name = all->octets(4);
    lease.started_s = all->number(5);
    lease.ends_s = all->number(6);
    leases.push_back(std::move(lease));
  }
  if (leases.size() < kLeasesMax && !all->is_done()) return database_->fault("cannot be read");
  return leases;
}

Result<void> LeaseStore::commit(std::span<const LeaseChange> changes) {
  if (changes.empty()) return {};
  return database_->transaction([&]() -> Result<void> {
    for (const LeaseChange& change : changes) {
      if (auto written = write(change); !written) return written;
    }
    return {};
  });
}

Result<void> LeaseStore::write(const LeaseChange& change) {
  const Lease& lease = change.lease;
  if (change.is_gone) return database_->execute(erase_.bind(1, int64_t{lease.address.number}));
  put_.bind(1, int64_t{lease.address.number}).bind(2, static_cast<int64_t>(lease.state));
  put_.bind_blob(3, view_of(lease.mac)).bind_blob(4, lease.client).bind(5, lease.host_name);
  return database_->execute(put_.bind(6, lease.started_s).bind(7, lease.ends_s));
}

}  // namespace postern::dhcp
