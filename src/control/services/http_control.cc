// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_control.h"

#include <fmt/format.h>

#include <ctime>
#include <optional>
#include <utility>

#include "control/config/account_text.h"
#include "control/log/audit_log.h"
#include "control/log/counted_line.h"
#include "control/log/error_log.h"
#include "control/loop.h"
#include "control/services/http_access.h"
#include "control/services/http_cache.h"
#include "control/services/http_judge.h"
#include "control/services/http_logins.h"
#include "control/services/http_machine.h"
#include "control/services/http_purge.h"
#include "control/services/http_settings.h"
#include "control/services/system_names.h"
#include "services/http/proxy/listener.h"
#include "services/http/proxy/proxy.h"

namespace postern {
namespace {

constexpr Duration kUncheckedTold = seconds(10);
constexpr Duration kListenAgain = seconds(10);

void add_counters(http::ProxyCounters& sum, const http::ProxyCounters& more) {
#define POSTERN_HTTP_COUNTER(name, help) sum.name += more.name;
#include "control/services/http_counters.def"
#undef POSTERN_HTTP_COUNTER
}

Error no_store(const HttpCache& cache) {
  switch (cache.state()) {
    case HttpCache::State::opening:
      return {ErrorCode::unavailable, "the cache is being read; try again"};
    case HttpCache::State::failed:
      return {ErrorCode::unavailable, "there is no cache: " + cache.error()};
    case HttpCache::State::off:
    case HttpCache::State::ready:
      break;
  }
  return {ErrorCode::not_found, "services.http.cache is not configured"};
}

}  // namespace

struct HttpControl::State {
  State(Loop& to_loop, ErrorLog& to_log, accounts::Accounts& of, World with);

  http::Seams seams(bool asks_passwords);
  // Begins anew with `wanted`.
  Result<void> start_proxy(http::Store* store);
  void end_proxies();
  void listen_again();
  void use(http::Store* store);
  HttpCache::World cache_world();
  HttpLogins::World logins_world();
  http::ProxySettings settings_of(const config::Model& model, const Policy& policy);
  Result<void> follow_access(const config::Model& model);
  Result<void> apply(bool is_other);
  size_t within_limits(size_t connections);
  Result<void> complaint() const { return is_ready ? listens : is_ready; }
  Counted until_the_store_goes(const Counted& done);
  void tell_refused(const std::string& user, Ipv4Address from, const std::string& why,
                    bool is_checked);
  void resolve(const std::string& name, const http::Seams::Resolved& then);

