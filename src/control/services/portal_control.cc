// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/portal_control.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "control/compile/subjects.h"
#include "control/config/account_text.h"
#include "control/listeners.h"
#include "control/text_file.h"
#include "dataplane/nat/session.h"

namespace postern {
namespace {

constexpr int64_t kRenewBeforeS = 30 * 86'400;
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

std::vector<Ipv4Address> addresses_of(const std::vector<io::ListenAddress>& listeners) {
  std::vector<Ipv4Address> addresses;
  addresses.reserve(listeners.size());
  for (const io::ListenAddress& listener : listeners)
    addresses.push_back(listener.address);
  return addresses;
}

AuditEntry audit_entry(const std::string& who, Ipv4Address from, const char* outcome,
                       const std::string& detail) {
  AuditEntry entry;
  entry.who = who;
  entry.from = "portal " + to_text(from);
  entry.action = "login";
  entry.outcome = outcome;
  entry.detail = detail;
  return entry;
}

}  // namespace

PortalControl::PortalControl(Loop& loop, ErrorLog& log, accounts::Accounts& accounts, World world)
    : loop_(loop),
      log_(log),
      accounts_(accounts),
      world_(std::move(world)),
      engine_(portal_world()) {
  accounts_.when_changed([this] { follow_accounts(); });
}

PortalControl::~PortalControl() = default;

portal::Portal::World PortalControl::portal_world() {
  portal::Portal::World world;
  world.now = [this] { return world_.now(); };
  world.wall_s = [] { return static_cast<int64_t>(std::time(nullptr)); };
  world.last_seen = [this](Ipv4Address address) {
    return from_ticks(board_ != nullptr ? board_->last_seen(address) : 0);
  };
  world.check = [this](const std::string& name, std::string password, Ipv4Address from,
                       portal::Portal::World::Done done) {
    check(name, std::move(password), from, std::move(done));
  };
  world.let_in = [this](const portal::Login& login) { return let_in(login); };
  world.let_out = [this](const portal::Login& login, portal::Ended why) { let_out(login, why); };
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
  world_.audit(audit_entry(name, from, "refused", why + *more));
}

bool PortalControl::let_in(const portal::Login& login) {
  if (board_ == nullptr || server_ == nullptr) return false;
  names_.note(user_number(login.user), login.user);
  if (login.groups.size() > kGroupsOfUserMax) {
    log_.warning(fmt::format("portal: {} is in more than {} groups; rules know the first of them",
                             login.user, kGroupsOfUserMax));
  }
  if (!board_->set(login.address, login.user, login.groups)) return false;
  if (auto mac = world_.machine_of(login.address)) machines_[login.address] = *mac;
  log_.info(fmt::format("portal: {} logged in at {}", login.user, to_text(login.address)));
  world_.audit(audit_entry(login.user, login.address, "done", ""));
  return true;
}

void PortalControl::let_out(const portal::Login& login, portal::Ended why) {
  machines_.erase(login.address);
  if (board_ != nullptr && why != portal::Ended::replaced) board_->erase(login.address);
  log_.info(fmt::format("portal: {} logged out at {}: {}", login.user, to_text(login.address),
                        portal::to_word(why)));
}

const portal::Login* PortalControl::find(Ipv4Address address) const {
  return engine_.logins().find(address);
}

Result<void> PortalControl::follow(const config::Model& model, const Policy& policy) {
  if (!model.services.portal || !model.services.portal->enabled) {
    close();
    return {};
  }
  const config::Portal& portal = *model.services.portal;
  engine_.set_limits({portal.idle_timeout, portal.absolute_timeout, portal.heartbeat});
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
  engine_.log_out_all(portal::Ended::administrator);
  server_.reset();
  certificate_ = {};
  facts_ = {};
}

Result<void> PortalControl::follow_certificate(const config::Portal& portal,
                                               const std::string& name) {
  portal::CertificateText text;
  if (portal.certificate.empty()) {
    auto own = own_certificate(name);
    if (!own) return std::move(own).error();
    text = std::move(*own);
  } else {
    auto certificate = read_text_file(portal.certificate);
    if (!certificate) return std::move(certificate).error();
    auto key = read_text_file(portal.key);
    if (!key) return std::move(key).error();
    text = {std::move(*certificate), std::move(*key)};
  }
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

// The one in the state directory, as long as it is good; else a new one.
Result<portal::CertificateText> PortalControl::own_certificate(const std::string& name) {
  const std::string folder = world_.state_dir + "/portal";
  const std::string certificate_file = folder + "/certificate.pem", key_file = folder + "/key.pem";
  const std::vector<Ipv4Address> addresses = addresses_of(wanted_);
  auto certificate = read_text_file(certificate_file), key = read_text_file(key_file);
  if (certificate && key) {
    portal::CertificateText text{std::move(*certificate), std::move(*key)};
    auto facts = portal::look_at(text);
    const bool is_good =
        facts && facts->not_after_s - kRenewBeforeS > std::time(nullptr) &&
        std::all_of(addresses.begin(), addresses.end(), [&](Ipv4Address address) {
          return std::count(facts->addresses.begin(), facts->addresses.end(), address) != 0;
        });
    if (is_good) return text;
  }
  auto made = portal::make_certificate(name, addresses);
  if (!made) return made;
  mkdir(folder.c_str(), S_IRWXU);
  for (const auto& [file, text] :
       {std::pair(key_file, &made->key), std::pair(certificate_file, &made->certificate)}) {
    if (auto written = write_text_file(file, *text, S_IRUSR | S_IWUSR); !written)
      return std::move(written).error();
  }
  return made;
}

void PortalControl::tick() {
  engine_.tick();
  if (server_ != nullptr) server_->tick();
}

// Accounts that are no more, disabled, or have another password are logged out; groups are those of
// now.
void PortalControl::follow_accounts() {
  std::vector<Ipv4Address> gone;
  for (const auto& [address, login] : engine_.logins().all()) {
    const config::User* user = accounts_.find(login.user);
    const bool is_same = accounts_.password_number(login.user) == login.password_number;
    if (user == nullptr || !user->enabled || !is_same) {
      gone.push_back(address);
    } else if (board_ != nullptr) {
      board_->set(address, login.user, accounts_.book().groups_of(*user));
    }
  }
  for (Ipv4Address address : gone)
    engine_.log_out(address, portal::Ended::administrator);
}

void PortalControl::machine_seen(Ipv4Address address, const MacAddress& mac) {
  auto known = machines_.find(address);
  if (known == machines_.end() || known->second == mac) return;
  engine_.log_out(address, portal::Ended::other_machine);
}

size_t PortalControl::log_out(const std::string& user_or_address) {
  if (auto address = parse_ipv4(user_or_address)) {
    return engine_.log_out(*address, portal::Ended::administrator) ? 1 : 0;
  }
  std::vector<Ipv4Address> theirs;
  for (const auto& [address, login] : engine_.logins().all()) {
    if (login.user == user_or_address) theirs.push_back(address);
  }
  for (Ipv4Address address : theirs)
    engine_.log_out(address, portal::Ended::administrator);
  return theirs.size();
}

}  // namespace postern
