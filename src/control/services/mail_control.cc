// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/mail_control.h"

#include <fmt/format.h>

#include <ctime>
#include <optional>
#include <set>
#include <utility>

#include "control/accounts/accounts.h"
#include "control/log/audit_log.h"
#include "control/log/counted_line.h"
#include "control/log/error_log.h"
#include "control/loop.h"
#include "control/services/mail_settings.h"
#include "control/services/own_certificate.h"
#include "control/services/system_names.h"
#include "services/mail/server/spf.h"

namespace postern {
namespace {

constexpr int kSecondsPerMinute = 60;

int zone_now_min() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  localtime_r(&now, &parts);
  return static_cast<int>(parts.tm_gmtoff / kSecondsPerMinute);
}

void add_counters(mail::MailCounters& sum, const mail::MailCounters& more) {
#define POSTERN_MAIL_COUNTER(name, help) sum.name += more.name;
#include "control/services/mail_counters.def"
#undef POSTERN_MAIL_COUNTER
}

mail::PasswordCheck check_of(const accounts::Outcome& outcome) {
  switch (outcome.verdict) {
    case accounts::Verdict::right:
      return mail::PasswordCheck::right;
    case accounts::Verdict::wrong:
      return mail::PasswordCheck::wrong;
    case accounts::Verdict::wait:
    case accounts::Verdict::blocked:
    case accounts::Verdict::busy:
      break;
  }
  return mail::PasswordCheck::busy;
}

}  // namespace

struct MailControl::State {
  State(Loop& to_loop, ErrorLog& to_log, accounts::Accounts& of, World with)
      : loop(to_loop), log(to_log), accounts(of), world(std::move(with)), names(to_loop) {}

  mail::Seams seams();
  void check_password(const std::string& user, const std::string& password, Ipv4Address client,
                      const mail::Seams::Checked& then);
  void tell_refused(const std::string& user, Ipv4Address from, const accounts::Outcome& outcome);
  MailInputs inputs() {
    return {*wanted, objects, system_name, *world.policy(), world.device_of, accounts.book()};
  }
  std::string folder_of(const config::Mail& mail) const {
    return mail.folder.empty() ? world.state_dir + "/mail" : mail.folder;
  }
  Result<void> apply();
  Result<void> apply_accounts();
  Result<void> put_certificate(mail::MailSettings& settings);
  Result<void> renew_certificate(const mail::MailSettings& settings);
  Result<void> start_or_follow(mail::MailSettings settings);
  void end();

  Loop& loop;
  ErrorLog& log;
  accounts::Accounts& accounts;
  World world;
  SystemNames names;
  CountedLine unchecked{kUncheckedTold};
  // As configured; nullopt: no service.
  std::optional<config::Mail> wanted;
  config::Objects objects;
  std::string system_name;
  std::string folder;  // of the service that runs
  std::string host;
  portal::CertificateText certificate;
  std::string fingerprint;  // of that
  MailTimes times;
  std::set<std::string> users;               // with a mailbox
  std::vector<AddressRange> relay_networks;  // as the service has them
  mail::MailCounters ended;                  // of services that are gone
  bool is_stale = false;                     // the accounts have changed
  bool is_complete = true;                   // else it is tried again
  bool is_sound = false;                     // all that was read is in use, without complaint
  Instant again_at;
  std::unique_ptr<mail::Service> service;
};

void MailControl::State::check_password(const std::string& user, const std::string& password,
                                        Ipv4Address client, const mail::Seams::Checked& then) {
  accounts.check_password({user, client, accounts::Door::mail}, password,
                          [this, user, client, then](const accounts::Outcome& outcome) {
                            mail::PasswordCheck check = check_of(outcome);
                            // Who has an account, and no mailbox, has no business here.
                            if (check == mail::PasswordCheck::right &&
                                (outcome.user == nullptr || users.count(outcome.user->name) == 0))
                              check = mail::PasswordCheck::wrong;
                            if (check != mail::PasswordCheck::right)
                              tell_refused(user, client, outcome);
                            then(check);
                          });
}

// Those that are turned away unchecked may be many: one line in a while.
void MailControl::State::tell_refused(const std::string& user, Ipv4Address from,
                                      const accounts::Outcome& outcome) {
  const auto more = accounts::was_checked(outcome) ? std::string() : unchecked.note(world.now());
  if (!more) return;
  const std::string why = outcome.verdict == accounts::Verdict::right ? "there is no such mailbox"
                                                                      : accounts::to_text(outcome);
  log.info(fmt::format("mail: {} at {} refused: {}{}", printable(user), to_text(from), why, *more));
  AuditEntry entry;
  entry.who = user;
  entry.from = "mail " + to_text(from);
  entry.action = "login";
  entry.outcome = "refused";
  entry.detail = why + *more;
  world.audit(entry);
}

