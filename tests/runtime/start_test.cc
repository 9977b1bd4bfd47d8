// SPDX-License-Identifier: BSD-3-Clause
// What is decided before and around the start: arguments, cores, checks of ports, errors.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "dataplane/runtime/clock.h"
#include "dataplane/runtime/cores.h"
#include "dataplane/runtime/doorbell.h"
#include "dataplane/runtime/eal.h"
#include "dataplane/runtime/host_pace.h"
#include "dataplane/runtime/nap.h"
#include "dataplane/runtime/port_device.h"
#include "dataplane/runtime/ports.h"
#include "runtime/fake_sysfs.h"
#include "runtime/ring_bed.h"

namespace postern::test {
namespace {

using Words = std::vector<std::string>;

bool has(const Words& words, const std::string& word) {
  return std::ranges::count(words, word) != 0;
}

// The error's text; "" for none.
template <typename T>
std::string error_of(const Result<T>& result) {
  return result ? "" : result.error().text;
}

PortSpec vdev(InterfaceId id, const std::string& device) {
  PortSpec port;
  port.id = id;
  port.name = "port" + std::to_string(id);
  port.kind = PortKind::vdev;
  port.device = device;
  port.host_path = false;
  return port;
}

}  // namespace

TEST_CASE("runtime/eal: hugepages are used when they suffice, else plain memory") {
  EalSettings settings;
  settings.memory_mib = 256;
  const Words huge = *eal_arguments(settings, 256);
  CHECK(has(huge, "--in-memory"));
  CHECK_FALSE(has(huge, "--no-huge"));
  const Words plain = *eal_arguments(settings, 255);
  CHECK(has(plain, "--no-huge"));
  CHECK(has(plain, "--no-shconf"));
  CHECK(has(plain, "256"));
  settings.hugepages = Hugepages::off;
  CHECK(has(*eal_arguments(settings, 4096), "--no-huge"));
  settings.hugepages = Hugepages::required;
  CHECK(has(*eal_arguments(settings, 256), "--in-memory"));
  CHECK(error_of(eal_arguments(settings, 10)) ==
        "system.memory: 256 MiB of hugepages are required, 10 MiB are free; reserve them with: "
        "sysctl -w vm.nr_hugepages=128");
}

TEST_CASE("runtime/eal: the PCI bus is left alone but for the devices named") {
  EalSettings settings;
  CHECK(has(*eal_arguments(settings, 0), "--no-pci"));
  settings.pci_devices = {"0000:03:00.0"};
  settings.extra_args = {"--log-level=8"};
  const Words words = *eal_arguments(settings, 0);
  CHECK_FALSE(has(words, "--no-pci"));
  CHECK(has(words, "0000:03:00.0"));
  CHECK(words.back() == "--log-level=8");
}

TEST_CASE("runtime/eal: instances with different folders do not share one") {
  EalSettings one, other;
  one.run_dir = "/run/postern";
  other.run_dir = "/run/postern-2";
  CHECK((*eal_arguments(one, 0))[2] != (*eal_arguments(other, 0))[2]);
}

TEST_CASE("runtime/eal: free hugepages of every size add up") {
  FakeSysfs sys;
  sys.write("kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "100");
  sys.write("kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1");
  CHECK(free_hugepages_mib(sys.root()) == 200 + 1024);
  CHECK(free_hugepages_mib(sys.root() + "/nowhere") == 0);
}

TEST_CASE("runtime/eal: no driver library is loaded beside the program", "[security]") {
  start_test_eal();
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    CHECK(line.find("librte_") == std::string::npos);
  }
}

TEST_CASE("runtime/cores: workers get the cores named, or the last ones") {
  CHECK(*pick_cores(2, {3, 1}, {0, 1, 2, 3}) == std::vector<uint32_t>{3, 1});
  CHECK(*pick_cores(2, {}, {0, 1, 2, 3}) == std::vector<uint32_t>{2, 3});
  CHECK(*pick_cores(1, {}, {5}) == std::vector<uint32_t>{5});
  CHECK(*pick_cores(3, {}, {0, 1}) == std::vector<uint32_t>{1, 0, 1});
  CHECK(error_of(pick_cores(2, {1}, {0, 1})).find("1 are named") != std::string::npos);
  CHECK(error_of(pick_cores(1, {9}, {0, 1})).find("core 9") != std::string::npos);
}

TEST_CASE("runtime/port_device: PCI addresses come in short and long form") {
  CHECK(full_pci_address("0000:03:00.0") == "0000:03:00.0");
  CHECK(full_pci_address("03:00.1") == "0000:03:00.1");
  CHECK(full_pci_address("eth0").empty());
}

TEST_CASE("runtime/port_device: a NIC that cannot be used says what to do") {
  FakeSysfs sys;
  CHECK(error_of(check_pci_device("eth0", sys.root())).find("no PCI address") != std::string::npos);
  CHECK(error_of(check_pci_device("03:00.0", sys.root())).find("no such device") !=
        std::string::npos);
  sys.make_nic("0000:03:00.0", "igb", "enp3s0");
  CHECK(error_of(check_pci_device("03:00.0", sys.root())) ==
        "pci:03:00.0: the kernel driver igb has it; run: prepare-host bind "
        "0000:03:00.0");
  sys.make_nic("0000:04:00.0", "", "");
  CHECK(error_of(check_pci_device("04:00.0", sys.root())).find("bound to no driver") !=
        std::string::npos);
  sys.make_nic("0000:05:00.0", "vfio-pci", "");
  CHECK(error_of(check_pci_device("05:00.0", sys.root())).empty());
}

TEST_CASE("runtime/ports: wrong ports are refused before anything is touched") {
  PortSpec port = vdev(0, "net_null0");
  CHECK(error_of(check_ports({port})).empty());
  CHECK(error_of(check_ports({vdev(0, "net_bogus0")})).find("no driver is called net_bogus0") !=
        std::string::npos);
  CHECK(error_of(check_ports({vdev(0, "net_nullable")})).find("no driver") != std::string::npos);
  CHECK(error_of(check_ports({port, vdev(1, "net_null0")})).find("another interface") !=
        std::string::npos);
  CHECK(error_of(check_ports({port, vdev(0, "net_null1")})).find("id") != std::string::npos);
  CHECK(error_of(check_ports({vdev(kInterfacesMax, "net_null1")})).find("more interfaces") !=
        std::string::npos);
  port.mtu = kMtuMax + 1;
  CHECK(error_of(check_ports({port})).find("mtu") != std::string::npos);
  port = vdev(0, "net_null0");
  port.host_path = true;
  port.host_device = "a-name-too-long-";
  CHECK(error_of(check_ports({port})).find("host device") != std::string::npos);
  port = vdev(0, "nowhere0");
  port.kind = PortKind::kernel;
  CHECK(error_of(check_ports({port})).find("the kernel has no such interface") !=
        std::string::npos);
}

TEST_CASE("runtime: no port starts before a policy is in force", "[F01]") {
  start_test_eal();
  DataplaneSettings settings;
  settings.hugepages = Hugepages::off;
  settings.memory_mib = 96;
  settings.ports = {vdev(0, "net_null0"), vdev(3, "net_null3")};
  settings.ports[1].mac = MacAddress{{2, 0, 0, 0, 0, 3}};
  auto created = Dataplane::create(settings);
  REQUIRE(error_of(created).empty());
  Dataplane& dataplane = **created;
  CHECK(error_of(dataplane.start_workers()).empty());
  CHECK(error_of(dataplane.start_ports()) == "no policy is in force, so no port may start");
  CHECK_FALSE(dataplane.port(0).is_started);
  CHECK(dataplane.port(0).driver == "net_null");
  CHECK(dataplane.driver_statistics(0).rx_packets == 0);
  CHECK(dataplane.mac_of(3) == *settings.ports[1].mac);
  CHECK_FALSE(dataplane.has_port(1));
  CHECK(dataplane.mac_of(1).is_zero());
  dataplane.stop();
  dataplane.stop();
  CHECK(dataplane.buffers().free == dataplane.buffers().total);
}

TEST_CASE("runtime: too little memory is told with what would do") {
  start_test_eal();
  DataplaneSettings settings;
  settings.hugepages = Hugepages::off;
  settings.memory_mib = 24;
  settings.ports = {vdev(0, "net_null0")};
  const std::string error = error_of(Dataplane::create(settings));
  CHECK(error.find("24 MiB are too few") != std::string::npos);
  settings.memory_mib = static_cast<uint32_t>(std::stoul(error.substr(error.rfind(' ') + 1)));
  CHECK(error_of(Dataplane::create(settings)).empty());
}

TEST_CASE("runtime/buffers: lie back to back, as AF_XDP reckons") {
  start_test_eal();
  Buffers buffers;
  Buffers::Need need;
  need.small = 2000;
  need.jumbo = 500;
  need.mtu_max = 9000;
  need.memory_mib = 64;
  REQUIRE(error_of(buffers.allocate(need)).empty());
  for (const uint16_t mtu : {uint16_t{1500}, uint16_t{9000}}) {
    rte_mempool* pool = buffers.pool_for(mtu);
    CHECK(pool->nb_mem_chunks == 1);
    const uint64_t object = rte_mempool_calc_obj_size(pool->elt_size, pool->flags, nullptr);
    CHECK(STAILQ_FIRST(&pool->mem_list)->len >= pool->populated_size * object);
    CHECK(STAILQ_FIRST(&pool->mem_list)->len < pool->populated_size * object + 4096);
  }
  CHECK(buffers.pool_of_room(1514) == buffers.pool_for(1500));
  CHECK(buffers.pool_of_room(9014) == buffers.pool_for(9000));
  CHECK(buffers.pool_of_room(20000) == nullptr);
}

TEST_CASE("runtime/nap: naps grow to the longest and start anew after a frame") {
  Nap nap;
  for (unsigned turn = 0; turn < Nap::kTurnsAwake; ++turn)
    CHECK(nap.next().ns == 0);
  CHECK(nap.next() == Nap::kNapMin);
  Duration length;
  for (int turn = 0; turn < 20; ++turn)
    length = nap.next();
  CHECK(length == Nap::kNapMax);
  nap.reset();
  CHECK(nap.next().ns == 0);
}

TEST_CASE("runtime/host_pace: a kernel that has never said anything is asked less and less often") {
  HostPace pace;
  Instant now{seconds(1).ns};
  CHECK(pace.is_due(now, false));
  for (int reading = 0; reading < 20; ++reading) {
    pace.note(now, false);
    CHECK_FALSE(pace.is_due(now + HostPace::kWaitMin, false));
    now = now + HostPace::kWaitMax;
    CHECK(pace.is_due(now, false));
  }
  pace.note(now, false);
  CHECK_FALSE(pace.is_due(now + Duration{HostPace::kWaitMax.ns / 2}, false));
  pace.note(now, true);
  CHECK(pace.is_due(now + HostPace::kWaitMin, false));
}

TEST_CASE("runtime/host_pace: quiet wires leave time to ask, after a few turns") {
  HostPace pace;
  pace.note(Instant{}, false);
  for (unsigned turn = 1; turn < HostPace::kQuietTurns; ++turn)
    CHECK_FALSE(pace.is_due(Instant{}, true));
  CHECK(pace.is_due(Instant{}, true));
  CHECK_FALSE(pace.is_due(Instant{}, false));
}

TEST_CASE("runtime/clock: time begins at zero and never goes back") {
  for (const uint64_t hz : {uint64_t{0}, uint64_t{1'000'000'000}}) {
    const SystemClock clock(hz);
    CHECK(clock.uses_tsc() == (hz != 0));
    Instant before = clock.now();
    CHECK(before.ns >= 0);
    CHECK(before < Instant{seconds(60).ns});
    for (int i = 0; i < 1000; ++i) {
      const Instant now = clock.now();
      CHECK(now >= before);
      before = now;
    }
  }
}

}  // namespace postern::test
