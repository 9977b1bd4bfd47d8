// SPDX-License-Identifier: BSD-3-Clause
#include <linux/rtnetlink.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "dataplane/runtime/kernel_port.h"
#include "runtime/fake_sysfs.h"

namespace postern::test {
namespace {

NetlinkMessage message(uint8_t fill) {
  NetlinkMessage bytes(32, fill);
  auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
  header->nlmsg_len = static_cast<uint32_t>(bytes.size());
  header->nlmsg_type = RTM_NEWADDR;
  return bytes;
}

KernelRecord sample() {
  KernelRecord record;
  record.interface = "enp4s0";
  record.was_up = true;
  record.was_promiscuous = true;
  record.mtu = 9000;
  record.made_hook = true;
  record.merging = 5;
  record.ipv6_mode = 1;
  record.addresses = {message(7), message(8)};
  record.routes = {message(9)};
  return record;
}

}  // namespace

TEST_CASE("runtime/kernel_port: what was taken is read back as it was written") {
  const auto record = parse_kernel_record(to_text(sample()));
  REQUIRE(record);
  CHECK(record->interface == "enp4s0");
  CHECK(record->was_up);
  CHECK(record->was_promiscuous);
  CHECK(record->mtu == 9000);
  CHECK(record->made_hook);
  CHECK(record->merging == 5);
  CHECK(record->ipv6_mode == std::optional<uint8_t>(1));
  CHECK(record->addresses == sample().addresses);
  CHECK(record->routes == sample().routes);
}

TEST_CASE("runtime/kernel_port: a record that is no good is no record") {
  const std::string whole = to_text(sample());
  CHECK_FALSE(parse_kernel_record(""));
  CHECK_FALSE(parse_kernel_record("nonsense\n"));
  CHECK_FALSE(parse_kernel_record(whole.substr(0, whole.size() - 5)));
  for (size_t length = 0; length < whole.size() - 1; ++length) {
    CHECK_FALSE(parse_kernel_record(whole.substr(0, length)));
  }
  // Messages that contradict themselves are left out.
  std::string wrong = whole;
  wrong.replace(wrong.find("address ") + 8, 2, "ff");
  CHECK(parse_kernel_record(wrong)->addresses.size() == 1);
}

TEST_CASE("runtime/kernel_port: leftovers of interfaces that are gone are cleared away") {
  FakeSysfs folder;
  KernelRecord record = sample();
  record.interface = "gone-nowhere";
  std::ofstream(folder.root() + "/kernel-gone-nowhere.taken") << to_text(record);
  std::ofstream(folder.root() + "/kernel-kept.taken") << to_text([&] {
    record.interface = "kept";
    return record;
  }());
  give_back_leftovers(folder.root(), {"kept"});
  CHECK_FALSE(std::filesystem::exists(folder.root() + "/kernel-gone-nowhere.taken"));
  CHECK(std::filesystem::exists(folder.root() + "/kernel-kept.taken"));
}

}  // namespace postern::test
