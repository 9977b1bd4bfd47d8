// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/portal_control.h"

#include <fmt/format.h>

#include <ctime>

#include "control/config/account_text.h"
#include "control/listeners.h"
#include "control/services/log_in_control.h"
#include "control/services/own_certificate.h"

namespace postern {
namespace {

constexpr unsigned kForbidden = 403, kTooMany = 429, kUnavailable = 503;

portal::Verdict verdict_of(const accounts::Outcome& outcome, const accounts::Accounts& accounts) {
  portal::Verdict verdict;
  if (outcome.verdict == accounts::Verdict::right && outcome.user != nullptr) {
    verdict.is_right = true;
    verdict.user = outcome.user->name;
    verdict.groups = accounts.book().groups_of(*outcome.user);
    verdict.password_number = accounts.password_number(verdict.user);
    return verdict;
  }
  verdict.text = accounts::to_text(outcome);
  verdict.wait_s = static_cast<unsigned>((outcome.wait.ns + seconds(1).ns - 1) / seconds(1).ns);
  switch (outcome.verdict) {
    case accounts::Verdict::wait:
    case accounts::Verdict::blocked:
      verdict.status = kTooMany;
      break;
    case accounts::Verdict::busy:
      verdict.status = kUnavailable;
      break;
    case accounts::Verdict::right:
    case accounts::Verdict::wrong:
      verdict.status = kForbidden;
      break;
  }
  return verdict;
}

}  // namespace

PortalControl::PortalControl(const Parts& parts, World world)
    : loop_(parts.loop),
      log_(parts.log),
      accounts_(parts.accounts),
      log_ins_(parts.log_ins),
      world_(std::move(world)),
      engine_(portal_world()) {
  log_ins_.when_ended([this](const LogIn& log_in, LogInEnd) { engine_.forget(log_in.address); });
}

PortalControl::~PortalControl() = default;

portal::Portal::World PortalControl::portal_world() {
  portal::Portal::World world;
  world.now = [this] { return world_.now(); };
  world.find = [this](Ipv4Address address) { return find(address); };
  world.touch = [this](Ipv4Address address) { log_ins_.touch(address); };
  world.check = [this](const std::string& name, std::string password, Ipv4Address from,
                       portal::Portal::World::Done done) {
    check(name, std::move(password), from, std::move(done));
  };
  world.let_in = [this](Ipv4Address from, const portal::Verdict& verdict) {
    return let_in(from, verdict);
  };
  world.let_out = [this](Ipv4Address from, portal::Left how) {
    log_ins_.log_out(from, how == portal::Left::silent ? LogInEnd::silent : LogInEnd::logged_out);
  };
  return world;
}

void PortalControl::check(const std::string& name, std::string password, Ipv4Address from,
                          portal::Portal::World::Done done) {
  accounts_.check_password(
      {name, from, accounts::Door::portal}, std::move(password),
      [this, name, from, done = std::move(done)](const accounts::Outcome& outcome) {
        const portal::Verdict verdict = verdict_of(outcome, accounts_);
        if (!verdict.is_right) {
          tell_refused(name, from, verdict.text, accounts::was_checked(outcome));
        }
        done(verdict);
      });
}

// Those that are turned away unchecked may be many: one line in a while.
void PortalControl::tell_refused(const std::string& name, Ipv4Address from, const std::string& why,
                                 bool is_checked) {
  const auto more = is_checked ? std::string() : unchecked_.note(world_.now());
  if (!more) return;
  log_.info(
      fmt::format("portal: {} at {} refused: {}{}", printable(name), to_text(from), why, *more));
  AuditEntry entry = log_in_entry(name, LogInDoor::portal, from);
  entry.outcome = "refused";
  entry.detail = why + *more;
  world_.audit(entry);
}

std::optional<portal::Person> PortalControl::find(Ipv4Address address) const {
  const LogIn* log_in = log_ins_.find(address);
  if (log_in == nullptr) return std::nullopt;
  portal::Person person;
  person.user = log_in->user;
  person.since_s = log_in->since_s;
  person.idle = log_ins_.limits_of(*log_in).idle;
  const Instant ends = log_ins_.ends(*log_in);
  if (ends.ns != 0) person.left = ends - world_.now();
  return person;
}

bool PortalControl::let_in(Ipv4Address from, const portal::Verdict& verdict) {
  if (server_ == nullptr) return false;
  LogIn log_in;
  log_in.address = from;
  log_in.door = LogInDoor::portal;
  log_in.user = verdict.user;
  log_in.groups = verdict.groups;
  log_in.password_number = verdict.password_number;
  return log_ins_.log_in(std::move(log_in));
}

Result<void> PortalControl::follow(const config::Model& model, const Policy& policy) {
  if (!model.services.portal || !model.services.portal->enabled) {
    close();
    return {};
  }
  const config::Portal& portal = *model.services.portal;
  engine_.set_heartbeat(portal.heartbeat);
  log_ins_.set_limits(LogInDoor::portal, {portal.idle_timeout, portal.absolute_timeout});
  wanted_ = listeners_of(config::listening_of(portal), portal.port, policy, world_.device_of);
  if (server_ == nullptr) {
    server_ = std::make_unique<portal::Server>(
        loop_.context(),
        [this](const portal::Request& request, Ipv4Address from,
               const portal::Server::Answer& answer) { engine_.handle(request, from, answer); },
        [this](Ipv4Address from) { return handshakes_.allows(from, world_.now()); });
  }
  // Also where nothing else works: no page is left where none is wanted any more.
  server_->close_others(wanted_);
  if (auto certificate = follow_certificate(portal, model.system.name); !certificate) {
    return std::move(certificate).error().within("services.portal");
  }
  return server_->listen(wanted_);
}

// Without the page nobody could log out.
void PortalControl::close() {
  log_ins_.close(LogInDoor::portal);
  server_.reset();
  certificate_ = {};
  facts_ = {};
}

Result<void> PortalControl::follow_certificate(const config::Portal& portal,
                                               const std::string& name) {
  auto read = portal.certificate.empty()
                  ? own_certificate(world_.state_dir + "/portal", name, wanted_)
                  : read_certificate({portal.certificate, portal.key});
  if (!read) return std::move(read).error();
  portal::CertificateText text = std::move(*read);
  const bool is_same = text.certificate == certificate_.certificate && text.key == certificate_.key;
  if (is_same) return {};
  auto facts = portal::look_at(text);
  if (!facts) return std::move(facts).error().within("certificate");
  if (auto set = server_->set_certificate(text); !set) return set;
  if (facts->not_after_s < std::time(nullptr)) log_.warning("portal: the certificate is too old");
  certificate_ = std::move(text);
  facts_ = std::move(*facts);
  log_.info("portal: certificate with SHA-256 " + facts_.fingerprint);
  return {};
}

void PortalControl::tick() {
  engine_.tick();
  if (server_ != nullptr) server_->tick();
}

}  // namespace postern
