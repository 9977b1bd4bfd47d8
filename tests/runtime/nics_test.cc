// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/nics.h"

#include <catch2/catch.hpp>

#include "runtime/fake_sysfs.h"

namespace postern::test {

TEST_CASE("runtime/nics: each device says how it can be used and what to do first") {
  FakeSysfs sys;
  sys.make_nic("0000:05:00.0", "vfio-pci", "");
  sys.make_nic("0000:03:00.0", "i40e", "enp3s0");
  sys.make_nic("0000:04:00.0", "tg3", "enp4s0");
  sys.write("bus/pci/devices/0000:00:1f.2/class", "0x010601");
  sys.make_interface("class/net/veth0", "02:00:00:00:00:01");
  sys.make_interface("class/net/slave0", "02:00:00:00:00:02");
  sys.link("class/net/slave0/master", "../br0");
  sys.write("class/net/lo/type", "772");
  // What a gateway that runs has made for its own packets is no port for another.
  sys.make_interface("class/net/gw-lan", "02:00:00:00:00:03");
  sys.write("class/net/gw-lan/ifalias", std::string(kHostDeviceAlias) + "lan");

  const auto nics = list_nics(sys.root());
  REQUIRE(nics.size() == 5);
  CHECK(nics[0].pci_address == "0000:03:00.0");
  CHECK(nics[0].pci_id == "8086:1572");
  CHECK(nics[0].kernel_name == "enp3s0");
  CHECK(nics[0].numa_node == 1);
  CHECK(nics[0].queues == 2);
  CHECK(nics[0].link_up);
  CHECK(to_text(nics[0].mac) == "02:00:00:00:00:09");
  CHECK(nics[0].port_specs == std::vector<std::string>{"kernel:enp3s0"});
  CHECK(nics[0].remark.find("prepare-host bind 0000:03:00.0") != std::string::npos);
  CHECK(nics[1].driver == "tg3");
  CHECK(nics[1].remark.find("no driver for devices of tg3") != std::string::npos);
  CHECK(nics[2].port_specs == std::vector<std::string>{"pci:0000:05:00.0"});
  CHECK(nics[2].remark.empty());
  CHECK(nics[3].kernel_name == "slave0");
  CHECK(nics[3].port_specs.empty());
  CHECK(nics[3].remark == "belongs to br0");
  CHECK(nics[4].port_specs == std::vector<std::string>{"kernel:veth0"});
}

TEST_CASE("runtime/nics: a machine without sysfs has none") {
  CHECK(list_nics("/nonexistent").empty());
}

}  // namespace postern::test
