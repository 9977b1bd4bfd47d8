// SPDX-License-Identifier: BSD-3-Clause
// Workers share no line of memory that one of them writes: pipelines take turns over what a NIC
// would give each of them, and every load and store is recorded (access_log.h).
#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "control/compile/compile.h"
#include "control/config/load.h"
#include "dataplane/pipeline/pipeline.h"
#include "sharing/access_log.h"
#include "support/packet_builder.h"

namespace postern::test {
namespace {

constexpr char kOffice[] = R"(
version: 1
system: { limits: { sessions: 4096, mappings: 4096, hosts: 1024, sessions_from_host: 512 } }
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.1.1/22 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
routes:
  - { to: default, via: 203.0.113.1 }
nat:
  source: [ { out: wan, action: masquerade, filtering: address_dependent } ]
filter:
  rules:
    - { name: out, in: lan, out: wan, action: permit, log: true }
    - { name: rest, action: drop, log: true }
)";

constexpr InterfaceId kLan = 0, kWan = 1;
constexpr MacAddress kLanMac{{2, 0, 0, 0, 0, 1}}, kWanMac{{2, 0, 0, 0, 0, 2}};
constexpr size_t kFrameRoom = 256;

std::unique_ptr<Policy> policy_for(const Shards& shards, uint32_t generation) {
  config::Loaded loaded = config::load(kOffice);
  REQUIRE(loaded.ok());
  CompileInputs inputs;
  inputs.shards = shards;
  inputs.generation = generation;
  inputs.ports = {{kLanMac, 0}, {kWanMac, 0}};
  auto policy = compile(loaded.model, inputs);
  REQUIRE(policy.has_value());
  return std::move(policy).value();
}

// What a worker and the threads around it have.
struct alignas(kOwnLines) Worker {
  WorkerCounters own_counters;
  SpscRing<LogRecord> log{kLogRing};
  SpscRing<ControlEvent> events{kEventRing};
  std::unique_ptr<Pipeline> pipeline;
  Outbox outbox;
  std::array<Packet, kBurstMax> burst;
  unsigned count = 0;
  TableArray<std::array<uint8_t, kFrameRoom>> frames{kBurstMax};
};

class Office {
 public:
  Office(unsigned workers, AccessLog& log, WorkerCounters* counters_of_all = nullptr)
      : shards_(workers), log_(log), policy_(policy_for(shards_, 1)) {
    neighbors_.set(kWan, Ipv4Address(203, 0, 113, 1), MacAddress{{2, 0, 0, 0, 1, 1}});
    for (unsigned i = 0; i < 1000; ++i) {
      neighbors_.set(
          kLan, host(i),
          MacAddress{{2, 0, 0, 1, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}});
    }
    for (unsigned id = 0; id < workers; ++id) {
      workers_.push_back(std::make_unique<Worker>());
      Worker& worker = *workers_.back();
      Pipeline::Settings settings;
      settings.worker = static_cast<WorkerId>(id);
      settings.shards = shards_;
      settings.limits = {8192 / workers, 2048 / workers, 64, 0};
      settings.mappings_max = 8192 / workers;
      settings.seed = HashSeed{{1, 2}};
      settings.random_seed = id + 1;
      worker.pipeline = std::make_unique<Pipeline>(
          settings,
          Pipeline::Shared{&neighbors_, &worker.log, &worker.events,
                           counters_of_all != nullptr ? counters_of_all : &worker.own_counters});
    }
  }

  // Everything that workers do, again and again, while others do it too.
  void work() {
    for (uint16_t round = 0; round < 3; ++round) {
      for (int again = 0; again < 4; ++again)
        talk(round, again == 0);
      flood();
      now_ = now_ + seconds(2);
      // Every session is judged again. The memory of the old policy must not become another
      // worker's.
      retired_.push_back(std::move(policy_));
      policy_ = policy_for(shards_, round + 2u);
    }
    now_ = now_ + seconds(100000);  // every session ends
    for (int turn = 0; turn < 100; ++turn) {
      for (unsigned id = 0; id < workers_.size(); ++id)
        run(id);
    }
  }

  // Loads and stores for a packet of a session that exists, in full bursts at every worker.
  double cost_of_established() {
    uint64_t accesses = 0, packets = 0;
    // Until nothing is left to judge under the first policy.
    for (int turn = 0; turn < 200; ++turn)
      run_all();
    for (int round = 0; round < 6; ++round) {
      std::vector<unsigned> given(workers_.size());
      for (unsigned number = 0; number < 1000; ++number) {
        const WorkerId id = shards_.owner_of(host(number));
        if (given[id]++ >= kBurstMax) continue;
        const std::string from = to_text(host(number)) + ":5000";
        receive(id, kLan, udp(from, "198.51.100.7:443").to_mac(kLanMac).build());
      }
      const uint64_t before = log_.accesses();
      for (unsigned id = 0; id < workers_.size(); ++id) {
        REQUIRE(workers_[id]->count == kBurstMax);
        packets += round < 2 ? 0 : kBurstMax;
        run(id);
      }
      accesses += round < 2 ? 0 : log_.accesses() - before;
    }
    return static_cast<double>(accesses) / static_cast<double>(packets);
  }

  uint64_t sum(Counter WorkerCounters::*counter) const {
    uint64_t total = 0;
    for (const auto& worker : workers_)
      total += (worker->own_counters.*counter).read();
    return total;
  }

 private:
  static Ipv4Address host(unsigned number) {
    return Ipv4Address(Ipv4Address(192, 168, 0, 2).number + number);
  }

