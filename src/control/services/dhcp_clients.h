// SPDX-License-Identifier: BSD-3-Clause
// DhcpClients: one DHCP client for each interface with `address: dhcp`, with its sockets, and the
// file that remembers their leases.
//
// What is broadcast goes out as a frame by the packet path, what goes to the server by a socket of
// the interface's host device; answers are heard there. A lease that comes, changes or ends is told
// by on_change, after which the policy is compiled again from effective(). Thread: control.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "control/loop.h"
#include "control/services/dhcp_world.h"
#include "control/services/learned.h"
#include "control/services/lease_memory.h"
#include "dataplane/policy/policy.h"
#include "services/dhcp/client.h"

namespace postern {

class DhcpClients {
 public:
  struct Row {
    dhcp::Client::State state = dhcp::Client::State::init;
    const dhcp::ClientLease* lease = nullptr;  // nullptr: no address
    std::time_t ends = 0;                      // 0: never
  };

  // `on_change` puts what effective() says into force; false: it is to be tried again.
  DhcpClients(Loop& loop, DhcpWorld world, std::function<bool()> on_change);
  ~DhcpClients();

  // The clients that the file asks for from now on; leases of those that stay are kept, but for
  // those that the file leaves no room for. While `policy` is on trial no lease is given up:
  // clients that are not asked for any more are parked with theirs, as silent as if they were not
  // there, until a settled configuration asks for them again or drops them (C01).
  Result<void> follow(const config::Model& file, const Policy& policy);
  // The model with addresses and routes of the leases in it.
  config::Model effective(const config::Model& file) const;
  std::vector<Ipv4Address> dns_servers() const;

  void address_seen(InterfaceId interface, Ipv4Address address, const MacAddress& mac);
  void link_came_up(InterfaceId interface);
  // An error while an interface has had no address for a while.
  Result<void> complaint() const;

  // --- by hand; an error when the interface has no client
  Result<void> release(const std::string& interface);
  Result<void> renew(const std::string& interface);
  // Empty: the interface has no client.
  std::optional<Row> row(const std::string& interface) const;

 private:
  class Link;
  Result<std::unique_ptr<Link>> open(const std::string& name, InterfaceId id,
                                     const MacAddress& mac);
  void begin();
  void work();
  void tick();
  void tell_changes();
  void write_file();
  Leases leases() const;
  Link* find(InterfaceId interface);
  // By name; nullptr: it does not ask for an address.
  Link* asking(const std::string& interface) const;

  Loop& loop_;
  DhcpWorld world_;
  std::function<bool()> on_change_;
  int epoll_ = -1;
  bool is_running_ = false;
  bool is_on_trial_ = false;  // the configuration followed last
  bool has_changed_ = false;  // and on_change_ is still to be called
  Instant retry_at_;
  bool is_file_old_ = false;
  config::Model facts_;  // interfaces, routes and one-to-one mappings of the file
  KeptLeases kept_;      // as in the file
  std::map<std::string, std::unique_ptr<Link>> links_;  // by interface name
};

}  // namespace postern
