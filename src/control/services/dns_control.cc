// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dns_control.h"

#include <spdlog/logger.h>

#include "control/loop.h"

namespace postern {
namespace {

constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S.%e%z %v";

}  // namespace

DnsControl::DnsControl(Loop& loop, ErrorLog& log, std::string state_dir)
    : loop_(loop), log_(log), state_dir_(std::move(state_dir)) {}

DnsControl::~DnsControl() = default;

Result<void> DnsControl::follow(const config::Model& model, const Policy& policy,
                                const std::function<std::string(InterfaceId)>& device_of) {
  if (!model.services.dns || !model.services.dns->enabled) {
    service_.reset();
    query_log_.reset();
    return {};
  }
  const config::Dns& dns = *model.services.dns;
  auto logging = follow_query_log(dns.query_log);
  if (!service_) {
    dns::Service::Report report;
    report.warn = [this](const std::string& line) { log_.warning("dns: " + line); };
    report.query = [this](const std::string& line) {
      if (query_log_) query_log_->info(line);
    };
    service_ = std::make_unique<dns::Service>(loop_.context(), std::move(report));
    for (const auto& [address, host_name] : leases_)
      service_->set_lease(address, host_name);
    service_->set_learned_servers(learned_);
  }
  auto applied = service_->apply(dns_settings(dns), dns_listeners(dns, policy, device_of));
  return applied ? logging : applied;
}

void DnsControl::set_lease(Ipv4Address address, const std::string& host_name) {
  leases_[address] = host_name;
  if (service_) service_->set_lease(address, host_name);
}

void DnsControl::erase_lease(Ipv4Address address) {
  leases_.erase(address);
  if (service_) service_->erase_lease(address);
}

void DnsControl::set_learned_servers(const std::vector<Ipv4Address>& servers) {
  learned_.clear();
  for (Ipv4Address server : servers)
    learned_.push_back({server, 53, ""});
  if (service_) service_->set_learned_servers(learned_);
}

Result<void> DnsControl::follow_query_log(bool is_wanted) {
  if (is_wanted == (query_log_ != nullptr)) return {};
  query_log_.reset();
  if (!is_wanted) return {};
  auto file = open_log_file({}, state_dir_, "dns.log");
  if (!file) return std::move(file).error();
  query_log_ = std::make_unique<spdlog::logger>("dns", *file);
  query_log_->set_pattern(kPattern);
  return {};
}

}  // namespace postern
