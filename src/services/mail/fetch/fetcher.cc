// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/fetcher.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "services/io/job_pool.h"
#include "services/mail/fetch/etrn.h"
#include "services/mail/fetch/fetch_session.h"
#include "services/mail/fetch/schedule.h"

namespace postern::mail {

class Fetcher::Self {
 public:
  Self(boost::asio::io_context& context, const Seams& seams, Queue& queue, Intake& intake,
       std::string folder);

  Result<void> follow(const FetchSettings& settings, const MailSettings& all);
  void tick();
  void link_is_up();
  std::vector<FetchState> fetches() const;
  Result<void> fetch_now(const std::string& name);

 private:
  struct Account {
    FetchAccount settings;
    Schedule schedule;
    FetchState state;
    std::shared_ptr<ClientTls> tls;
    std::shared_ptr<FetchSession> session;
  };
  struct Asked {
    EtrnHost settings;
    Schedule schedule;
    std::string outcome;
    std::shared_ptr<ClientTls> tls;
    std::shared_ptr<EtrnSession> session;
  };

  Result<void> open_memory();
  Result<void> resolve_intents();
  std::string path() const { return folder_ + "/fetch.sqlite"; }
  bool may_start(const Account& account) const;
  void start(const std::string& name, Account& account);
  void ended(const std::string& name, const std::string& key, const FetchSession::Report& report);
  void note(Account& account, uint64_t fetched, const std::string& outcome);
  void ask(Asked& host);
  void asked(const std::string& host, const std::string& outcome);
  static Result<std::shared_ptr<ClientTls>> tls_for(const TlsUse& use, const std::string& host,
                                                    std::shared_ptr<ClientTls>& kept);

