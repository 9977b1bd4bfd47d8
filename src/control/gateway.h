// SPDX-License-Identifier: BSD-3-Clause
// Gateway: the composition root of posternd. It builds all parts in order and stops them in
// reverse.
//
//   start():  EAL and ports (links down) -> first policy published -> host devices addressed
//             -> logging thread -> workers -> ports -> "ruleset live" -> last good configuration
//   run():    the event loop; SIGHUP reloads, SIGTERM and SIGINT end it
//   ~Gateway: socket, ports and workers, log, policies
//
// Fail-closed: no link is up before the first policy is published (F01), and none is up when
// start() fails half-way. Thread: control (the first thread of the process).
#pragma once

#include <array>
#include <chrono>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/accounts/accounts.h"
#include "control/admin/dispatcher.h"
#include "control/admin/dump_queue.h"
#include "control/admin/server.h"
#include "control/apply/changes.h"
#include "control/apply/reload.h"
#include "control/capture/captures.h"
#include "control/host_path.h"
#include "control/ipfix/exporter.h"
#include "control/log/alerts.h"
#include "control/log/audit_log.h"
#include "control/log/debug_log.h"
#include "control/log/dial_log.h"
#include "control/log/error_log.h"
#include "control/log/generation_names.h"
#include "control/log/http_log.h"
#include "control/log/log_hub.h"
#include "control/log/mail_log.h"
#include "control/log/security_log.h"
#include "control/loop.h"
#include "control/metrics/collect.h"
#include "control/metrics/server.h"
#include "control/publisher.h"
#include "control/remote/control.h"
#include "control/resolver.h"
#include "control/services/dhcp_clients.h"
#include "control/services/dhcp_service.h"
#include "control/services/dns_control.h"
#include "control/services/http_control.h"
#include "control/services/mail_control.h"
#include "control/services/portal_control.h"
#include "control/start_up.h"
#include "control/worker_load.h"
#include "dataplane/runtime/dataplane.h"
#include "services/io/job_pool.h"

namespace postern {

class Gateway : private ResolverSink {
 public:
  // Signals are blocked already, in this thread and so in all that it makes.
  Gateway(StartOptions options, ErrorLog& log);
  ~Gateway() override;

  Result<void> start(Choice choice);
  // Until a signal ends it.
  void run();

  // --- for the administration socket
  struct Status {
    std::time_t started = 0;
    double start_s = 0;          // from the beginning until the ruleset was live
    std::time_t configured = 0;  // when the configuration in force was published
    std::string source;          // see Revision
    bool is_live = false;
    std::map<std::string, std::string> warnings;  // by what they are about
  };
  const StartOptions& options() const { return options_; }
  const Status& status() const { return status_; }
  Dataplane& dataplane() { return *dataplane_; }
  const Publisher& publisher() const { return *publisher_; }
  const Reload& configuration() const { return *reload_; }
  const Resolver& resolver() const { return resolver_; }
  DhcpClients& dhcp_clients() { return dhcp_clients_; }
  DhcpService& dhcp() { return dhcp_; }
  const GenerationNames& names() const { return names_; }
  const WorkerLoad& load() const { return load_; }
  const DnsControl& dns_control() const { return dns_; }
  dns::Service* dns() { return dns_.service(); }  // nullptr: not configured
  const SecurityLog& security_log() const { return *security_log_; }
  const ipfix::Exporter& exporter() const { return *exporter_; }
  const metrics::Server& metrics() const { return metrics_; }
  admin::DumpQueue& dumps() { return dumps_; }
  Captures& captures() { return captures_; }
  LogIns& log_ins() { return log_ins_; }
  PortalControl& portal() { return portal_; }
  HttpControl& http() { return http_; }
  MailControl& mail() { return mail_; }
  ErrorLog& log() { return log_; }
  AuditLog& audit() { return audit_; }
  Alerts& alerts() { return alerts_; }
  LogHub& logs() { return logs_; }
  std::vector<LogOutput*> log_outputs();  // of all logs that there are
  Changes& changes() { return changes_; }
  // Judges a text beside this thread, in order; then what comes of it is quick to tell. An error:
  // too many wait, for those who only ask even one. Large texts take seconds.
  void judge(const std::string& text, admin::Effect effect,
             const std::function<void(const Result<void>& judged)>& then);
  const remote::Control& remote() const { return remote_; }
  accounts::Accounts& accounts() { return accounts_; }

 private:
  void send(InterfaceId interface, std::span<const uint8_t> frame) override;
  bool set(InterfaceId interface, Ipv4Address address, const MacAddress& mac) override;
  void erase(InterfaceId interface, Ipv4Address address) override;
  void remark(const std::string& line) override;

