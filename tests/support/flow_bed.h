// SPDX-License-Identifier: BSD-3-Clause
// FlowBed: a gateway that flow scripts can drive. Two of them: Testbed (the bare pipeline) and the
// real program on ring devices. Frames in, effects out, virtual time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "dataplane/packet/drop_reason.h"

namespace postern::test {

struct Effect {
  enum class Kind { out, host, drop };
  Kind kind = Kind::drop;
  std::string interface;                 // out, host: where it went; drop: where it came in
  std::vector<uint8_t> frame;            // out, host
  DropReason reason = DropReason::none;  // drop
};

class FlowBed {
 public:
  virtual ~FlowBed() = default;
  // Whether what is loaded from now on is on trial (Policy::is_on_trial).
  bool loads_on_trial = false;
  // The first configuration, or a reload of it. An error leaves what was there.
  virtual Result<void> load(const std::string& yaml) = 0;
  // A frame from the wire of `interface`, or from the kernel by its host path. What became of it
  // and of packets that were held before. A frame that is held has no effect yet.
  virtual std::vector<Effect> inject(const std::string& interface,
                                     std::span<const uint8_t> frame) = 0;
  virtual std::vector<Effect> inject_from_host(const std::string& interface,
                                               std::span<const uint8_t> frame) = 0;
  // Time passes; timeouts happen.
  virtual std::vector<Effect> advance(Duration duration) = 0;
  // Somebody logs in at the host; without `who`, out. What becomes of held packets by it.
  virtual std::vector<Effect> log_in(Ipv4Address host, const std::vector<std::string>& who) = 0;
  // "sessions", "mappings", "drop.no_mapping", "rule.NAME", "sessions_evicted" ...; 0 for unknown
  // rules.
  virtual uint64_t counter(const std::string& name) = 0;
  // MAC address of the gateway on `interface`, and of the host that stands for every neighbor
  // there.
  virtual MacAddress gateway_mac(const std::string& interface) = 0;
  virtual MacAddress neighbor_mac(const std::string& interface) = 0;
};

}  // namespace postern::test
