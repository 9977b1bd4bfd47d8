// SPDX-License-Identifier: BSD-3-Clause
// DnsControl: the DNS service in the daemon: follows the configuration, writes the query log, and
// is what the administration socket asks. Thread: control.
#pragma once

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
  // nullptr: not configured.
  dns::Service* service() { return service_.get(); }

 private:
  Result<void> follow_query_log(bool is_wanted);

  Loop& loop_;
  ErrorLog& log_;
  std::string state_dir_;
  std::unique_ptr<spdlog::logger> query_log_;
  std::unique_ptr<dns::Service> service_;
};

}  // namespace postern
