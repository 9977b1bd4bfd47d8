// SPDX-License-Identifier: BSD-3-Clause
// Ports: all ports of one Dataplane from their specifications, with the buffers they need. Thread:
// control.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/runtime/buffers.h"
#include "dataplane/runtime/dataplane.h"
#include "dataplane/runtime/eth_port.h"
#include "dataplane/runtime/kernel_port.h"
#include "dataplane/runtime/sender.h"

namespace postern {

// What can be told before the EAL starts: wrong names, missing devices, doubles.
Result<void> check_ports(const std::vector<PortSpec>& ports);

class Ports {
 public:
  // Opens and configures everything; nothing is started.
  Result<void> open(const DataplaneSettings& settings);
  Result<void> start();
  // Ports down and gone, kernel interfaces as they were. Workers must not run any more.
  void close();

  const PortTable& table() const { return table_; }
  const Buffers& buffers() const { return buffers_; }
  const Shards& shards() const { return shards_; }
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  struct Wire {
    std::unique_ptr<KernelPort> kernel;  // with PortKind::kernel
    std::unique_ptr<EthPort> port;
  };

  Result<void> open_wire(const PortSpec& spec, Wire& wire);
  Result<void> open_kernel(const PortSpec& spec, Wire& wire, bool by_xdp);
  Result<void> configure_wire(const PortSpec& spec, Wire& wire);
  void choose_shards();
  Result<void> allocate_buffers();
  Result<void> open_host(const PortSpec& spec);
  EthPort::Settings settings_for(const PortSpec& spec, bool is_host, unsigned queues) const;

  DataplaneSettings settings_;
  Buffers buffers_;          // outlive the ports
  Shards shards_;            // that every NIC which spreads has a place for in its table
  std::vector<Wire> wires_;  // as in settings_.ports
  std::vector<std::unique_ptr<EthPort>> hosts_;
  PortTable table_ = {};
  std::vector<std::string> remarks_;
};

}  // namespace postern
