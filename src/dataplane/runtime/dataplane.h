// SPDX-License-Identifier: BSD-3-Clause
// Dataplane: everything below control, as control sees it. The runtime is the only place that knows
// DPDK, and this facade shows none of it.
//
//   create()         EAL, buffers, ports configured; nothing is received, links stay down
//   publish          policies().publish(first policy)
//   start_workers()  they drop everything until a policy is there
//   start_ports()    refused without a published policy (F01)
//   stop()           ports down, workers joined, kernel interfaces get their addresses back
//
// Threads: all functions belong to the control thread unless they say "any". Rings, bells and dumps
// are the meeting points with the workers; nobody waits for the other. One Dataplane a process
// lifetime: the EAL initialises once. Fixed memory: everything is allocated in create().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "dataplane/capture/capture_slot.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/flow_record.h"
#include "dataplane/packet/log_record.h"
#include "dataplane/packet/packet.h"
#include "dataplane/pipeline/neighbor.h"
#include "dataplane/policy/identities.h"
#include "dataplane/policy/policy_slot.h"
#include "dataplane/runtime/doorbell.h"
#include "dataplane/runtime/dump.h"
#include "dataplane/table/flow_map.h"
#include "dataplane/table/spsc_ring.h"

namespace postern {

enum class PortKind : uint8_t { pci, kernel, vdev };
// automatic: AF_XDP, else AF_PACKET.
enum class KernelDriver : uint8_t { automatic, af_xdp, af_packet };
enum class Idle : uint8_t { sleep, poll };
enum class Hugepages : uint8_t { automatic, off, required };

// How what comes in by a port gets to the worker that owns it.
enum class Spread : uint8_t {
  alone,                // there is one worker
  hand_off,             // another one receives it and hands it over
  by_source_address,    // the NIC puts it into the owner's queue; inside zones
  by_destination_port,  // likewise; external zones
};
constexpr bool is_by_hardware(Spread spread) {
  return spread == Spread::by_source_address || spread == Spread::by_destination_port;
}
const char* to_word(Spread spread);  // "hand_off"

struct PortSpec {
  InterfaceId id = 0;
  std::string name;  // of the interface in the configuration; for messages
  PortKind kind = PortKind::kernel;
  std::string device;  // PCI address, kernel interface, or vdev string "net_x,arguments"
  KernelDriver driver = KernelDriver::automatic;
  Zone zone = Zone::internal;
  uint16_t mtu = 1500;            // bytes of IP packet
  std::optional<MacAddress> mac;  // else the device's own
  bool host_path = true;          // make `host_device`, the kernel's side of this interface
  std::string host_device;        // at most 15 characters
  std::string host_vdev;          // DPDK device that stands for the kernel (tests); empty: a TAP
};

// Where the time of one run comes from; tests put their own in.
struct Clock {
  Instant (*now)(void* context) = nullptr;  // nullptr: the processor's time stamp counter
  void* context = nullptr;
};

struct DataplaneSettings {
  unsigned workers = 1;
  std::vector<uint32_t> cores;  // one a worker; empty: chosen among those we may run on
  Idle idle = Idle::sleep;
  uint32_t wake_us = 20;  // the processor's part of waking a worker that sleeps, at most
  Hugepages hugepages = Hugepages::automatic;
  uint32_t memory_mib = 256;          // packet buffers and driver memory
  std::vector<std::string> eal_args;  // appended to what Postern passes
  std::string run_dir;  // exists, writable; EAL log, record of borrowed kernel addresses

  // All workers together; each gets its share.
  uint32_t sessions = 65536, mappings = 65536, hosts = 16384;
  uint32_t sessions_from_host = 0, sessions_to_host = 0;  // 0: no limit

  HashSeed hash_seed;        // from a cryptographic generator
  uint64_t random_seed = 0;  // likewise
  Clock clock;
  std::vector<PortSpec> ports;
};

struct PortFacts {
  InterfaceId id = kNoInterface;
  std::string driver;       // "net_af_xdp"
  std::string device;       // as configured
  std::string host_device;  // empty: no host path
  MacAddress mac;
  uint16_t mtu = 0;
  unsigned rx_queues = 0, tx_queues = 0;
  Spread spread = Spread::alone;  // known once it is started
  std::string spread_text;        // the same for people, with the reason; one line
  bool is_started = false, link_up = false;
  uint32_t link_mbps = 0;  // 0: unknown
};

// What the driver counted since create().
struct DriverStatistics {
  uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
  uint64_t rx_missed = 0;     // the device had no room
  uint64_t rx_no_buffer = 0;  // no packet buffer was free
  uint64_t rx_errors = 0, tx_errors = 0;
};

struct BufferFacts {
  unsigned total = 0, free = 0;  // packet buffers, those cached by workers count as free
};

class Dataplane {
 public:
  // One line of error names the cause and, where there is one, the command that mends it.
  static Result<std::unique_ptr<Dataplane>> create(const DataplaneSettings& settings);
  ~Dataplane();  // stop()
  Dataplane(const Dataplane&) = delete;
  Dataplane& operator=(const Dataplane&) = delete;

  Result<void> start_workers();
  // Links go up, frames are taken. Refused before a policy was published.
  Result<void> start_ports();
  // No frame crosses after it returns. Further calls do nothing.
  void stop();

  // --- meeting points with the workers
  PolicySlot& policies();
  NeighborTable& neighbors();
  IdentitySlot& identities();
  SpscRing<LogRecord>& log_ring(WorkerId worker);         // consumer: the logging thread
  SpscRing<FlowRecord>& flow_ring(WorkerId worker);       // consumer: the IPFIX thread
  SpscRing<ControlEvent>& events(WorkerId worker);        // consumer: control
  Doorbell& log_bell();                                   // rung when some log ring has records
  Doorbell& event_bell();                                 // rung when some event ring has events
  const WorkerCounters& counters(WorkerId worker) const;  // thread: any
  // Puts captures before the workers, and wakes them. The set outlives have_taken() of a later one.
  void publish_captures(const CaptureSet* set);
  // Whether no worker looks at sets older than `generation` any more.
  bool have_taken(uint32_t generation) const;
  // Asks a worker for its sessions or mappings, a block at a time.
  Dump& dump(WorkerId worker);

  // Sends a complete Ethernet frame by an interface, as it is, past the filter (ARP, DHCP of the
  // gateway itself). False: too long (kInjectFrameMax), no such interface, or the ring is full.
  static constexpr size_t kInjectFrameMax = 1600;
  bool inject(InterfaceId interface, std::span<const uint8_t> frame);

  // --- facts; thread: any
  Instant now() const;  // the clock that stands in log records and counters
  unsigned workers() const;
  // Who owns what among the workers, as far as it is arithmetic; for the policy.
  Shards shards() const;
  unsigned core_of(WorkerId worker) const;
  MacAddress mac_of(InterfaceId interface) const;
  bool has_port(InterfaceId interface) const;
  PortFacts port(InterfaceId interface) const;
  DriverStatistics driver_statistics(InterfaceId interface) const;
  BufferFacts buffers() const;
  bool uses_hugepages() const;
  // Remarks of start-up that are no errors ("wan: AF_XDP refused, AF_PACKET used instead"), one
  // line each.
  const std::vector<std::string>& remarks() const;
  // For each port, how its packets get to their workers ("wan: ..."); none with one worker.
  std::vector<std::string> spread_lines() const;

 private:
  struct State;
  explicit Dataplane(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace postern
