// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/dataplane.h"

#include <rte_cycles.h>
#include <rte_errno.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <thread>

#include "dataplane/runtime/buffers.h"
#include "dataplane/runtime/clock.h"
#include "dataplane/runtime/cores.h"
#include "dataplane/runtime/cpu_latency.h"
#include "dataplane/runtime/eal.h"
#include "dataplane/runtime/kernel_port.h"
#include "dataplane/runtime/port_device.h"
#include "dataplane/runtime/ports.h"
#include "dataplane/runtime/worker.h"

namespace postern {
namespace {

// The threads that DPDK makes leave every signal to ours.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

// SplitMix64: spreads one random seed over the workers.
uint64_t seed_for(uint64_t seed, WorkerId worker) {
  uint64_t value = seed + 0x9E3779B97F4A7C15u * (worker + uint64_t{1});
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

uint32_t share_of(uint32_t all, unsigned workers) {
  return std::max((all + workers - 1) / workers, 1u);
}

Instant read_system_clock(void* clock) {
  return static_cast<const SystemClock*>(clock)->now();
}

EalSettings eal_settings(const DataplaneSettings& settings) {
  EalSettings eal{settings.run_dir, settings.hugepages, settings.memory_mib, {}, settings.eal_args};
  for (const PortSpec& port : settings.ports) {
    if (port.kind == PortKind::pci) eal.pci_devices.push_back(full_pci_address(port.device));
  }
  return eal;
}

}  // namespace

struct Dataplane::State {
  explicit State(const DataplaneSettings& from)
      : settings(from),
        policies(from.workers),
        captures(from.workers),
        identities(from.workers),
        neighbors(from.hash_seed) {}
  ~State();

  Result<void> open();
  void limit_idle_depth();
  Result<void> make_hand_off_rings();
  void make_workers();
  Pipeline::Settings pipeline_settings(WorkerId id) const;
  void stop();
  const EthPort* wire(InterfaceId interface) const {
    return interface < kInterfacesMax ? ports.table()[interface].wire : nullptr;
  }

