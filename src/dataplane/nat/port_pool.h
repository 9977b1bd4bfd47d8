// SPDX-License-Identifier: BSD-3-Clause
// ExternalPortPool: the external ports (and ICMP query identifiers) that one worker may give out,
// per external address and protocol. Never overloaded: a port is one mapping's (RFC 4787 REQ-3).
//
// Every port number belongs to the slice of one worker, so that a packet to an external endpoint
// finds its owner from the port alone. A slice holds ports of both parities and both ranges. The
// policy says which addresses exist; the pool follows with use_address() and forgets nothing that
// is still allocated. Thread: the owning worker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "dataplane/packet/packet.h"

namespace postern {

// The worker whose slice holds `port`. Blocks of 64 consecutive ports go round the workers.
constexpr WorkerId slice_of(uint16_t port, unsigned workers) {
  return static_cast<WorkerId>((port >> 6) % workers);
}

class ExternalPortPool {
 public:
  struct Settings {
    WorkerId worker = 0;
    unsigned workers = 1;
    uint16_t first_port = 1024;  // ports below it are given out only to internal ports below it
    uint16_t last_port = 65535;
    uint64_t random_seed = 0;  // for the choice of ports (RFC 6056)
    unsigned addresses_max = 256;
  };
  explicit ExternalPortPool(const Settings& settings);

  // A port for `preferred` (the internal port, host order) on `address`, not reserved by
  // `is_reserved`: the same number where it is free and in this slice, else a random one with its
  // parity (REQ-4) and in its range (REQ-3a; a privileged internal port falls back to the high
  // range). At most kPortProbesMax probes, then a scan of the bitmap's words. Empty: none is free.
  std::optional<uint16_t> allocate(uint8_t protocol, Ipv4Address address, uint16_t preferred,
                                   const std::vector<uint16_t>& reserved);
  // False: it is taken already (or not in this slice).
  bool claim(uint8_t protocol, Ipv4Address address, uint16_t port);
  void release(uint8_t protocol, Ipv4Address address, uint16_t port);
  uint32_t in_use(uint8_t protocol, Ipv4Address address) const;
  void set_range(uint16_t first_port, uint16_t last_port);  // on a new policy

  // Which of `count` pool addresses an internal host gets: always the same one (paired pooling,
  // REQ-2).
  static uint32_t paired_index(Ipv4Address internal, uint32_t count);

 private:
  struct Bitmap;
  Bitmap* find(uint8_t protocol, Ipv4Address address) const;
  Bitmap* find_or_add(uint8_t protocol, Ipv4Address address);

  Settings settings_;
  uint64_t random_;
  std::vector<std::unique_ptr<Bitmap>> bitmaps_;  // reserved at construction: no allocation later
};

}  // namespace postern