  Loop& loop;
  ErrorLog& log;
  accounts::Accounts& accounts;
  World world;
  CountedLine unchecked{kUncheckedTold};
  HttpLogins logins;
  SystemNames names;
  // Of the running proxy, by which its rules ask for times: those that leave keep their own.
  using Judged = std::shared_ptr<const HttpAccess>;
  Judged access = std::make_shared<const HttpAccess>();
  std::shared_ptr<Judged> judged = std::make_shared<Judged>(access);
  // What `access` was made of.
  std::vector<config::HttpRule> rules;
  std::vector<config::HttpLifetime> lifetimes;
  config::Objects objects;
  Result<void> is_ready;  // the rules and the parent are as configured
  Result<void> listens;
  std::vector<std::shared_ptr<const Counted>> asked;  // of the store; shared with what waits there
  http::ProxySettings wanted;
  config::HttpLogin login = config::HttpLogin::none;
  bool intercepts = false;  // the policy leads connections here
  Instant listen_again_at;
  http::ProxyCounters ended;  // of proxies that are gone
  HttpCache cache;
  // They end before the store that they read.
  std::vector<std::unique_ptr<http::Proxy>> leaving;  // take nothing new any more
  std::unique_ptr<http::Proxy> proxy;
};

HttpControl::State::State(Loop& to_loop, ErrorLog& to_log, accounts::Accounts& of, World with)
    : loop(to_loop),
      log(to_log),
      accounts(of),
      world(std::move(with)),
      logins(of, logins_world()),
      names(to_loop),
      cache(to_loop, cache_world()) {}

HttpLogins::World HttpControl::State::logins_world() {
  HttpLogins::World calls;
  calls.now = world.now;
  calls.user_at = world.user_at;
  calls.refused = [this](const std::string& user, Ipv4Address from, const std::string& why,
                         bool is_checked) { tell_refused(user, from, why, is_checked); };
  return calls;
}

HttpCache::World HttpControl::State::cache_world() {
  HttpCache::World calls;
  calls.now = world.now;
  calls.use = [this](http::Store* store) { use(store); };
  calls.log = [this](config::LogLevel level, const std::string& line) { log.write(level, line); };
  return calls;
}

// Those that are turned away unchecked may be many: one line in a while.
void HttpControl::State::tell_refused(const std::string& user, Ipv4Address from,
                                      const std::string& why, bool is_checked) {
  const auto more = is_checked ? std::string() : unchecked.note(world.now());
  if (!more) return;
  log.info(fmt::format("http: {} at {} refused: {}{}", printable(user), to_text(from), why, *more));
  AuditEntry entry;
  entry.who = user;
  entry.from = "proxy " + to_text(from);
  entry.action = "login";
  entry.outcome = "refused";
  entry.detail = why + *more;
  world.audit(entry);
}

void HttpControl::State::resolve(const std::string& name, const http::Seams::Resolved& then) {
  if (!world.ask_dns(name, then)) names.ask(name, then);
}

http::Seams HttpControl::State::seams(bool asks_passwords) {
  http::Seams calls;
  calls.resolve = [this](const std::string& name, const http::Seams::Resolved& then) {
    resolve(name, then);
  };
  calls.judge = [this](const http::Peer& client, Ipv4Address destination, uint16_t port) {
    return may_reach(*world.policy(), world.identities(),
                     {client.address, client.port, destination, port});
  };
  calls.identify = [this](Ipv4Address client) { return logins.at(client); };
  if (asks_passwords) {
    calls.check_password = [this](const std::string& user, const std::string& password,
                                  Ipv4Address client, const http::Seams::Verified& then) {
      logins.check({user, password, client}, then);
    };
  }
  judged = std::make_shared<Judged>(access);
  calls.time_holds = [of = judged](uint32_t time) {
    return (*of)->holds(time, std::time(nullptr));
  };
  calls.original_destination = [this](int fd, const http::Peer&) {
    const http::Peer meant = http::local_address_of(fd);
    return world.policy()->is_own_address(meant.address) ? http::Peer() : meant;
  };
  calls.log = world.log;
  return calls;
}

Result<void> HttpControl::State::start_proxy(http::Store* store) {
  if (proxy) {
    proxy->stop();
    leaving.push_back(std::move(proxy));
  }
  proxy = std::make_unique<http::Proxy>(loop.context(), wanted,
                                        seams(login != config::HttpLogin::none), store);
  return proxy->listen();
}

// A port that somebody else had may be free by now.
void HttpControl::State::listen_again() {
  const bool is_complete = !proxy || (proxy->is_listening(false) && proxy->is_listening(true));
  if (is_complete || world.now() < listen_again_at) return;
  listen_again_at = world.now() + kListenAgain;
  listens = proxy->listen();
  world.note("http", complaint());
}

void HttpControl::State::end_proxies() {
  for (const auto& one : leaving)
    add_counters(ended, one->counters());
  if (proxy) add_counters(ended, proxy->counters());
  leaving.clear();
  proxy.reset();
}

// A proxy has its store from its beginning. With a new one requests that are under way end by the
// old proxy; a store that goes takes them along.
void HttpControl::State::use(http::Store* store) {
  if (store == nullptr) {
    for (const auto& one : std::exchange(asked, {}))
      (*one)(Error{ErrorCode::unavailable, "the cache was closed meanwhile; try again"});
  }
  if (!proxy) return;
  if (store == nullptr) end_proxies();
  listens = start_proxy(store);
  world.note("http", complaint());
}

// The store holds on to nothing of the one who asked: it may end on another thread.
HttpControl::Counted HttpControl::State::until_the_store_goes(const Counted& done) {
  asked.push_back(std::make_shared<const Counted>(done));
  return [this, weak = std::weak_ptr(asked.back())](const Result<uint64_t>& removed) {
    const auto one = weak.lock();
    if (!one) return;
    std::erase(asked, one);
    (*one)(removed);
  };
}

// Compiled anew only where it says something else: that takes a while for thousands of rules.
Result<void> HttpControl::State::follow_access(const config::Model& model) {
  const config::Http& http = *model.services.http;
  static const std::vector<config::HttpLifetime> none;
  const auto& wanted_lifetimes = http.cache ? http.cache->lifetimes : none;
  if (http.rules == rules && wanted_lifetimes == lifetimes && model.objects == objects) return {};
  auto made = HttpAccess::make(http, model.objects, accounts.ids());
  if (!made) return std::move(made).error();
  access = std::make_shared<const HttpAccess>(std::move(*made));
  rules = http.rules;
  lifetimes = wanted_lifetimes;
  objects = model.objects;
  return {};
}

size_t HttpControl::State::within_limits(size_t connections) {
  const size_t most = connections_possible();
  const bool is_possible = connections <= most;
  world.note("services.http.limits.connections",
             is_possible ? Result<void>()
                         : Error{ErrorCode::invalid,
                                 fmt::format("{} are more than a quarter of the files that "
                                             "posternd may open (LimitNOFILE): {} are taken",
                                             connections, most)});
  return is_possible ? connections : most;
}

// Rules that cannot be had are none that may be left out: nothing is permitted without them.
http::ProxySettings HttpControl::State::settings_of(const config::Model& model,
                                                    const Policy& policy) {
  const config::Http& http = *model.services.http;
  http::ProxySettings settings = http_settings(model, policy);
  for (const Ipv4Address address : world.kernel_addresses())
    settings.destinations.own.push_back({address, address});
  settings.limits.connections = within_limits(settings.limits.connections);
  settings.listeners = http_listeners(http, policy, world.device_of);
  is_ready = follow_access(model);
  if (http.parent) {
    auto parent = http_parent(*http.parent);
    if (!parent && is_ready) is_ready = parent.error();
    if (parent) settings.parent = std::move(*parent);
  }
  if (!is_ready)
    is_ready = Error{ErrorCode::failed,
                     is_ready.error().text + "; all requests are refused until a reload that can"};
  settings.url_rules = is_ready ? access->rules() : rules_of_nothing();
  settings.keep_rules = access->keep_rules();
  return settings;
}

Result<void> HttpControl::State::apply(bool is_other) {
  if (is_other) return start_proxy(cache.store());
  *judged = access;
  return proxy->apply(wanted);
}

HttpControl::HttpControl(Loop& loop, ErrorLog& log, accounts::Accounts& accounts, World world)
    : state_(std::make_unique<State>(loop, log, accounts, std::move(world))) {
  accounts.when_changed([this] { state_->logins.accounts_changed(); });
}

HttpControl::~HttpControl() = default;

Result<void> HttpControl::follow(const config::Model& model, const Policy& policy) {
  State& state = *state_;
  if (!model.services.http || !model.services.http->enabled) {
    state.end_proxies();
    state.cache.follow(std::nullopt);
    state.wanted.listeners.clear();
    state.within_limits(0);
    state.intercepts = false;
    return {};
  }
  state.intercepts = policy.interception.in != 0;
  const config::Http& http = *model.services.http;
  const bool is_other = !state.proxy || (http.login == config::HttpLogin::none) !=
                                            (state.login == config::HttpLogin::none);
  state.login = http.login;
  state.wanted = state.settings_of(model, policy);
  state.listens = state.apply(is_other);
  state.cache.follow(http_cache_plan(http, state.world.state_dir));
  return state.complaint();
}

void HttpControl::tick() {
  State& state = *state_;
  state.cache.tick();
  state.world.note("http cache", state.cache.complaint());
  if (state.proxy) state.proxy->tick();
  state.listen_again();
  for (auto& one : state.leaving) {
    one->tick();
    if (one->load().clients > 0 || one->load().transfers > 0) continue;
    add_counters(state.ended, one->counters());
    one.reset();
  }
  std::erase(state.leaving, nullptr);
}

bool HttpControl::serves_intercepted() const {
  return !state_->intercepts || (state_->proxy && state_->proxy->is_listening(true));
}

bool HttpControl::is_running() const {
  return state_->proxy != nullptr;
}

http::ProxyCounters HttpControl::counters() const {
  http::ProxyCounters all = state_->ended;
  for (const auto& one : state_->leaving)
    add_counters(all, one->counters());
  if (state_->proxy) add_counters(all, state_->proxy->counters());
  return all;
}

std::vector<io::ListenAddress> HttpControl::wanted_at() const {
  return places_of(state_->wanted.listeners);
}

std::vector<io::ListenAddress> HttpControl::listening() const {
  return state_->proxy ? places_of(state_->proxy->listening()) : std::vector<io::ListenAddress>();
}

http::Proxy::Load HttpControl::load() const {
  http::Proxy::Load all;
  auto add = [&all](const http::Proxy& proxy) {
    const http::Proxy::Load load = proxy.load();
    all.clients += load.clients;
    all.transfers += load.transfers;
    all.idle_upstream += load.idle_upstream;
  };
  for (const auto& one : state_->leaving)
    add(*one);
  if (state_->proxy) add(*state_->proxy);
  return all;
}

size_t HttpControl::clients_max() const {
  return state_->wanted.limits.connections;
}

HttpCache& HttpControl::cache() {
  return state_->cache;
}

const HttpCache& HttpControl::cache() const {
  return state_->cache;
}

void HttpControl::purge(const std::string& url_or_pattern, const Counted& done) {
  http::Store* store = state_->cache.store();
  if (store == nullptr) return done(no_store(state_->cache));
  postern::purge(*store, url_or_pattern, state_->until_the_store_goes(done));
}

void HttpControl::clear(const Counted& done) {
  http::Store* store = state_->cache.store();
  if (store == nullptr) return done(no_store(state_->cache));
  const uint64_t count = store->counters().objects;
  store->clear([told = state_->until_the_store_goes(done), count](bool is_done) {
    if (is_done) return told(count);
    told(Error{ErrorCode::failed, "the cache could not write that it is empty"});
  });
}

}  // namespace postern
