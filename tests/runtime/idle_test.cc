// SPDX-License-Identifier: BSD-3-Clause
// Workers that sleep (P10): how soon a frame leaves that finds its worker asleep, and what sleeping
// costs. On rings, where a worker can but nap, and on TAPs, whose frames wake it. The figures are
// printed; the bounds are those of a busy machine.
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "control/compile/compile.h"
#include "control/config/load.h"
#include "dataplane/runtime/cpu_latency.h"
#include "runtime/ring_bed.h"
#include "support/packet_builder.h"
#include "support/temporary_directory.h"

namespace postern::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kOffice[] = R"(
version: 1
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.1.1/24 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
routes: [ { to: default, via: 203.0.113.1 } ]
nat: { source: [ { out: wan, action: masquerade } ] }
filter: { rules: [ { name: out, in: lan, out: wan, action: permit } ] }
)";
constexpr unsigned kWakes = 400;
constexpr auto kPatience = std::chrono::seconds(5);

// Time on a core so far, of the first worker.
std::chrono::nanoseconds worker_time() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    int64_t ns = 0;
    std::ifstream(task.path() / "schedstat") >> ns;
    if (name == "postern-w0") return std::chrono::nanoseconds(ns);
  }
  return {};
}

double share_when_quiet() {
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto began = Clock::now();
  const auto before = worker_time();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return std::chrono::duration<double>(worker_time() - before) /
         std::chrono::duration<double>(Clock::now() - began);
}

struct Delays {
  std::vector<double> us;
  unsigned lost = 0;
  double at(double share) {
    std::ranges::sort(us);
    return us.empty() ? 0 : us[static_cast<size_t>(share * static_cast<double>(us.size() - 1))];
  }
};

// Sends a frame into the quiet, again and again; `arrives` tells whether it has come out.
template <typename Send, typename Arrives>
Delays measure(const Send& send, const Arrives& arrives) {
  Delays delays;
  for (unsigned i = 0; i < kWakes; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(1000 + i * 7919 % 2000));
    const auto began = Clock::now();
    send();
    bool has_come = false;
    while (!has_come && Clock::now() - began < kPatience)
      has_come = arrives();
    if (!has_come) ++delays.lost;
    delays.us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  return delays;
}

void tell(const char* what, Delays& delays, double share) {
  std::printf("%s: wake-up p50 %.0f us, p99 %.0f us, worst %.0f us; %.2f %% of a core when quiet\n",
              what, delays.at(0.5), delays.at(0.99), delays.at(1), share * 100);
}

Frame request(MacAddress gateway, unsigned host = 0) {
  return udp("192.168.1." + std::to_string(10 + host) + ":5000", "198.51.100.7:53")
      .to_mac(gateway)
      .build();
}

// An end of a TAP as the kernel's side has it.
class TapEnd {
 public:
  explicit TapEnd(const std::string& name) : socket_(socket(AF_PACKET, SOCK_RAW, 0)) {
    sockaddr_ll address = {};
    address.sll_family = AF_PACKET;
    address.sll_protocol = __builtin_bswap16(0x0800);
    address.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
    REQUIRE(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~TapEnd() { close(socket_); }
  TapEnd(const TapEnd&) = delete;
  TapEnd& operator=(const TapEnd&) = delete;
  void put(std::span<const uint8_t> frame) const {
    CHECK(send(socket_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()));
  }
  // An UDP packet to 198.51.100.7 has come.
  bool has_come() const {
    uint8_t frame[2048];
    const ssize_t n = recv(socket_, frame, sizeof frame, MSG_DONTWAIT);
    constexpr uint8_t kRemote[] = {198, 51, 100, 7};
    return n > 34 && frame[23] == protocol::udp && std::memcmp(frame + 30, kRemote, 4) == 0;
  }

 private:
  int socket_;
};

// What all programs together ask of the processor, in microseconds; none where nobody can ask.
std::optional<int32_t> asked_of_processor() {
  std::ifstream file("/dev/cpu_dma_latency", std::ios::binary);
  int32_t us = 0;
  if (!file.read(reinterpret_cast<char*>(&us), sizeof us)) return std::nullopt;
  return us;
}

bool may_make_taps() {
  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd >= 0) close(fd);
  return fd >= 0 && geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
}

}  // namespace