  DataplaneSettings settings;
  std::vector<uint32_t> cores;
  CpuLatency cpu_latency;
  std::vector<std::string> remarks;
  std::unique_ptr<SystemClock> system_clock;
  PolicySlot policies;
  CaptureSlot captures;
  IdentitySlot identities;
  NeighborTable neighbors;
  Doorbell log_bell, event_bell;
  Ports ports;
  std::vector<rte_ring*> hand_off_rings;  // by worker; empty with one worker
  std::vector<std::unique_ptr<WorkerDesk>> desks;
  std::vector<Doorbell*> bells;  // by worker: of its desk
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  std::atomic<bool> is_stopping{false};  // control: write, workers: read
  bool are_ports_started = false;
};

Dataplane::State::~State() {
  stop();
  for (rte_ring* ring : hand_off_rings)
    rte_ring_free(ring);
}

Result<void> Dataplane::State::open() {
  if (settings.workers == 0 || settings.workers > kWorkersMax) {
    return Error{ErrorCode::invalid, "system.workers.count: 1 to " + std::to_string(kWorkersMax)};
  }
  auto picked = pick_cores(settings.workers, settings.cores, allowed_cores());
  if (!picked) return std::move(picked).error();
  cores = *picked;
  if (auto checked = check_ports(settings.ports); !checked) return checked;

  std::vector<std::string> used;
  for (const PortSpec& port : settings.ports) {
    if (port.kind == PortKind::kernel) used.push_back(port.device);
  }
  if (!settings.run_dir.empty()) give_back_leftovers(settings.run_dir, used);
  {
    const NoSignals no_signals;
    if (auto started = start_eal(eal_settings(settings)); !started) return started;
    if (auto opened = ports.open(settings); !opened) return opened;
  }
  system_clock = std::make_unique<SystemClock>(has_even_tsc() ? rte_get_tsc_hz() : 0);
  if (settings.clock.now == nullptr) settings.clock = Clock{read_system_clock, system_clock.get()};
  if (auto made = make_hand_off_rings(); !made) return made;
  make_workers();
  remarks = ports.remarks();
  limit_idle_depth();
  return {};
}

void Dataplane::State::limit_idle_depth() {
  if (settings.idle == Idle::poll) return;
  auto requested = cpu_latency.request(settings.wake_us);
  if (!requested) remarks.push_back(std::move(requested).error().text);
}

Result<void> Dataplane::State::make_hand_off_rings() {
  if (settings.workers == 1) return {};
  const unsigned room = hand_off_room(settings.workers);
  for (unsigned worker = 0; worker < settings.workers; ++worker) {
    const std::string name = "postern_hand_off_" + std::to_string(worker);
    rte_ring* ring = rte_ring_create(name.c_str(), room, SOCKET_ID_ANY, RING_F_SC_DEQ);
    if (ring == nullptr) {
      return Error{ErrorCode::exhausted, "system.memory: no room for the rings between workers: " +
                                             eal_reason(rte_errno)};
    }
    hand_off_rings.push_back(ring);
  }
  return {};
}

Pipeline::Settings Dataplane::State::pipeline_settings(WorkerId id) const {
  const unsigned count = settings.workers;
  Pipeline::Settings pipeline;
  pipeline.worker = id;
  pipeline.shards = ports.shards();
  pipeline.limits.sessions = share_of(settings.sessions, count);
  pipeline.limits.hosts = share_of(settings.hosts, count);
  // A host's sessions go by its address to one worker, as a rule; so its limit is no worker's
  // share. Yet no limited host may have more than half of what its worker has for all (P05): of
  // sessions, and of mappings and the ports of one external address, which nobody gives up.
  pipeline.mappings_max = share_of(settings.mappings, count);
  constexpr uint32_t kPorts = 65536 - 1024;
  const uint32_t scarcest =
      std::min({pipeline.limits.sessions, pipeline.mappings_max, kPorts / count});
  pipeline.limits.from_host = std::min(settings.sessions_from_host, std::max(scarcest / 2, 1u));
  pipeline.limits.to_host = settings.sessions_to_host;
  pipeline.seed = settings.hash_seed;
  pipeline.random_seed = seed_for(settings.random_seed, id);
  return pipeline;
}

void Dataplane::State::make_workers() {
  for (unsigned i = 0; i < settings.workers; ++i) {
    desks.push_back(std::make_unique<WorkerDesk>());
    bells.push_back(&desks.back()->wake);
  }
  for (unsigned i = 0; i < settings.workers; ++i) {
    const auto id = static_cast<WorkerId>(i);
    Worker::Shared shared;
    shared.ports = &ports.table();
    shared.buffers = &ports.buffers();
    shared.hand_off_rings = hand_off_rings;
    shared.policies = &policies;
    shared.neighbors = &neighbors;
    shared.log_bell = &log_bell;
    shared.event_bell = &event_bell;
    shared.captures = &captures;
    shared.identities = &identities;
    shared.desk = desks[i].get();
    shared.bells = bells;
    shared.is_stopping = &is_stopping;
    const Worker::Settings worker{id, cores[i], settings.idle, settings.clock,
                                  pipeline_settings(id)};
    workers.push_back(std::make_unique<Worker>(worker, shared));
  }
}

void Dataplane::State::stop() {
  is_stopping.store(true, std::memory_order_release);
  for (Doorbell* bell : bells)
    bell->ring_sleeper();
  for (std::thread& thread : threads)
    thread.join();
  threads.clear();
  workers.clear();
  // What is still on its way between workers.
  for (rte_ring* ring : hand_off_rings) {
    void* buffer = nullptr;
    while (rte_ring_dequeue(ring, &buffer) == 0)
      rte_pktmbuf_free(static_cast<rte_mbuf*>(buffer));
  }
  ports.close();
  are_ports_started = false;
}

Dataplane::Dataplane(std::unique_ptr<State> state) : state_(std::move(state)) {}
Dataplane::~Dataplane() = default;

Result<std::unique_ptr<Dataplane>> Dataplane::create(const DataplaneSettings& settings) {
  auto state = std::make_unique<State>(settings);
  if (auto opened = state->open(); !opened) return std::move(opened).error();
  return std::unique_ptr<Dataplane>(new Dataplane(std::move(state)));
}

Result<void> Dataplane::start_workers() {
  if (!state_->threads.empty()) return {};
  if (state_->is_stopping) return Error{ErrorCode::failed, "the dataplane was stopped"};
  for (auto& worker : state_->workers) {
    std::promise<bool> settled;
    std::future<bool> is_settled = settled.get_future();
    state_->threads.emplace_back([&worker, settled = std::move(settled)]() mutable {
      const bool is_fit = worker->settle();
      settled.set_value(is_fit);
      if (is_fit) worker->run();
    });
    if (is_settled.get()) continue;
    state_->stop();
    return Error{ErrorCode::failed, "a worker does not start: " + eal_reason(rte_errno)};
  }
  return {};
}

Result<void> Dataplane::start_ports() {
  if (state_->policies.acquire() == nullptr) {
    return Error{ErrorCode::failed, "no policy is in force, so no port may start"};
  }
  if (state_->is_stopping) return Error{ErrorCode::failed, "the dataplane was stopped"};
  auto started = state_->ports.start();
  state_->are_ports_started = started.has_value();
  return started;
}

void Dataplane::stop() {
  state_->stop();
}

PolicySlot& Dataplane::policies() {
  return state_->policies;
}
IdentitySlot& Dataplane::identities() {
  return state_->identities;
}
NeighborTable& Dataplane::neighbors() {
  return state_->neighbors;
}
SpscRing<LogRecord>& Dataplane::log_ring(WorkerId worker) {
  return state_->desks.at(worker)->log;
}
SpscRing<FlowRecord>& Dataplane::flow_ring(WorkerId worker) {
  return state_->desks.at(worker)->flows;
}
SpscRing<ControlEvent>& Dataplane::events(WorkerId worker) {
  return state_->desks.at(worker)->events;
}
Doorbell& Dataplane::log_bell() {
  return state_->log_bell;
}
Doorbell& Dataplane::event_bell() {
  return state_->event_bell;
}
const WorkerCounters& Dataplane::counters(WorkerId worker) const {
  return state_->desks.at(worker)->counters;
}
Dump& Dataplane::dump(WorkerId worker) {
  WorkerDesk& desk = *state_->desks.at(worker);
  desk.wake.ring_sleeper();  // for what is to be asked
  return desk.dump;
}

void Dataplane::publish_captures(const CaptureSet* set) {
  state_->captures.publish(set);
  for (Doorbell* bell : state_->bells)
    bell->ring_sleeper();
}

bool Dataplane::have_taken(uint32_t generation) const {
  return state_->captures.is_past(generation);
}

bool Dataplane::inject(InterfaceId interface, std::span<const uint8_t> frame) {
  if (frame.size() > kInjectFrameMax || !has_port(interface)) return false;
  InjectedFrame injected;
  injected.interface = interface;
  injected.length = static_cast<uint16_t>(frame.size());
  std::copy(frame.begin(), frame.end(), injected.bytes.begin());
  WorkerDesk& desk = *state_->desks.front();
  const bool done = desk.injected.push(injected);
  desk.wake.ring_sleeper();
  return done;
}

Instant Dataplane::now() const {
  return state_->settings.clock.now(state_->settings.clock.context);
}
unsigned Dataplane::workers() const {
  return state_->settings.workers;
}
unsigned Dataplane::core_of(WorkerId worker) const {
  return state_->cores.at(worker);
}
Shards Dataplane::shards() const {
  return state_->ports.shards();
}
bool Dataplane::has_port(InterfaceId interface) const {
  return state_->wire(interface) != nullptr;
}
bool Dataplane::uses_hugepages() const {
  return eal_uses_hugepages();
}
const std::vector<std::string>& Dataplane::remarks() const {
  return state_->remarks;
}

std::vector<std::string> Dataplane::spread_lines() const {
  std::vector<std::string> lines;
  for (const PortSpec& spec : state_->settings.ports) {
    const EthPort* port = state_->wire(spec.id);
    if (port == nullptr || port->spreader().spread() == Spread::alone) continue;
    lines.push_back(spec.name + ": " + port->spreader().text());
  }
  return lines;
}

MacAddress Dataplane::mac_of(InterfaceId interface) const {
  const EthPort* port = state_->wire(interface);
  return port != nullptr ? port->mac() : MacAddress{};
}

PortFacts Dataplane::port(InterfaceId interface) const {
  const EthPort* port = state_->wire(interface);
  if (port == nullptr) return {};
  PortFacts facts;
  for (const PortSpec& spec : state_->settings.ports) {
    if (spec.id != interface) continue;
    facts.device = spec.device;
    if (spec.host_path) facts.host_device = spec.host_device;
  }
  facts.id = interface;
  facts.driver = port->driver();
  facts.mac = port->mac();
  facts.mtu = port->mtu();
  facts.rx_queues = port->rx_queues();
  facts.tx_queues = port->tx_queues();
  facts.spread = port->spreader().spread();
  facts.spread_text = port->spreader().text();
  facts.is_started = port->is_started();
  facts.link_mbps = port->link_mbps(facts.link_up);
  return facts;
}

DriverStatistics Dataplane::driver_statistics(InterfaceId interface) const {
  const EthPort* port = state_->wire(interface);
  return port != nullptr ? port->statistics() : DriverStatistics{};
}

BufferFacts Dataplane::buffers() const {
  return BufferFacts{state_->ports.buffers().total(), state_->ports.buffers().free()};
}

}  // namespace postern