  boost::asio::io_context& context_;
  Seams seams_;
  Queue& queue_;
  Intake& intake_;
  std::string folder_;
  std::string host_;
  std::shared_ptr<const Multidrop> multidrop_;
  TokenSource tokens_;
  std::shared_ptr<FetchMemory> memory_;
  std::optional<Error> fault_;  // of the memory
  io::JobPool disk_;
  std::optional<FetchSession::Tools> tools_;
  // By memory_key(): what was taken, which the disk does not know yet.
  std::map<std::string, std::vector<std::string>> unsaved_;
  std::map<std::string, Account> accounts_;             // by their names
  std::vector<std::shared_ptr<FetchSession>> leaving_;  // of accounts that are gone
  std::map<std::string, Asked> asked_;                  // by their hosts and ports
};

Fetcher::Self::Self(boost::asio::io_context& context, const Seams& seams, Queue& queue,
                    Intake& intake, std::string folder)
    : context_(context),
      seams_(seams),
      queue_(queue),
      intake_(intake),
      folder_(std::move(folder)),
      multidrop_(std::make_shared<const Multidrop>(RecipientBook())),
      tokens_(context),
      disk_(context, {"mail-fetch", 1, 2 * kParallel}) {
  std::error_code ignored;
  if (!std::filesystem::exists(path(), ignored)) return;
  if (auto done = open_memory(); !done) fault_ = done.error();
}

Result<void> Fetcher::Self::open_memory() {
  if (memory_) return {};
  auto opened = FetchMemory::open(path());
  if (!opened) return opened.error();
  memory_ = std::move(*opened);
  auto done = resolve_intents();
  if (!done) memory_.reset();
  if (memory_)
    tools_.emplace(FetchSession::Tools{context_, seams_, queue_, intake_, disk_, tokens_, memory_});
  return done;
}

// What was between begin() and take() when it ended: the queue has it, or it is fetched again.
Result<void> Fetcher::Self::resolve_intents() {
  const auto intents = memory_->open_intents();
  if (!intents) return intents.error();
  for (const FetchMemory::Intent& intent : *intents) {
    const QueuedMessage* message = queue_.find(intent.number);
    const bool is_here = message != nullptr && message->octets == intent.octets;
    const auto done = is_here
                          ? memory_->take(intent.account, intent.uid, Fate::taken, seams_.wall_s())
                          : memory_->give_up(intent.account);
    if (!done) return done;
  }
  return {};
}

Result<void> Fetcher::Self::follow(const FetchSettings& settings, const MailSettings& all) {
  host_ = all.host;
  multidrop_ = std::make_shared<const Multidrop>(all.book);
  tokens_.forget();
  std::map<std::string, Account> accounts;
  for (const FetchAccount& wanted : settings.accounts) {
    const auto before = accounts_.find(wanted.name);
    Account account;
    if (before != accounts_.end()) account = std::move(before->second);
    if (!(account.settings == wanted)) {
      account.tls.reset();
      account.schedule.follow(wanted.every, wanted.times, seams_.now());
    }
    account.settings = wanted;
    account.state.name = wanted.name;
    accounts.insert_or_assign(wanted.name, std::move(account));
  }
  // What is on its way into the queue is to be known as taken, so they come to their end.
  for (auto& [name, account] : accounts_) {
    if (account.session) leaving_.push_back(std::move(account.session));
  }
  accounts_ = std::move(accounts);
  std::map<std::string, Asked> asked;
  for (const EtrnHost& wanted : settings.etrn) {
    const std::string name = etrn_name(wanted);
    const auto before = asked_.find(name);
    Asked host;
    if (before != asked_.end()) host = std::move(before->second);
    if (!(host.settings == wanted)) {
      host.tls.reset();
      host.schedule.follow(wanted.every, wanted.times, seams_.now());
    }
    host.settings = wanted;
    asked.insert_or_assign(name, std::move(host));
  }
  asked_ = std::move(asked);
  if (fault_) return *fault_;
  if (accounts_.empty()) return {};
  return open_memory();
}

void Fetcher::Self::tick() {
  const Instant now = seams_.now();
  for (const auto& session : leaving_)
    session->tick();
  // A session may end in its tick(), but only tells so later.
  for (auto& [name, account] : accounts_) {
    if (account.session) account.session->tick();
  }
  for (auto& [name, host] : asked_) {
    if (host.session) host.session->tick();
    if (!host.session && host.schedule.is_due(now, seams_.time_holds)) ask(host);
  }
  for (auto& [name, account] : accounts_) {
    if (account.schedule.is_due(now, seams_.time_holds) && may_start(account)) start(name, account);
  }
}

// One mailbox is gone through once at a time, even where two accounts have it.
bool Fetcher::Self::may_start(const Account& account) const {
  if (!memory_ || account.session) return false;
  const std::string key = memory_key(account.settings);
  size_t running = 0;
  for (const auto& [name, other] : accounts_) {
    if (!other.session) continue;
    ++running;
    if (memory_key(other.session->account()) == key) return false;
  }
  for (const auto& session : leaving_) {
    if (memory_key(session->account()) == key) return false;
  }
  return running < kParallel;
}

void Fetcher::Self::start(const std::string& name, Account& account) {
  account.schedule.begun();
  FetchSession::Manner manner;
  manner.host = host_;
  manner.multidrop = multidrop_;
  const auto tls = tls_for(account.settings.tls, account.settings.host, account.tls);
  if (!tls) return note(account, 0, tls.error().text);
  manner.tls = *tls;
  const std::string key = memory_key(account.settings);
  if (const auto unsaved = unsaved_.extract(key)) manner.unsaved = unsaved.mapped();
  account.state.is_running = true;
  account.session = std::make_shared<FetchSession>(
      *tools_, account.settings, std::move(manner),
      [this, name, key](const FetchSession::Report& report) { ended(name, key, report); });
  account.session->start();
}

void Fetcher::Self::ended(const std::string& name, const std::string& key,
                          const FetchSession::Report& report) {
  // Of a mailbox, whichever account has it now: also when this one is leaving.
  if (!report.unsaved.empty()) unsaved_[key] = report.unsaved;
  std::erase_if(leaving_, [&](const auto& session) {
    return session->is_over() && memory_key(session->account()) == key;
  });
  const auto at = accounts_.find(name);
  if (at == accounts_.end() || !at->second.session || !at->second.session->is_over()) return;
  Account& account = at->second;
  const auto session = std::move(account.session);  // its own call: it goes behind it
  account.state.is_running = false;
  note(account, report.fetched, report.outcome);
}

void Fetcher::Self::note(Account& account, uint64_t fetched, const std::string& outcome) {
  account.schedule.ended(outcome.empty(), seams_.now());
  const bool is_news = fetched != 0 || outcome != account.state.outcome;
  account.state.last_s = seams_.wall_s();
  account.state.fetched += fetched;
  account.state.outcome = outcome;
  if (!is_news) return;
  std::string result = std::to_string(fetched) + (fetched == 1 ? " message" : " messages");
  if (!outcome.empty()) result += "; " + outcome;
  MailEvent event;
  event.kind = MailEventKind::fetched;
  event.by = "fetch";
  event.remote = account.settings.name;
  event.result = result;
  seams_.log(event);
}

void Fetcher::Self::ask(Asked& host) {
  host.schedule.begun();
  const std::string name = etrn_name(host.settings);
  const auto tls = tls_for(host.settings.tls, host.settings.host, host.tls);
  if (!tls) return asked(name, tls.error().text);
  host.session = std::make_shared<EtrnSession>(
      EtrnSession::Tools{context_, seams_}, host.settings, EtrnSession::Manner{host_, *tls},
      [this, name](const std::string& outcome) { asked(name, outcome); });
  host.session->start();
}

void Fetcher::Self::asked(const std::string& name, const std::string& outcome) {
  const auto at = asked_.find(name);
  if (at == asked_.end()) return;
  Asked& host = at->second;
  const auto session = std::move(host.session);
  host.schedule.ended(outcome.empty(), seams_.now());
  if (std::exchange(host.outcome, outcome) == outcome) return;
  seams_.warn("ETRN at " + name + (outcome.empty() ? " works again" : ": " + outcome));
}

// Reading a file of authorities takes long, so it is kept.
Result<std::shared_ptr<ClientTls>> Fetcher::Self::tls_for(const TlsUse& use,
                                                          const std::string& host,
                                                          std::shared_ptr<ClientTls>& kept) {
  if (use.mode == TlsMode::none || kept) return kept;
  auto made = ClientTls::make(use, host);
  if (made) kept = *made;
  return made;
}

void Fetcher::Self::link_is_up() {
  for (auto& [name, host] : asked_)
    host.schedule.wake();
  for (auto& [name, account] : accounts_) {
    if (!account.state.outcome.empty()) account.schedule.wake();
  }
}

std::vector<Fetcher::FetchState> Fetcher::Self::fetches() const {
  std::vector<FetchState> states;
  states.reserve(accounts_.size());
  for (const auto& [name, account] : accounts_) {
    states.push_back(account.state);
    if (account.session) states.back().fetched += account.session->fetched();
  }
  return states;
}

Result<void> Fetcher::Self::fetch_now(const std::string& name) {
  const auto at = accounts_.find(name);
  if (at == accounts_.end()) return Error{ErrorCode::not_found, "there is no account " + name};
  if (!memory_) return fault_ ? *fault_ : Error{ErrorCode::failed, "there is no memory"};
  at->second.schedule.demand();
  tick();
  return {};
}

Fetcher::Fetcher(boost::asio::io_context& context, const Seams& seams, Queue& queue, Intake& intake,
                 std::string folder)
    : self_(std::make_unique<Self>(context, seams, queue, intake, std::move(folder))) {}
Fetcher::~Fetcher() = default;

Result<void> Fetcher::follow(const FetchSettings& settings, const MailSettings& all) {
  return self_->follow(settings, all);
}
void Fetcher::tick() {
  self_->tick();
}
void Fetcher::link_is_up() {
  self_->link_is_up();
}
std::vector<Fetcher::FetchState> Fetcher::fetches() const {
  return self_->fetches();
}
Result<void> Fetcher::fetch_now(const std::string& name) {
  return self_->fetch_now(name);
}

}  // namespace postern::mail
