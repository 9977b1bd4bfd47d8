// SPDX-License-Identifier: BSD-3-Clause
// DnsControl: the DNS service in the daemon: follows the configuration, writes the query log, and
// is what the administration socket asks. Thread: control.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "control/log/error_log.h"
#include "control/services/dns_settings.h"

namespace postern {

class Loop;

class DnsControl {
 public:
  DnsControl(Loop& loop, ErrorLog& log, std::string state_dir);
  ~DnsControl();

  // After each publication; the service starts and ends as `services.dns` is there or not.
  Result<void> follow(const config::Model& model, const Policy& policy,
                      const std::function<std::string(InterfaceId)>& device_of);
  // Leases are known to the service from when it starts, whenever that is.
  void set_lease(Ipv4Address address, const std::string& host_name);
  void erase_lease(Ipv4Address address);
  // Servers that the link told of, for use where the configuration has none.
  void set_learned_servers(const std::vector<Ipv4Address>& servers);
  // nullptr: not configured.
  dns::Service* service() { return service_.get(); }

 private:
  Result<void> follow_query_log(bool is_wanted);

  Loop& loop_;
  ErrorLog& log_;
  std::string state_dir_;
  std::map<Ipv4Address, std::string> leases_;
  std::vector<dns::ServerAddress> learned_;
  std::unique_ptr<spdlog::logger> query_log_;
  std::unique_ptr<dns::Service> service_;
};

}  // namespace postern
