// SPDX-License-Identifier: BSD-3-Clause
// The part of the gateway that has to do with its services.
#include <ctime>
#include <utility>

#include "control/gateway.h"
#include "control/metrics/settings.h"
#include "control/services/http_machine.h"
#include "control/services/log_in_control.h"

namespace postern {

// Its kernel device; empty where the interface has no port.
std::string Gateway::device_of(InterfaceId id) const {
  return dataplane_->has_port(id) ? dataplane_->port(id).host_device : std::string();
}

// Called when nothing runs yet: all of it is asked later.
DhcpWorld Gateway::dhcp_world(const char* lease_file, config::LogLevel remarks) {
  DhcpWorld world;
  world.lease_file = options_.state_dir + "/" + lease_file;
  world.now = [this] { return dataplane_->now(); };
  world.device_of = [this](InterfaceId id) { return device_of(id); };
  world.send_frame = [this](InterfaceId id, std::span<const uint8_t> frame) {
    return dataplane_->inject(id, frame);
  };
  world.remark = [this, remarks](const std::string& line) { log_.write(remarks, line); };
  world.address = [this](InterfaceId id, const AddressChange& change) { tell_address(id, change); };
  return world;
}

// Called when nothing runs yet, as above.
LogIns::World Gateway::log_ins_world() {
  LogIns::World world;
  world.now = [this] { return dataplane_->now(); };
  world.wall_s = [] { return static_cast<int64_t>(std::time(nullptr)); };
  world.machine_of = [this](Ipv4Address address) -> std::optional<MacAddress> {
    const Route* route = publisher_->current()->routes.find(address);
    MacAddress mac;
    const bool is_near = route != nullptr && route->next_hop(address) == address &&
                         dataplane_->neighbors().find(route->interface, address, mac);
    if (!is_near) return std::nullopt;
    return mac;
  };
  return world;
}

void Gateway::begin_log_ins() {
  log_ins_.set_board(*identities_);
  tell_log_ins(log_ins_, log_, [this](const AuditEntry& entry) { audit_.record(entry); });
  follow_accounts(log_ins_, accounts_);
}

PortalControl::World Gateway::portal_world() {
  PortalControl::World world;
  world.state_dir = options_.state_dir;
  world.now = [this] { return dataplane_->now(); };
  world.device_of = [this](InterfaceId id) { return device_of(id); };
  world.audit = [this](const AuditEntry& entry) { audit_.record(entry); };
  return world;
}

// Called when nothing runs yet, as above.
HttpControl::World Gateway::http_world() {
  HttpControl::World world;
  world.state_dir = options_.state_dir;
  world.now = [this] { return dataplane_->now(); };
  world.device_of = [this](InterfaceId id) { return device_of(id); };
  world.policy = [this] { return publisher_->current(); };
  world.identities = [this] { return identities_->current(); };
  world.user_at = [this](Ipv4Address address) {
    const LogIn* log_in = log_ins_.find(address);
    return log_in != nullptr ? log_in->user : std::string();
  };
  world.ask_dns = [this](const std::string& name, const OwnQuestions::Found& found) {
    return dns_.find_addresses(name, found);
  };
  world.log = [this](const http::LogRecord& record) { http_log_.write(record); };
  world.audit = [this](const AuditEntry& entry) { audit_.record(entry); };
  world.note = [this](const std::string& about, const Result<void>& outcome) {
    note(about, outcome);
  };
  world.kernel_addresses = kernel_addresses;
  return world;
}

// Called when nothing runs yet, as above.
MailControl::World Gateway::mail_world() {
  MailControl::World world;
  world.state_dir = options_.state_dir;
  world.now = [this] { return dataplane_->now(); };
  world.device_of = [this](InterfaceId id) { return device_of(id); };
  world.policy = [this] { return publisher_->current(); };
  world.ask_dns = [this](const std::string& name, const OwnQuestions::Found& found) {
    return dns_.find_own_addresses(name, found);
  };
  world.ask_mail_hosts = [this](const std::string& domain, const OwnQuestions::HostsFound& found) {
    return dns_.find_mail_hosts(domain, found);
  };
  world.log = [this](const mail::MailEvent& event) { mail_log_.write(event); };
  world.audit = [this](const AuditEntry& entry) { audit_.record(entry); };
  world.note = [this](const std::string& about, const Result<void>& outcome) {
    note(about, outcome);
  };
  return world;
}

bool Gateway::renew_configuration() {
  auto done = reload_->renew();
  note("dhcp lease", done);
  return done.has_value();
}

void Gateway::follow_services(const config::Model& model, const Policy& policy) {
  // Of the file: what leases add to the model is theirs.
  note("dhcp client sockets", dhcp_clients_.follow(reload_->model(), policy));
  dns_.set_learned_servers(dhcp_clients_.dns_servers());
  note("dns", dns_.follow(model, policy, [this](InterfaceId id) { return device_of(id); }));
  ServedByGateway served;
  if (dns_.service() != nullptr) {
    served.domain = model.services.dns->domain;
    for (const io::ListenAddress& at : dns_.service()->listening())
      served.dns.push_back(at.address);
  }
  note("portal", portal_.follow(model, policy));
  note("http", http_.follow(model, policy));
  if (model.services.http && model.services.http->wpad) served.pac = http_.wanted_at();
  note("mail", mail_.follow(model));
  note("dhcp", dhcp_.follow(model, policy, served));
  auto device = [this](InterfaceId id) { return device_of(id); };
  note("metrics", metrics_.apply(metrics::settings_of(model, policy, device)));
  note("admin.remote", remote_.follow(model, policy, device));
}

// F56: what is led to the HTTP proxy when nobody listens there is refused, with an answer, until
// somebody does.
void Gateway::follow_interception() {
  const Interception& in_force = publisher_->current()->interception;
  const bool is_served = http_.serves_intercepted();
  Result<void> outcome;
  if (!is_served) {
    outcome = Error{ErrorCode::failed,
                    "the HTTP proxy cannot listen for them; what services.http.transparent leads "
                    "to it is refused"};
  }
  if (in_force.in != 0 && in_force.is_served != is_served) {
    if (auto done = reload_->renew(); !done) outcome = std::move(done);
  }
  note("connections to web servers", outcome);
}

// Called when nothing runs yet: all of it is asked later.
remote::Server::World Gateway::remote_world() {
  remote::Server::World world;
  world.accounts = &accounts_;
  world.dispatcher = &dispatcher_;
  world.now = [this] { return dataplane_->now(); };
  world.log = [this](config::LogLevel level, const std::string& line) { log_.write(level, line); };
  world.audit = [this](const AuditEntry& entry) { audit_.record(entry); };
  accounts_.when_changed([this] { note("admin.remote", remote_.accounts_changed()); });
  return world;
}

}  // namespace postern
