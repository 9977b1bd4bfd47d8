// SPDX-License-Identifier: BSD-3-Clause
// Lowering: names of the configuration -> sets of the dataplane. The parts of the compiler share
// one, so that every object is flattened once.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "control/compile/compile.h"
#include "control/config/resolve.h"
#include "dataplane/packet/match.h"

namespace postern::compiler {

class Lowering {
 public:
  Lowering(const config::Model& model, const CompileInputs& inputs);

  const config::Model& model() const { return model_; }
  const CompileInputs& inputs() const { return inputs_; }

  // The enabled interface of this name, or kNoInterface.
  InterfaceId find_interface(const std::string& name) const;
  // The enabled interface with a network that holds `address` (the longest one), or kNoInterface.
  InterfaceId find_network_of(Ipv4Address address) const;
  bool is_own_address(Ipv4Address address) const;

  // Interfaces, zones, "gateway" and "any". An empty list is any; names of disabled interfaces
  // count for nothing, so a set may become empty and match no packet.
  InterfaceSet interfaces(const std::vector<std::string>& names) const;
  // Address items and "gateway" (every own address). An empty list is any.
  Result<AddressSet> addresses(const std::vector<std::string>& items);
  // An empty list is any service.
  Result<std::vector<ServiceSpec>> services(const std::vector<std::string>& items);
  // Whether one of these times holds at inputs().minute_of_week. An empty list always does.
  Result<bool> holds_now(const std::vector<std::string>& times);

 private:
  // Counts what the policy holds of resolved objects.
  Result<void> take(size_t entries);

  const config::Model& model_;
  const CompileInputs& inputs_;
  config::Resolver resolver_;
  std::vector<AddressRange> own_;  // sorted
  size_t entries_ = 0;
};

// Sorts and joins; all addresses together are any.
AddressSet set_of_ranges(std::vector<AddressRange> ranges);
AddressSet complement_of(const AddressSet& set);

// The parts, in the order in which they need one another's results.
Result<void> compile_interfaces(Lowering& lowering, Policy& policy);
void compile_routes(const Lowering& lowering, Policy& policy);
Result<void> compile_nat(Lowering& lowering, Policy& policy);
Result<void> compile_rules(Lowering& lowering, Policy& policy);
Result<void> compile_interception(Lowering& lowering, Policy& policy);

// One mapping per external address, protocol and range of ports.
Result<std::vector<ConfiguredMapping>> expand_port_map(Lowering& lowering,
                                                       const config::PortMap& map);

}  // namespace postern::compiler
