// SPDX-License-Identifier: BSD-3-Clause
// DialLog: the lines of the gateway and what they cost; STATE_DIR/log/dial.log. A line for each
// link that goes up or down and each address that a DHCP server gives or takes.
//
//   time=... host=gw1 module=dial interface=wan action=link_up
//   time=... host=gw1 module=dial interface=wan action=address_gained address=203.0.113.5/24
//     server=203.0.113.1 lease_s=3600
//   time=... host=gw1 module=dial interface=wan action=address_lost address=203.0.113.5/24
//     duration_s=7204 received_bytes=12345 sent_bytes=678 cause="the server refuses it"
//
// Thread: control. Bounds: an entry for each interface that has a link or an address.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/address.h"
#include "base/time.h"
#include "control/log/log_output.h"

namespace postern {

struct LinkTraffic {
  uint64_t received_bytes = 0, sent_bytes = 0;  // since the start of the daemon
};

// What became of the address of an interface.
struct AddressChange {
  bool is_gained = false;
  Prefix address;      // gained
  Ipv4Address server;  // that gave it
  uint32_t lease_s = 0;
  std::string cause;  // why it is gone
};

class DialLog {
 public:
  struct World {
    std::function<Instant()> now;
    std::function<LinkTraffic(const std::string& interface)> traffic;
  };
  explicit DialLog(World world) : output_(config::LogName::dial), world_(std::move(world)) {}

  Result<void> configure(const config::LogFile& settings, const std::string& state_dir,
                         const std::string& host);
  LogOutput& output() { return output_; }

  void link_up(const std::string& interface);
  void link_down(const std::string& interface, const std::string& cause);
  void address_gained(const std::string& interface, const Prefix& address, Ipv4Address server,
                      uint32_t lease_s);
  void address_lost(const std::string& interface, const std::string& cause);

 private:
  struct Begun {
    Instant at;
    LinkTraffic traffic;
    Prefix address;  // of an address
  };
  std::string costs(const Begun& begun, const std::string& interface) const;
  void write(const std::string& interface, const char* action, const std::string& rest);

  LogOutput output_;
  World world_;
  std::string host_ = "postern";
  std::map<std::string, Begun> links_, addresses_;  // by interface
};

}  // namespace postern