mail::Seams MailControl::State::seams() {
  mail::Seams calls;
  calls.resolve = [this](const std::string& name, const mail::Seams::Resolved& then) {
    if (!world.ask_dns(name, then)) names.ask(name, then);
  };
  calls.find_mail_hosts = [this](const std::string& domain, const mail::Seams::MailHosts& then) {
    if (!world.ask_mail_hosts(domain, then))
      then(Error{ErrorCode::unavailable, "services.dns is not there to be asked"});
  };
  calls.check_password = [this](const std::string& user, const std::string& password,
                                Ipv4Address client, const mail::Seams::Checked& then) {
    check_password(user, password, client, then);
  };
  calls.time_holds = [this](uint32_t time) { return times.holds(time, std::time(nullptr)); };
  calls.log = world.log;
  calls.warn = [this](const std::string& line) { log.warning("mail: " + line); };
  calls.now = world.now;
  calls.wall_s = [] { return static_cast<int64_t>(std::time(nullptr)); };
  calls.zone_min = zone_now_min;
  return calls;
}

// One that cannot be used leaves the one before.
Result<void> MailControl::State::put_certificate(mail::MailSettings& settings) {
  const Result<void> done = renew_certificate(settings);
  settings.server.certificate = certificate.certificate;
  settings.server.key = certificate.key;
  return done;
}

Result<void> MailControl::State::renew_certificate(const mail::MailSettings& settings) {
  const config::MailServerTls& tls = wanted->tls;
  auto text = tls.certificate.empty() ? own_certificate(world.state_dir + "/mail-tls",
                                                        settings.host, places_of(settings.server))
                                      : read_certificate({tls.certificate, tls.key});
  if (!text) return std::move(text).error().within("services.mail.tls");
  auto facts = portal::look_at(*text);
  if (!facts) return std::move(facts).error().within("services.mail.tls.certificate");
  if (facts->not_after_s < std::time(nullptr)) log.warning("mail: the certificate is too old");
  if (facts->fingerprint != fingerprint)
    log.info("mail: certificate with SHA-256 " + facts->fingerprint);
  fingerprint = std::move(facts->fingerprint);
  certificate = std::move(*text);
  return {};
}

Result<void> MailControl::State::start_or_follow(mail::MailSettings settings) {
  const std::string place = folder_of(*wanted);
  if (service && folder == place) return service->follow(std::move(settings));
  end();
  const size_t places = places_of(settings.server).size();
  auto made = mail::Service::open(
      loop.context(), {place, std::move(settings), seams(), mail::installed_spf_program()});
  if (!made) return std::move(made).error();
  service = std::move(*made);
  folder = place;
  if (service->listening().size() < places)
    return Error{ErrorCode::failed, "it does not listen everywhere yet; see the error log"};
  return {};
}

// Without a certificate mail still comes and goes; what takes TLS is not offered.
Result<void> MailControl::State::apply() {
  is_stale = false;
  again_at = world.now() + kAgain;
  MailPlan plan = plan_mail(inputs());
  times = std::move(plan.times);
  users = plan.settings.book.users;
  relay_networks = plan.settings.server.relay_networks;
  host = plan.settings.host;
  const Result<void> has_certificate = put_certificate(plan.settings);
  const Result<void> done = start_or_follow(std::move(plan.settings));
  is_complete = done && has_certificate;
  is_sound = is_complete && plan.complaint;
  if (!done) return done.error();
  if (!has_certificate) return has_certificate;
  return plan.complaint;
}

// No files, certificates or connections.
Result<void> MailControl::State::apply_accounts() {
  is_stale = false;
  mail::RecipientBook book = plan_mail_book(inputs());
  users = book.users;
  const Result<void> done = service->follow_book(std::move(book));
  is_complete = done.has_value();
  again_at = world.now() + kAgain;
  return done;
}

void MailControl::State::end() {
  if (!service) return;
  add_counters(ended, service->counters());
  service.reset();
  is_sound = false;
}

MailControl::MailControl(Loop& loop, ErrorLog& log, accounts::Accounts& accounts, World world)
    : state_(std::make_unique<State>(loop, log, accounts, std::move(world))) {
  accounts.when_changed([this] { state_->is_stale = true; });
}

MailControl::~MailControl() = default;

Result<void> MailControl::follow(const config::Model& model) {
  State& state = *state_;
  if (!model.services.mail || !model.services.mail->enabled) {
    state.end();
    state.wanted.reset();
    return {};
  }
  state.wanted = model.services.mail;
  state.objects = model.objects;
  state.system_name = model.system.name;
  return state.apply();
}

void MailControl::tick() {
  State& state = *state_;
  if (!state.wanted) return;
  const bool is_time = !state.is_complete && state.world.now() >= state.again_at;
  if (is_time || (state.is_stale && !state.is_sound)) {
    state.world.note("mail", state.apply());
  } else if (state.is_stale) {
    state.world.note("mail", state.apply_accounts());
  }
  if (state.service) state.service->tick();
}

void MailControl::end() {
  state_->wanted.reset();
  state_->end();
}

void MailControl::link_is_up() {
  if (state_->service) state_->service->link_is_up();
}

bool MailControl::is_wanted() const {
  return state_->wanted.has_value();
}

mail::Service* MailControl::service() const {
  return state_->service.get();
}

const std::string& MailControl::folder() const {
  return state_->folder;
}

const std::string& MailControl::host() const {
  return state_->host;
}

const std::string& MailControl::fingerprint() const {
  return state_->fingerprint;
}

std::vector<AddressRange> MailControl::relay_networks() const {
  return state_->relay_networks;
}

mail::MailCounters MailControl::counters() const {
  if (!state_->service) return state_->ended;
  mail::MailCounters all = state_->service->counters();
  add_counters(all, state_->ended);
  return all;
}

}  // namespace postern
