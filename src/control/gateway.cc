// SPDX-License-Identifier: BSD-3-Clause
#include "control/gateway.h"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "control/admin/audit.h"
#include "control/admin/commands.h"
#include "control/admin/protocol.h"
#include "control/check.h"
#include "control/compile/schedule.h"
#include "control/dataplane_settings.h"
#include "control/text_file.h"

namespace postern {
namespace {

constexpr Duration kResolverTurn = milliseconds(100);
constexpr Duration kSlowTurn = seconds(1);
constexpr Duration kKernelLook = seconds(5);
constexpr Duration kEventNap = milliseconds(200);  // events are looked at so often without a bell
constexpr size_t kEventsPerTurn = 256;

std::vector<Resolver::Link> links_of(const config::Model& model, const Policy& policy) {
  std::vector<Resolver::Link> links;
  for (size_t i = 0; i < policy.interfaces.size(); ++i) {
    const PolicyInterface& interface = policy.interfaces[i];
    if (!interface.exists) continue;
    Resolver::Link link;
    link.id = static_cast<InterfaceId>(i);
    link.name = interface.name;
    link.mac = interface.mac;
    link.addresses = interface.addresses;
    for (const auto& external : policy.nat.external_addresses) {
      if (external.answers_arp && external.on == link.id) {
        link.other_addresses.push_back(external.address);
      }
    }
    for (const config::Neighbor& neighbor : model.interfaces[i].neighbors)
      link.neighbors.push_back({neighbor.address, neighbor.mac});
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace

Gateway::Gateway(StartOptions options, ErrorLog& log)
    : options_(std::move(options)), log_(log), dns_(loop_, log, options_.state_dir) {
  status_.started = std::time(nullptr);
  // C09: names of leases are told before their clients are told of the leases.
  dhcp_.set_name_sink([this](const dhcp::NameChange& change) {
    if (change.until_s == 0) return dns_.erase_lease(change.address);
    dns_.set_lease(change.address, change.name);
  });
}

Gateway::~Gateway() {
  if (status_.is_live) sd_notify(0, "STOPPING=1");
  admin_server_.reset();
  mail_.end();
  tell_links_end();
  if (exporter_) exporter_->stop();  // its collector is reached through the dataplane
  if (dataplane_) dataplane_->stop();
  if (security_log_) security_log_->stop();
  if (status_.is_live) log_.info("stopped");
  log_.output().set_relay(nullptr);
}

Result<void> Gateway::start(Choice choice) {
  begin_logging(choice.model);
  if (choice.is_last_good) {
    status_.warnings["configuration"] = choice.refusal + "; the last good configuration runs";
  }
  status_.source = choice.is_last_good ? "last-good" : "file";
  const config::Model model = choice.model;
  if (auto started = start_dataplane(model); !started) return started;
  // From here on records may come; their generation's names are known before it is published.
  auto host_path = HostPath::open();
  if (!host_path) return std::move(host_path).error();
  host_path_ = std::move(*host_path);
  ReloadReport first = reload_->start(std::move(choice.text), std::move(choice.model));
  if (!first.done) return Error{first.code, first.text};
  if (auto started = start_log(model); !started) return started;
  if (auto started = dataplane_->start_workers(); !started) return started;
  if (auto started = start_admin(model); !started) return started;
  if (auto started = dataplane_->start_ports(); !started) return started;
  status_.is_live = true;
  changes_.begin(status_.source);
  reload_->keep_as_last_good();
  note("debug log", debug_log_.configure(model, options_.state_dir));
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - constructed_;
  status_.start_s = took.count();
  log_.info(fmt::format("ruleset live: generation {}, {} rules, {} interfaces, {} workers",
                        publisher_->current()->generation, publisher_->current()->rules.size(),
                        links_of(model, *publisher_->current()).size(), dataplane_->workers()));
  for (const std::string& line : dataplane_->spread_lines())
    log_.info(line);
  arrange_turns();
  return {};
}

void Gateway::run() {
  sd_notify(0, "READY=1\nSTATUS=the ruleset is live");
  loop_.run();
}

Result<void> Gateway::start_dataplane(const config::Model& model) {
  auto dataplane = Dataplane::create(dataplane_settings(model, options_.run_dir));
  if (!dataplane) return std::move(dataplane).error();
  dataplane_ = std::move(*dataplane);
  for (const std::string& remark : dataplane_->remarks())
    log_.info(remark);
  make_exporter(model);
  publisher_ = std::make_unique<Publisher>(dataplane_->policies());
  identities_ = std::make_unique<IdentityBoard>(dataplane_->identities(), dataplane_->workers());
  begin_log_ins();
  Reload::Settings settings;
  settings.state_dir = options_.state_dir;
  settings.inputs = [this] { return compile_inputs(); };
  settings.effective = [this](const config::Model& model) {
    return dhcp_clients_.effective(model);
  };
  settings.conflicts = [this](const config::Model& model) {
    // During a trial there is but the way back, which nothing may block.
    if (changes_.trial()) return std::vector<config::Finding>();
    return accounts_.conflicts(model.users);
  };
  settings.remarks = [](const std::string& text, const config::Model& model) {
    return machine_findings(text, model, geteuid());
  };
  settings.before_publication = [this](const Policy& policy) { names_.add(policy); };
  settings.on_published = [this](const config::Model& now, const Policy& policy) {
    follow(now, policy);
  };
  settings.warn = [this](const std::string& line) { log_.warning(line); };
  reload_ = std::make_unique<Reload>(*publisher_, std::move(settings));
  link_was_up_.resize(model.interfaces.size());
  turns_.resize(dataplane_->workers());
  load_ = WorkerLoad(dataplane_->workers());
  return {};
}

Result<void> Gateway::start_admin(const config::Model& model) {
  admin::add_commands(dispatcher_, *this);
  dispatcher_.set_auditor(
      [this](const admin::Dispatcher::Answered& what, const admin::Json& response) {
        audit_.record(admin::audit_entry(what, response));
      });
  auto server = admin::Server::listen(loop_, admin::socket_path(options_.run_dir), dispatcher_);
  if (!server) return std::move(server).error();
  admin_server_ = std::move(*server);
  admin_server_->set_role_of([this](const admin::Peer& peer) { return role_of(peer); });
  note("admin", admin_server_->set_group(model.admin.socket.group));
  return {};
}

// What the control thread does from now on.
void Gateway::arrange_turns() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  loop_.when_readable(signal_fd, [this, signal_fd] { on_signal(signal_fd); });
  loop_.when_readable(dataplane_->event_bell().fd(), [this] { drain_events(); });
  loop_.every(kEventNap, [this] { drain_events(); });
  loop_.every(kResolverTurn, [this] {
    resolver_.tick(dataplane_->now());
    publisher_->collect();
    identities_->turn();
  });
  loop_.every(kSlowTurn, [this] {
    if (auto report = changes_.tick()) {
      audit_.record(admin::audit_entry("posternd", "revert", *report));
    }
    reload_->tick(std::time(nullptr));
    portal_.tick();
    http_.tick();
    mail_.tick();
    follow_interception();
    log_ins_.tick();
    look_after_links();
    note("dhcp client", dhcp_clients_.complaint());
    note("admin socket", admin_server_->complaint());
    look_after_load();
    look_after_log();
  });
  loop_.every(kKernelLook, [this] {
    check_kernel();
    if (debug_log_.is_failing()) note("debug log", debug_log_.try_again());
  });
  uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
    loop_.every(microseconds(static_cast<int64_t>(watchdog_us / 3)), [this] { pet_watchdog(); });
  }
}

CompileInputs Gateway::compile_inputs() const {
  CompileInputs inputs;
  inputs.shards = dataplane_->shards();
  inputs.minute_of_week = minute_of_week(std::time(nullptr));
  inputs.http_is_served = http_.serves_intercepted();
  for (size_t i = 0; i < kInterfacesMax; ++i) {
    auto id = static_cast<InterfaceId>(i);
    PortInput port;
    if (dataplane_->has_port(id)) port = {dataplane_->mac_of(id), dataplane_->port(id).mtu};
    inputs.ports.push_back(port);
  }
  return inputs;
}

// After each publication: what is not the workers' business keeps up.
void Gateway::follow(const config::Model& model, const Policy& policy) {
  status_.configured = std::time(nullptr);
  note("host path",
       host_path_->apply(plan_host_path(policy, [this](InterfaceId id) { return device_of(id); })));
  resolver_.configure(links_of(model, policy), dataplane_->now());
  note("accounts", accounts_.follow(model));
  follow_services(model, policy);
  follow_logging(model, policy.is_on_trial);
  follow_exporter(model, policy);
  if (status_.is_live) note("debug log", debug_log_.configure(model, options_.state_dir));
  if (admin_server_) note("admin", admin_server_->set_group(model.admin.socket.group));
}

// Keeps a warning for `postern status` as long as something does not work.
void Gateway::note(const std::string& about, const Result<void>& outcome) {
  if (outcome) {
    status_.warnings.erase(about);
    return;
  }
  std::string& warning = status_.warnings[about];
  if (warning == outcome.error().text) return;
  warning = outcome.error().text;
  log_.error(about + ": " + warning);
}

void Gateway::tell(const ReloadReport& report, const std::string& label, const std::string& who) {
  for (const config::Finding& finding : report.findings) {
    bool is_error = finding.severity == config::Severity::error;
    log_.write(is_error ? config::LogLevel::error : config::LogLevel::warning,
               config::to_text(finding, label));
  }
  log_.write(report.done ? config::LogLevel::info : config::LogLevel::error,
             "reload by " + who + ": " + report.text);
}

void Gateway::take(const ControlEvent& event) {
  if (event.kind == EventKind::probe_answered) {
    return dhcp_clients_.address_seen(event.interface, event.address, event.mac);
  }
  resolver_.handle(event, dataplane_->now());
  if (event.kind != EventKind::neighbor_seen) return;
  dhcp_.address_seen(event.interface, event.address, event.mac);
}

void Gateway::drain_events() {
  std::array<ControlEvent, 64> events;
  for (size_t taken = 0; taken < kEventsPerTurn;) {
    size_t before = taken;
    for (WorkerId id = 0; id < dataplane_->workers(); ++id) {
      size_t count = dataplane_->events(id).pop(events);
      for (size_t i = 0; i < count; ++i)
        take(events[i]);
      taken += count;
    }
    if (taken == before) break;
  }
  // An event that comes in after the look above rings the bell anew.
  dataplane_->event_bell().arm();
}

void Gateway::look_after_links() {
  for (size_t i = 0; i < link_was_up_.size(); ++i) {
    auto id = static_cast<InterfaceId>(i);
    if (!dataplane_->has_port(id)) continue;
    bool is_up = dataplane_->port(id).link_up;
    if (is_up == link_was_up_[i]) continue;
    link_was_up_[i] = is_up;
    tell_link(publisher_->current()->interfaces[i].name, is_up);
    if (!is_up) continue;
    resolver_.announce(id, dataplane_->now());
    dhcp_clients_.link_came_up(id);
    if (publisher_->current()->interfaces[i].zone == Zone::external) mail_.link_is_up();
  }
}

void Gateway::look_after_load() {
  for (WorkerId id = 0; id < dataplane_->workers(); ++id)
    load_.look(id, dataplane_->counters(id).busy_ns.read(), dataplane_->now());
}

// Whatever became of the kernel's own setting, our devices do not forward.
void Gateway::check_kernel() {
  note("kernel forwarding", check_forwarding_is_off());
  note("host path forwarding", host_path_->keep_from_forwarding());
}

// Only while every worker gets on: a gateway with a stuck worker is restarted.
void Gateway::pet_watchdog() {
  bool all_move = true;
  for (WorkerId id = 0; id < dataplane_->workers(); ++id) {
    uint64_t turns = dataplane_->counters(id).turns.read();
    if (turns == turns_[id]) {
      log_.error(fmt::format("worker {} does not move", unsigned{id}));
      all_move = false;
    }
    turns_[id] = turns;
  }
  if (all_move) sd_notify(0, "WATCHDOG=1");
}

void Gateway::on_signal(int signal_fd) {
  signalfd_siginfo info = {};
  while (read(signal_fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      reload_file();
    } else {
      log_.info(info.ssi_signo == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping");
      loop_.stop();
    }
  }
}

void Gateway::send(InterfaceId interface, std::span<const uint8_t> frame) {
  dataplane_->inject(interface, frame);  // a full ring: the resolver asks again
}

bool Gateway::set(InterfaceId interface, Ipv4Address address, const MacAddress& mac) {
  log_ins_.machine_seen(address, mac);
  return dataplane_->neighbors().set(interface, address, mac);
}

void Gateway::erase(InterfaceId interface, Ipv4Address address) {
  dataplane_->neighbors().erase(interface, address);
}

void Gateway::remark(const std::string& line) {
  log_.warning(line);
}

}  // namespace postern