  Result<void> start_dataplane(const config::Model& model);
  Result<void> start_log(const config::Model& model);
  Result<void> start_admin(const config::Model& model);
  LogIns::World log_ins_world();
  void begin_log_ins();
  PortalControl::World portal_world();
  HttpControl::World http_world();
  MailControl::World mail_world();
  DhcpWorld dhcp_world(const char* lease_file, config::LogLevel remarks);
  bool renew_configuration();
  std::string device_of(InterfaceId id) const;
  Captures::World capture_world() {
    return {[this] { return dataplane_->workers(); },
            [this](const CaptureSet* set) { dataplane_->publish_captures(set); },
            [this](uint32_t generation) { return dataplane_->have_taken(generation); },
            [this] { return dataplane_->now(); }};
  }
  void arrange_turns();
  CompileInputs compile_inputs() const;
  void follow(const config::Model& model, const Policy& policy);
  void follow_services(const config::Model& model, const Policy& policy);
  void follow_interception();
  void make_exporter(const config::Model& model);
  void follow_exporter(const config::Model& model, const Policy& policy);
  DialLog::World dial_world();
  DebugLog::World debug_world();
  void begin_logging(const config::Model& model);
  void follow_logging(const config::Model& model, bool is_on_trial);
  void tell_link(const std::string& interface, bool is_up);
  void tell_links_end();
  void tell_address(InterfaceId id, const AddressChange& change);
  void note(const std::string& about, const Result<void>& outcome);
  Changes::World changes_world();
  remote::Server::World remote_world();
  accounts::Accounts::World accounts_world();
  config::Role role_of(const admin::Peer& peer) const;
  ReloadReport put_into_force(const std::string& text, Standing standing, const std::string& source,
                              const std::string& who);
  void reload_file();
  void apply_file(std::string text);
  // `label` stands for the file in front of findings.
  void tell(const ReloadReport& report, const std::string& label, const std::string& who);
  void take(const ControlEvent& event);
  void drain_events();
  void look_after_links();
  void look_after_load();
  void look_after_log();
  void check_kernel();
  void pet_watchdog();
  void on_signal(int signal_fd);

  StartOptions options_;
  ErrorLog& log_;
  LogHub logs_{[this](const std::string& line) { log_.warning(line); }};  // outlives all that write
  AuditLog audit_;
  Alerts alerts_{[this](const std::string& line) { log_.warning(line); }};
  DialLog dial_{dial_world()};
  HttpLog http_log_;
  MailLog mail_log_;
  Status status_;
  std::chrono::steady_clock::time_point constructed_ = std::chrono::steady_clock::now();
  Loop loop_;
  // Above those that it tells of changes (when_changed()), which nothing takes back: it ends later.
  accounts::Accounts accounts_{loop_, accounts_world()};
  Resolver resolver_{*this};
  DhcpService dhcp_{loop_, dhcp_world("leases.db", config::LogLevel::warning)};
  DhcpClients dhcp_clients_{loop_, dhcp_world("dhcp-client.json", config::LogLevel::info),
                            [this] { return renew_configuration(); }};
  GenerationNames names_;
  DnsControl dns_;
  LogIns log_ins_{log_ins_world()};
  PortalControl portal_{{loop_, log_, accounts_, log_ins_}, portal_world()};
  HttpControl http_{loop_, log_, accounts_, http_world()};
  MailControl mail_{loop_, log_, accounts_, mail_world()};
  std::unique_ptr<HostPath> host_path_;
  std::unique_ptr<Publisher> publisher_;       // owns the policies: outlives the workers
  Captures captures_{loop_, capture_world()};  // outlives them, too
  DebugLog debug_log_{loop_, captures_, debug_world()};
  std::unique_ptr<IdentityBoard> identities_;  // outlives the workers
  std::unique_ptr<Dataplane> dataplane_;
  std::unique_ptr<SecurityLog> security_log_;
  std::unique_ptr<ipfix::Exporter> exporter_;
  std::unique_ptr<Reload> reload_;
  Changes changes_{changes_world()};
  io::JobPool judges_{loop_.context(), {"judge", 1, 8}};
  admin::DumpQueue dumps_{loop_};
  admin::Dispatcher dispatcher_;
  std::unique_ptr<admin::Server> admin_server_;
  metrics::Server metrics_{
      loop_, [this](metrics::Format format) { return metrics::collect(*this, format); }};
  remote::Control remote_{loop_, options_.state_dir, remote_world()};
  config::Logging logging_;  // as configured last
  std::string logged_name_;  // of the gateway, in its lines
  bool is_logging_on_trial_ = false;
  std::array<uint64_t, config::kLogs> unwritten_lines_ = {};  // by log, at the last look
  std::vector<bool> link_was_up_;                             // by interface
  std::vector<uint64_t> turns_;                               // by worker, at the last look
  WorkerLoad load_;
};

}  // namespace postern
