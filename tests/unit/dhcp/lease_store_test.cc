// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/lease_store.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "services/dhcp/lease_writer.h"
#include "unit/dhcp/build_message.h"

namespace postern::dhcp {
namespace {

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/postern-leases-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ + "/leases.db"; }

 private:
  std::string path_;
};

Lease lease_of(unsigned client) {
  Lease lease;
  lease.address = Ipv4Address(0xC0A80100 + client);
  lease.state = LeaseState::bound;
  lease.mac = test::mac_of(client);
  lease.client = std::string("\x01\x00\x02", 3) + static_cast<char>(client);
  lease.host_name = "pc" + std::to_string(client);
  lease.started_s = 1'700'000'000;
  lease.ends_s = client % 2 == 0 ? kNever : 1'700'000'000 + client;
  return lease;
}

std::vector<Lease> loaded(const std::string& file) {
  auto store = LeaseStore::open(file);
  REQUIRE(store);
  auto leases = (*store)->load();
  REQUIRE(leases);
  std::sort(leases->begin(), leases->end(),
            [](const Lease& a, const Lease& b) { return a.address < b.address; });
  return *leases;
}

std::string refusal(const std::string& file) {
  auto store = LeaseStore::open(file);
  if (!store) return store.error().text;
  auto leases = (*store)->load();
  return leases ? "" : leases.error().text;
}

}  // namespace

TEST_CASE("dhcp/lease_store: what was committed is there again", "[F46]") {
  Directory directory;
  CHECK(loaded(directory.file()).empty());
  {
    auto store = LeaseStore::open(directory.file());
    REQUIRE(store);
    std::vector<LeaseChange> changes{
        {lease_of(1), false}, {lease_of(2), false}, {lease_of(3), false}};
    REQUIRE((*store)->commit(changes));
    Lease renewed = lease_of(1);
    renewed.state = LeaseState::released;
    renewed.host_name = "other";
    LeaseChange gone{lease_of(3), true};
    REQUIRE((*store)->commit(std::vector<LeaseChange>{{renewed, false}, gone}));
  }
  auto leases = loaded(directory.file());
  REQUIRE(leases.size() == 2);
  CHECK(leases[0].state == LeaseState::released);
  CHECK(leases[0].host_name == "other");
  CHECK(leases[1] == lease_of(2));
}

TEST_CASE("dhcp/lease_store: a damaged file is refused, and left as it is", "[F46]") {
  Directory directory;
  {
    auto store = LeaseStore::open(directory.file());
    REQUIRE(store);
    std::vector<LeaseChange> changes;
    for (unsigned client = 1; client < 200; ++client)
      changes.push_back({lease_of(client), false});
    REQUIRE((*store)->commit(changes));
  }
  SECTION("emptied") {
    REQUIRE(truncate(directory.file().c_str(), 0) == 0);
  }
  SECTION("cut off") {
    REQUIRE(truncate(directory.file().c_str(), 5000) == 0);
  }
  SECTION("overwritten in the middle") {
    std::fstream file(directory.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(6000, 'x');
  }
  SECTION("not a database") {
    std::ofstream(directory.file()) << "leases? none";
  }
  auto before = std::filesystem::file_size(directory.file());
  std::string text = refusal(directory.file());
  INFO(text);
  CHECK(text.find(directory.file()) != std::string::npos);
  CHECK(text.find("remove it to begin without leases") != std::string::npos);
  CHECK(std::filesystem::file_size(directory.file()) == before);
}

TEST_CASE("dhcp/lease_store: the file of another program is refused") {
  Directory directory;
  std::string command = "python3 -c \"import sqlite3; c = sqlite3.connect('" + directory.file() +
                        "'); c.execute('create table lease (a)'); c.commit()\"";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(refusal(directory.file()).find("no lease file") != std::string::npos);
}

TEST_CASE("dhcp/lease_store: one process has it at a time") {
  Directory directory;
  auto first = LeaseStore::open(directory.file());
  REQUIRE(first);
  REQUIRE((*first)->commit(std::vector<LeaseChange>{{lease_of(1), false}}));
  CHECK(refusal(directory.file()).find("in use by another program") != std::string::npos);
}

TEST_CASE("dhcp/lease_writer: batches are on disk when it says so", "[F46]") {
  Directory directory;
  auto store = LeaseStore::open(directory.file());
  REQUIRE(store);
  uint64_t last = 0;
  LeaseWriter::Outcome outcome;
  {
    LeaseWriter writer(std::move(*store));
    for (unsigned client = 1; client <= 100; ++client)
      last = writer.write({{lease_of(client), false}, {lease_of(client + 100), false}});
    CHECK(last == 100);
    while (outcome.written < last) {
      pollfd ready{writer.fd(), POLLIN, 0};
      REQUIRE(poll(&ready, 1, 5000) == 1);
      outcome = writer.outcome();
      REQUIRE(outcome.refused == 0);
    }
    CHECK(outcome.commits < 100);  // grouped
    writer.write({{lease_of(201), false}});
  }
  CHECK(loaded(directory.file()).size() == 201);  // the end writes what is left
}

}  // namespace postern::dhcp
