// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dns_control.h"

#include <fmt/format.h>

#include "control/listeners.h"
#include "control/log/log_line.h"
#include "control/loop.h"

namespace postern {
namespace {

constexpr uint16_t kDnsPort = 53;

}  // namespace

DnsControl::DnsControl(Loop& loop, ErrorLog& log, std::string state_dir)
    : loop_(loop), log_(log), state_dir_(std::move(state_dir)) {}

DnsControl::~DnsControl() = default;

Result<void> DnsControl::follow(const config::Model& model, const Policy& policy,
                                const std::function<std::string(InterfaceId)>& device_of) {
  if (!model.services.dns || !model.services.dns->enabled) {
    validator_.reset();
    block_lists_.reset();
    tls_ = nullptr;
    own_questions_.reset();
    service_.reset();
    query_log_.reset();
    return {};
  }
  const config::Dns& dns = *model.services.dns;
  auto logging = follow_query_log(dns.query_log);
  if (!service_) start_service();
  auto applied = service_->apply(
      dns_settings(dns), listeners_of(config::listening_of(dns), kDnsPort, policy, device_of));
  auto tls = follow_tls(dns);
  auto dnssec = follow_dnssec(dns);
  follow_block_lists(dns);
  arrange_hooks();
  for (const Result<void>* outcome : {&applied, &tls, &dnssec}) {
    if (!*outcome) return *outcome;
  }
  return logging;
}

void DnsControl::start_service() {
  dns::Service::Report report;
  report.warn = [this](const std::string& line) { log_.warning("dns: " + line); };
  report.query = [this](const std::string& line) {
    if (query_log_) query_log_->add(error_time_text(wall_now_ns()) + " " + line);
  };
  service_ = std::make_unique<dns::Service>(loop_.context(), std::move(report));
  auto tls = std::make_unique<dns::TlsTransport>(loop_.context());
  tls_ = tls.get();
  service_->set_tls(std::move(tls));
  service_->set_own_reply([this](uint32_t number, dns::Bytes answer) {
    const bool is_for_validator = number < OwnQuestions::kFirstNumber;
    if (!is_for_validator && own_questions_) own_questions_->take(number, answer);
    if (is_for_validator && validator_) validator_->answer_query(number, answer);
  });
  own_questions_ = std::make_unique<OwnQuestions>(loop_.context(), *service_);
  for (const auto& [address, host_name] : leases_)
    service_->set_lease(address, host_name);
  service_->set_learned_servers(learned_);
}

void DnsControl::follow_block_lists(const config::Dns& dns) {
  dns::BlockListSettings wanted = block_settings(dns);
  if (wanted == block_settings_ && block_lists_) return;
  block_settings_ = wanted;
  if (!block_lists_) {
    block_lists_ =
        std::make_unique<dns::BlockLists>(loop_.context(), [this] { tell_block_lists(); });
  }
  block_lists_->configure(std::move(wanted));
}

// One line for what was loaded, and one for each file that is not as it should be.
void DnsControl::tell_block_lists() {
  if (block_lists_->reports().empty()) return;
  for (const dns::BlockFileReport& report : block_lists_->reports()) {
    if (!report.error.empty()) log_.warning("dns: block list " + report.error);
    if (report.bad_lines > 0) {
      log_.warning(fmt::format("dns: block list with {} bad lines, the first: {}", report.bad_lines,
                               report.first_bad));
    }
    if (report.no_room > 0) {
      log_.warning(fmt::format("dns: {}: {} names beyond services.dns.block.names", report.path,
                               report.no_room));
    }
  }
  log_.info(fmt::format("dns: {} names are blocked", block_lists_->set().blocked.names()));
}

Result<void> DnsControl::follow_tls(const config::Dns& dns) {
  const dns::Settings& settings = service_->forwarder().settings();
  std::vector<dns::ServerAddress> servers = settings.servers;
  for (const dns::Forward& forward : settings.forwards)
    servers.insert(servers.end(), forward.servers.begin(), forward.servers.end());
  return tls_->configure(servers, dns.tls_ca);
}

// Where validation is wanted and cannot be had, the one of before goes on; without one, questions
// fail.
Result<void> DnsControl::follow_dnssec(const config::Dns& dns) {
  is_validating_ = dns.dnssec && dns.dnssec->enabled;
  if (!is_validating_) {
    if (validator_) service_->flush(dns::Name());
    validator_.reset();
    return {};
  }
  const dns::ValidatorSettings wanted = validator_settings(dns);
  if (validator_ && validator_->settings() == wanted) return {};
  auto made = dns::Validator::make(
      loop_.context(), wanted,
      {[this](uint32_t number, dns::Bytes query) { service_->ask_own(number, query); }});
  if (!made) {
    if (!validator_) service_->flush(dns::Name());
    return std::move(made).error().within("services.dns.dnssec");
  }
  validator_ = std::move(made).value();
  service_->flush(dns::Name());  // it has not judged what is kept
  return {};
}

// Why an answer is refused, which a client cannot be told; one in ten seconds at most.
void DnsControl::tell_bogus(const dns::Name& name, const std::string& why) {
  const Instant now = service_->now();
  if (bogus_told_.ns != 0 && now - bogus_told_ < seconds(10)) return;
  bogus_told_ = now;
  log_.warning(fmt::format("dns: the answer for {} is bogus: {}", to_text(name), printable(why)));
}

void DnsControl::arrange_hooks() {
  dns::Hooks hooks;
  hooks.blocks = [this](const dns::Name& name) {
    return block_lists_->find(name.wire()).has_value();
  };
  if (is_validating_) {
    hooks.validate = [this](const dns::Question& question, dns::Bytes answer,
                            const dns::Hooks::Judged& done) {
      // Wanted, and not to be had: nothing is told that nobody has judged.
      if (!validator_) return done(dns::Verdict::failed, {});
      validator_->judge(question, answer,
                        [this, done, name = question.name](const dns::Validator::Outcome& outcome) {
                          if (outcome.verdict == dns::Verdict::bogus) tell_bogus(name, outcome.why);
                          done(outcome.verdict, outcome.message);
                        });
    };
  }
  service_->set_hooks(std::move(hooks));
}

bool DnsControl::find_addresses(const std::string& name, const OwnQuestions::Found& found) {
  if (!service_ || !own_questions_) return false;
  const auto parsed = dns::parse_name(name);
  if (!parsed) {
    found(Error{ErrorCode::invalid, "the name cannot be asked for"});
  } else if (block_lists_ && block_lists_->find(parsed->wire())) {
    found(Error{ErrorCode::denied, "the name is blocked"});
  } else {
    own_questions_->ask(*parsed, found);
  }
  return true;
}

bool DnsControl::find_own_addresses(const std::string& name, const OwnQuestions::Found& found) {
  if (!service_ || !own_questions_) return false;
  const auto parsed = dns::parse_name(name);
  parsed ? own_questions_->ask(*parsed, found)
         : found(Error{ErrorCode::invalid, "the name cannot be asked for"});
  return true;
}

bool DnsControl::find_mail_hosts(const std::string& domain, const OwnQuestions::HostsFound& found) {
  if (!service_ || !own_questions_) return false;
  const auto parsed = dns::parse_name(domain);
  parsed ? own_questions_->ask_mail_hosts(*parsed, found)
         : found(Error{ErrorCode::invalid, "the domain cannot be asked for"});
  return true;
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
  LogWriter::Targets targets;
  targets.file = log_file({}, state_dir_, "dns.log");
  if (auto done = targets.file->check(); !done) return done;
  targets.lost_line = [](uint64_t lines) {
    return fmt::format("{} {} queries could not be written", error_time_text(wall_now_ns()), lines);
  };
  query_log_ = std::make_unique<LogWriter>();
  query_log_->use(std::move(targets));
  return {};
}

}  // namespace postern
