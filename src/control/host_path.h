// SPDX-License-Identifier: BSD-3-Clause
// HostPath: the kernel's side of the interfaces. Each interface has a device (gw-lan) that the
// runtime made; here it gets the interface's addresses, MTU and routes, so that sshd, ping and
// resolvers of the gateway itself work through the filter. Nothing but our own devices is touched.
//
//   plan_host_path(policy) -> HostPlan -> HostPath::apply(): adds what is missing, removes the rest
//
// Routes carry protocol kRouteProtocol and metric kRouteMetric: routes of others in the same table
// stay, and win where they lead to the same network. The devices never forward. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "dataplane/policy/policy.h"

namespace postern {

struct HostDevice {
  InterfaceId interface = kNoInterface;
  std::string name;
  uint16_t mtu = 1500;
  std::vector<Prefix> addresses;  // host bits kept
  bool operator==(const HostDevice&) const = default;
};

struct HostRoute {
  Prefix to;
  Ipv4Address via;
  std::string device;
  bool operator==(const HostRoute&) const = default;
};

struct HostPlan {
  std::vector<HostDevice> devices;
  std::vector<HostRoute> routes;  // connected ones follow from the addresses
  // Devices whose packets are for the host whatever their destination, see host_delivery.h.
  std::vector<std::string> delivers;
  bool operator==(const HostPlan&) const = default;
};

// `device_of(id)` names the kernel device of an interface, or is empty where it has none. Pure.
HostPlan plan_host_path(const Policy& policy,
                        const std::function<std::string(InterfaceId)>& device_of);

class HostPath {
 public:
  static constexpr uint8_t kRouteProtocol = 80;  // no other program's, see /etc/iproute2/rt_protos
  static constexpr uint32_t kRouteMetric = 1024;

  static Result<std::unique_ptr<HostPath>> open();
  ~HostPath();
  HostPath(const HostPath&) = delete;
  HostPath& operator=(const HostPath&) = delete;

  // Makes the kernel follow the plan. Goes on after an error and returns the first one.
  Result<void> apply(const HostPlan& plan);
  // Sees to it that none of our devices forwards, whoever asked the kernel to (F02).
  Result<void> keep_from_forwarding();

 private:
  struct State;
  explicit HostPath(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// F02: the kernel must not forward. An error names the command that mends it. `proc`: root of
// procfs.
Result<void> check_forwarding_is_off(const std::string& proc = "/proc");

}  // namespace postern