TEST_CASE("runtime/idle: a napping worker loses nothing and is soon awake", "[P10]") {
  RingBed bed(1);
  REQUIRE(bed.load(kOffice));
  const Frame frame = request(bed.gateway_mac("lan"));
  bed.inject("lan", frame.bytes());  // the neighbor is known from here on
  const double share = share_when_quiet();
  auto delays = measure([&] { bed.wire("lan").put(0, frame.bytes()); },
                        [&] { return !bed.wire("wan").take().empty(); });
  tell("naps", delays, share);
  CHECK(delays.lost == 0);
  CHECK(delays.at(0.5) < 5000);
  CHECK(share < 0.5);
}

TEST_CASE("runtime/cpu_latency: what is asked is written to the kernel, and failing is told") {
  const TemporaryDirectory folder;
  const CpuLatency::Places places{folder.path() + "/device", folder.path() + "/driver"};
  {
    CpuLatency none(places);
    auto refused = none.request(20);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.find(places.device + ": No such file") != std::string::npos);
  }
  const auto with_driver = [&](const char* name) {
    std::ofstream(places.device).flush();
    std::ofstream(places.driver) << name << "\n";
    return CpuLatency(places).request(70'000);
  };
  CHECK(with_driver("haltpoll"));
  int32_t asked = 0;
  std::ifstream(places.device, std::ios::binary)
      .read(reinterpret_cast<char*>(&asked), sizeof asked);
  CHECK(asked == 70'000);
  auto vain = with_driver("none");
  REQUIRE_FALSE(vain);
  CHECK(vain.error().text.find("no driver of idle states") != std::string::npos);
}

TEST_CASE("runtime/idle: a worker whose ports can tell sleeps until they do", "[P10]") {
  const unsigned workers = GENERATE(1u, 2u);
  if (!may_make_taps()) {
    WARN("needs the right to make TAPs");
    return;
  }
  start_test_eal();
  config::Loaded loaded = config::load(kOffice);
  REQUIRE(loaded.ok());
  DataplaneSettings settings;
  settings.hugepages = Hugepages::off;
  settings.memory_mib = 256;
  settings.wake_us = 0;
  settings.workers = workers;
  const char* names[] = {"pidle-lan", "pidle-wan"};
  for (InterfaceId id = 0; id < 2; ++id) {
    PortSpec port;
    port.id = id;
    port.name = loaded.model.interfaces[id].name;
    port.kind = PortKind::vdev;
    port.device = "net_tap_idle" + std::to_string(id) + ",iface=" + names[id];
    port.host_path = false;
    settings.ports.push_back(port);
  }
  auto dataplane = Dataplane::create(settings);
  if (!dataplane) FAIL(dataplane.error().text);
  CHECK(asked_of_processor().value_or(0) == 0);
  CompileInputs inputs;
  for (InterfaceId id = 0; id < 2; ++id)
    inputs.ports.push_back({(*dataplane)->mac_of(id), 0});
  auto policy = compile(loaded.model, inputs);
  REQUIRE(policy);
  (*dataplane)->neighbors().set(1, Ipv4Address(203, 0, 113, 1), MacAddress{{2, 0, 0, 0, 1, 1}});
  (*dataplane)->policies().publish(policy->get());
  REQUIRE((*dataplane)->start_workers());
  REQUIRE((*dataplane)->start_ports());
  {
    const TapEnd lan(names[0]), wan(names[1]);
    // Hosts of all workers; the kernel chooses the queue, and so the worker that receives.
    uint8_t host = 0;
    const auto send = [&] { lan.put(request((*dataplane)->mac_of(0), host++ % 16).bytes()); };
    const double share = share_when_quiet();
    auto delays = measure(send, [&] { return wan.has_come(); });
    tell(workers == 1 ? "woken, wake_us 0" : "woken, wake_us 0, two workers", delays, share);
    uint64_t handed_off = 0;
    for (WorkerId id = 0; id < workers; ++id)
      handed_off += (*dataplane)->counters(id).handed_off.read();
    CHECK((handed_off > 0) == (workers > 1));
    const uint64_t turns = (*dataplane)->counters(0).turns.read();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    CHECK((*dataplane)->counters(0).turns.read() - turns < 1000);  // 200 us naps make 2,500
    CHECK(delays.lost == 0);
    CHECK(delays.at(0.5) < 5000);
    CHECK(share < 0.1);
  }
  (*dataplane)->stop();
}

}  // namespace postern::test
