// SPDX-License-Identifier: BSD-3-Clause
// DhcpService: the DHCP server inside posternd. It begins with the first configuration that has
// services.dhcp and follows each one; leases stay whatever changes. While services.dhcp is missing
// no socket is open.
//
// What cannot work (a damaged lease file, port 67 in use) is an error of follow(), to be shown as a
// warning of the gateway, which forwards packets all the same. Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/loop.h"
#include "control/services/dhcp_settings.h"
#include "control/services/dhcp_world.h"

namespace postern {

class DhcpService {
 public:
  DhcpService(Loop& loop, DhcpWorld world) : loop_(loop), world_(std::move(world)) {}

  // Names of clients go there from now on; those that hold are told at once.
  void set_name_sink(std::function<void(const dhcp::NameChange&)> sink);

  Result<void> follow(const config::Model& model, const Policy& policy,
                      const ServedByGateway& served);
  // An ARP answer came in.
  void address_seen(InterfaceId interface, Ipv4Address address, const MacAddress& mac);

  // nullptr: never configured.
  dhcp::Server* server() { return server_.get(); }

 private:
  Result<void> begin();

  Loop& loop_;
  DhcpWorld world_;
  std::function<void(const dhcp::NameChange&)> name_sink_;
  std::unique_ptr<dhcp::Server> server_;
};

}  // namespace postern