  // Hosts speak and are answered.
  void talk(uint16_t round, bool is_first) {
    for (unsigned i = 0; i < 400; ++i) {
      const std::string from = to_text(host(i)) + ":" + std::to_string(3000 + 10 * round + i % 7);
      PacketBuilder packet =
          i % 3 == 0 ? tcp(from, "198.51.100.7:443") : udp(from, "198.51.100.7:443");
      if (i % 3 == 0) is_first ? packet.syn() : packet.ack();
      receive(shards_.owner_of(host(i)), kLan, packet.to_mac(kLanMac).build());
    }
    run_all();
    for (const auto& [is_tcp, port] : std::exchange(seen_, {})) {
      const std::string to = "203.0.113.2:" + std::to_string(port);
      PacketBuilder packet = is_tcp ? tcp("198.51.100.7:443", to) : udp("198.51.100.7:443", to);
      if (is_tcp) is_first ? packet.syn_ack() : packet.ack();
      receive(shards_.slice_of(port), kWan, packet.to_mac(kWanMac).build());
    }
    run_all();
    seen_.clear();
  }

  void flood() {
    for (unsigned i = 0; i < 500; ++i) {
      const auto port = static_cast<uint16_t>(random_() | 1);
      const std::string to = "203.0.113.2:" + std::to_string(port);
      receive(shards_.slice_of(port), kWan,
              udp("198.51.100.9:" + std::to_string(1024 + i), to).to_mac(kWanMac).build());
    }
    run_all();
  }

  void receive(WorkerId id, InterfaceId ingress, const Frame& frame) {
    Worker& worker = *workers_[id];
    if (worker.count == kBurstMax) run(id);
    uint8_t* room = worker.frames[worker.count].data() + kHeadroomMin;
    std::copy(frame.bytes().begin(), frame.bytes().end(), room);
    Packet packet;
    packet.frame = room;
    packet.buffer = room;
    packet.length = static_cast<uint16_t>(frame.bytes().size());
    packet.ingress = ingress;
    worker.burst[worker.count++] = packet;
  }

  void run_all() {
    for (unsigned id = 0; id < workers_.size(); ++id)
      run(id);
  }

  void run(unsigned id) {
    Worker& worker = *workers_[id];
    log_.begin(id);
    worker.pipeline->process({worker.burst.data(), worker.count}, policy_.get(), now_,
                             worker.outbox);
    worker.pipeline->turn(policy_.get(), now_, worker.outbox);
    log_.end();
    worker.count = 0;
    for (const Outbox::Item& item : worker.outbox.items()) {
      REQUIRE(item.verdict.fate != Fate::hand_off);
      if (item.verdict.fate != Fate::forward || item.packet->egress != kWan) continue;
      const uint8_t* l4 = item.packet->frame + 34;
      seen_.emplace_back(item.packet->frame[23] == protocol::tcp,
                         static_cast<uint16_t>(l4[0] << 8 | l4[1]));
    }
    worker.outbox.clear();
    LogRecord record;
    while (worker.log.pop({&record, 1}) == 1)
      continue;
  }

  Shards shards_;
  AccessLog& log_;
  std::unique_ptr<Policy> policy_;
  std::vector<std::unique_ptr<Policy>> retired_;
  NeighborTable neighbors_{HashSeed{{3, 5}}};
  std::vector<std::unique_ptr<Worker>> workers_;
  Instant now_{1'000'000'000};
  std::vector<std::pair<bool, uint16_t>> seen_;  // TCP or not, and external port
  std::mt19937 random_{7};
};

// Lines that one worker writes and another one reads or writes.
unsigned conflicts(const AccessLog& log) {
  unsigned count = 0;
  for (const auto& [line, use] : log.lines()) {
    const uint64_t all = use.readers | use.writers;
    if (use.writers == 0 || (all & (all - 1)) == 0) continue;
    if (++count > 8) continue;
    UNSCOPED_INFO("line " << std::hex << line * log.line_bytes() << ": written by " << use.writers
                          << ", read by " << use.readers << ", lately by the code at "
                          << use.writer);
  }
  return count;
}

}  // namespace

TEST_CASE("sharing: no worker writes a line that another one reads or writes") {
  const unsigned workers = GENERATE(1u, 2u, 4u, 8u);
  AccessLog log(kOwnLines);
  Office office(workers, log);
  office.work();
  CAPTURE(workers, log.accesses());
  CHECK(conflicts(log) == 0);
  // Something did happen, at each of them.
  CHECK(office.sum(&WorkerCounters::sessions_created) >= 1000);
  CHECK(office.sum(&WorkerCounters::sessions_expired) >= 1000);
  CHECK(office.sum(&WorkerCounters::log_records) >= 1000);
  CHECK(office.sum(&WorkerCounters::handed_off) == 0);
  std::array<unsigned, 8> written = {};
  for (const auto& [line, use] : log.lines()) {
    for (unsigned id = 0; id < workers; ++id)
      written[id] += use.writers >> id & 1;
  }
  for (unsigned id = 0; id < workers; ++id)
    CHECK(written[id] > 500);
}

TEST_CASE("sharing: a packet costs a worker the same, however many there are") {
  AccessLog log(kOwnLines);
  const double alone = Office(1, log).cost_of_established();
  for (unsigned workers : {2u, 4u, 8u}) {
    const double cost = Office(workers, log).cost_of_established();
    CAPTURE(workers, alone, cost);
    CHECK(cost >= alone * 0.99);
    CHECK(cost <= alone * 1.01);
  }
  CHECK(alone > 20);
}

TEST_CASE("sharing: a line that two workers write is noticed") {
  AccessLog log(64);
  auto together = std::make_unique<WorkerCounters>();
  Office office(2, log, together.get());
  office.work();
  CHECK(conflicts(log) > 0);
}

}  // namespace postern::test
