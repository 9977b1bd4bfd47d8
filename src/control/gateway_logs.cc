// SPDX-License-Identifier: BSD-3-Clause
// The part of the gateway that has to do with its logs.
#include <fmt/format.h>

#include "control/compile/policy_text.h"
#include "control/gateway.h"

namespace postern {

// Lines of before are there to be read, and what is written from now on reaches everybody.
void Gateway::begin_logging(const config::Model& model) {
  for (const config::LogFacts& log : config::kLogTable)
    logs_.window().seed(log.name, options_.state_dir);
  for (LogOutput* output : log_outputs())
    output->set_relay(&logs_);
  follow_logging(model, false);
}

// When something of it is another, or is settled now.
void Gateway::follow_logging(const config::Model& model, bool is_on_trial) {
  const std::string& state = options_.state_dir;
  const std::string& host = model.system.name;
  const bool is_same = model.logging == logging_ && host == logged_name_;
  if (is_same && is_on_trial == is_logging_on_trial_) return;
  logging_ = model.logging;
  logged_name_ = host;
  is_logging_on_trial_ = is_on_trial;
  logs_.configure(logging_, {state, host},
                  is_on_trial ? LogHub::Others::stay : LogHub::Others::are_forgotten);
  if (is_same) return;
  using config::LogName;
  note("logging", log_.configure(logging_.file(LogName::error), logging_.level, state));
  note("audit log", audit_.configure(logging_.file(LogName::audit), state, host));
  note("alert log", alerts_.configure(logging_, state, host));
  note("dial log", dial_.configure(logging_.file(LogName::dial), state, host));
  note("http log", http_log_.configure(logging_.file(LogName::http), state, host));
  note("mail log", mail_log_.configure(logging_.file(LogName::mail), state, host));
  if (security_log_) {
    note("security log", security_log_->configure(logging_.file(LogName::security), host));
  }
}

// Called when nothing runs yet: all of it is asked later.
DialLog::World Gateway::dial_world() {
  DialLog::World world;
  world.now = [this] { return dataplane_->now(); };
  world.traffic = [this](const std::string& name) {
    LinkTraffic traffic;
    const auto& interfaces = publisher_->current()->interfaces;
    for (size_t i = 0; i < interfaces.size(); ++i) {
      if (interfaces[i].name != name) continue;
      for (WorkerId worker = 0; worker < dataplane_->workers(); ++worker) {
        const auto& counters = dataplane_->counters(worker).interfaces[i];
        traffic.received_bytes += counters.rx_bytes.read();
        traffic.sent_bytes += counters.tx_bytes.read();
      }
    }
    return traffic;
  };
  return world;
}

DebugLog::World Gateway::debug_world() {
  DebugLog::World world;
  world.now = [this] { return dataplane_->now(); };
  world.interface = [this](InterfaceId id) { return interface_text(id, *publisher_->current()); };
  world.rule = [this](uint32_t generation, uint16_t rule) {
    auto names = names_.find(generation);
    const PolicyNames::Entry* entry = names ? names->names.find_rule(rule) : nullptr;
    return entry != nullptr ? entry->name : fmt::format("#{}", rule);
  };
  return world;
}

void Gateway::tell_link(const std::string& interface, bool is_up) {
  is_up ? dial_.link_up(interface) : dial_.link_down(interface, "no carrier");
}

void Gateway::tell_links_end() {
  if (!status_.is_live) return;
  for (size_t i = 0; i < link_was_up_.size(); ++i) {
    if (link_was_up_[i]) {
      dial_.link_down(publisher_->current()->interfaces[i].name, "posternd stops");
    }
  }
}

void Gateway::tell_address(InterfaceId id, const AddressChange& change) {
  const std::string& interface = publisher_->current()->interfaces[id].name;
  if (change.is_gained) {
    dial_.address_gained(interface, change.address, change.server, change.lease_s);
    if (publisher_->current()->interfaces[id].zone == Zone::external) mail_.link_is_up();
  } else {
    dial_.address_lost(interface, change.cause);
  }
}

Result<void> Gateway::start_log(const config::Model& model) {
  SecurityLog::Settings settings;
  for (WorkerId id = 0; id < dataplane_->workers(); ++id)
    settings.sources.push_back({&dataplane_->log_ring(id), &dataplane_->counters(id)});
  settings.bell = &dataplane_->log_bell();
  settings.names = &names_;
  settings.users = &log_ins_.names();
  settings.now = [this] { return dataplane_->now(); };
  settings.state_dir = options_.state_dir;
  settings.alert = [this](const std::string& rule, std::string_view text) {
    alerts_.raise("rule", text, rule);
  };
  security_log_ = std::make_unique<SecurityLog>(std::move(settings));
  security_log_->output().set_relay(&logs_);
  if (auto done = security_log_->configure(model.logging.file(config::LogName::security),
                                           model.system.name);
      !done)
    return done;
  security_log_->start();
  return {};
}

void Gateway::make_exporter(const config::Model& model) {
  ipfix::Exporter::World world;
  for (WorkerId id = 0; id < dataplane_->workers(); ++id)
    world.sources.push_back({&dataplane_->flow_ring(id), &dataplane_->counters(id)});
  world.now = [this] { return dataplane_->now(); };
  const config::Limits& limits = model.system.limits;
  world.limits = {limits.sessions, limits.mappings, limits.hosts, limits.sessions_from_host};
  exporter_ = std::make_unique<ipfix::Exporter>(std::move(world));
}

void Gateway::follow_exporter(const config::Model& model, const Policy& policy) {
  if (!model.logging.ipfix) return exporter_->follow(std::nullopt);
  ipfix::Destination destination{*model.logging.ipfix, {}};
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    if (!policy.interfaces[i].exists) continue;
    destination.interfaces.emplace_back(ipfix::interface_number(static_cast<InterfaceId>(i)),
                                        policy.interfaces[i].name);
  }
  destination.interfaces.emplace_back(ipfix::interface_number(kRecirculate), "hairpin");
  destination.interfaces.emplace_back(ipfix::interface_number(kGateway), "gateway");
  exporter_->follow(destination);
}

std::vector<LogOutput*> Gateway::log_outputs() {
  std::vector<LogOutput*> outputs = {&log_.output(),       &audit_.output(),    &dial_.output(),
                                     &debug_log_.output(), &http_log_.output(), &mail_log_.output(),
                                     &alerts_.output()};
  if (security_log_) outputs.push_back(&security_log_->output());
  return outputs;
}

void Gateway::look_after_log() {
  for (const LogOutput* output : log_outputs()) {
    uint64_t& before = unwritten_lines_[static_cast<size_t>(output->name())];
    const uint64_t unwritten = output->unwritten();
    Result<void> outcome;
    if (unwritten != before || output->is_failing()) {
      outcome = Error{ErrorCode::failed,
                      "lines cannot be written; is the disk full, does nobody read the console?"};
    }
    before = unwritten;
    note(std::string(to_word(output->name())) + " log lines", outcome);
  }
  note("syslog", logs_.complaint());
  note("ipfix", exporter_->complaint());
  debug_log_.tick();
}

}  // namespace postern
