// SPDX-License-Identifier: BSD-3-Clause
// DnsControl: the DNS service in the daemon: follows the configuration, writes the query log, and
// is what the administration socket asks. Thread: control.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control/log/error_log.h"
#include "control/log/log_writer.h"
#include "control/services/dns_settings.h"
#include "control/services/own_questions.h"
#include "dataplane/policy/policy.h"
#include "services/dns/block/block_lists.h"
#include "services/dns/tls/tls_transport.h"

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
  // The addresses of a name, as clients are told them; false: there is no service to ask. When the
  // service ends, `found` is told so.
  bool find_addresses(const std::string& name, const OwnQuestions::Found& found);
  // The same on the gateway's own behalf: block lists are for clients.
  bool find_own_addresses(const std::string& name, const OwnQuestions::Found& found);
  bool find_mail_hosts(const std::string& domain, const OwnQuestions::HostsFound& found);
  // nullptr: not configured.
  dns::Service* service() { return service_.get(); }
  const dns::BlockLists* block_lists() const { return block_lists_.get(); }
  const dns::TlsTransport* tls() const { return tls_; }
  const LogWriter* query_log() const { return query_log_.get(); }
  const dns::Validator* validator() const { return validator_.get(); }

 private:
  Result<void> follow_query_log(bool is_wanted);
  void start_service();
  void follow_block_lists(const config::Dns& dns);
  Result<void> follow_tls(const config::Dns& dns);
  Result<void> follow_dnssec(const config::Dns& dns);
  void arrange_hooks();
  void tell_block_lists();
  void tell_bogus(const dns::Name& name, const std::string& why);

  Loop& loop_;
  ErrorLog& log_;
  std::string state_dir_;
  std::map<Ipv4Address, std::string> leases_;
  std::vector<dns::ServerAddress> learned_;
  std::unique_ptr<LogWriter> query_log_;
  std::unique_ptr<dns::Service> service_;
  std::unique_ptr<OwnQuestions> own_questions_;
  dns::TlsTransport* tls_ = nullptr;  // the service's
  std::unique_ptr<dns::BlockLists> block_lists_;
  dns::BlockListSettings block_settings_;
  bool is_validating_ = false;  // as configured
  std::unique_ptr<dns::Validator> validator_;
  Instant bogus_told_;  // zero: never
};

}  // namespace postern
