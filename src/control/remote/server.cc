// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "control/log/counted_line.h"
#include "control/log/error_log.h"
#include "control/remote/session.h"

namespace postern::remote {
namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

namespace {

// Numbers for accounts where the users of this machine have theirs, far from them.
constexpr uint32_t kFirstUid = 0xF0000000;

Endpoint endpoint_of(const Tcp::endpoint& from) {
  return {Ipv4Address(from.address().to_v4().to_uint()), from.port()};
}

std::string text_of(const Endpoint& at) {
  return fmt::format("{}:{}", to_text(at.address), at.port);
}

bool is_shortage(error_code error) {
  return error == asio::error::no_descriptors || error.value() == ENFILE ||
         error == asio::error::no_buffer_space || error == asio::error::no_memory;
}

const char* word_of(Gatekeeper::Answer answer) {
  switch (answer) {
    case Gatekeeper::Answer::not_listed:
      return "the address is not in admin.remote.from";
    case Gatekeeper::Answer::too_often:
      return "too many connections a second";
    case Gatekeeper::Answer::too_many:
      return "too many connections without a log-in";
    case Gatekeeper::Answer::admitted:
      break;
  }
  return "";
}

AuditEntry audit_entry(const Session& session, const std::string& detail) {
  AuditEntry entry;
  entry.who = session.who().empty() ? "somebody" : session.who();
  entry.from = "remote " + text_of(session.connection().client);
  entry.action = "login";
  entry.detail = detail;
  entry.outcome = session.is_open() ? "done" : "refused";
  return entry;
}

struct Listener {
  Listener(asio::io_context& context, dns::ListenAddress where)
      : at(std::move(where)), acceptor(context), pause(context) {}
  dns::ListenAddress at;
  Tcp::acceptor acceptor;
  asio::steady_timer pause;
};

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(Loop& loop, SigningKey own_key, World the_world)
      : context(loop.context()), key(std::move(own_key)), world(std::move(the_world)) {}

  Result<void> open(const dns::ListenAddress& at);
  void accept(const std::shared_ptr<Listener>& listener);
  void accept_later(const std::shared_ptr<Listener>& listener);
  void serve(Tcp::socket socket);
  Session::Calls calls();
  void end(Session& session);
  void turn_out(Ipv4Address from);
  Gatekeeper::Holder holder_of(const std::string& name, config::Role role) const {
    return {world.accounts->ids().user(name), role == config::Role::admin};
  }
  void tell(const Endpoint& client, const std::string& who, const std::string& line);
  void tell_log_in(const Session& session, const std::string& detail, bool is_checked);
  void tell_refused(const Endpoint& client, const std::string& why);
  bool may_stay(const Session& session) const;

  asio::io_context& context;
  SigningKey key;
  World world;
  Settings settings;
  Gatekeeper gatekeeper;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::set<Session*> sessions;
  std::map<const Session*, Gatekeeper::Holder> holders;  // of those that somebody is logged in on
  std::deque<Session*> at_door;                          // the others, in the order they came
  uint64_t denied = 0;
  CountedLine refused{kRefusedTold};    // connections
  CountedLine unchecked{kRefusedTold};  // log-ins
};

Result<void> Server::State::open(const dns::ListenAddress& at) {
  auto fd = dns::open_listener(at, SOCK_STREAM);
  if (!fd) return std::move(fd).error();
  auto listener = std::make_shared<Listener>(context, at);
  error_code error;
  listener->acceptor.assign(Tcp::v4(), *fd, error);
  if (error) {
    ::close(*fd);
    return Error{ErrorCode::failed, error.message()};
  }
  accept(listener);
  listeners.push_back(std::move(listener));
  return {};
}

void Server::State::accept(const std::shared_ptr<Listener>& listener) {
  listener->acceptor.async_accept(
      [self = shared_from_this(), listener](error_code error, Tcp::socket socket) {
        if (!listener->acceptor.is_open()) return;
        if (is_shortage(error)) return self->accept_later(listener);
        if (!error) self->serve(std::move(socket));
        self->accept(listener);
      });
}

// At once it would fail again, without end.
void Server::State::accept_later(const std::shared_ptr<Listener>& listener) {
  listener->pause.expires_after(std::chrono::nanoseconds(kAcceptPause.ns));
  listener->pause.async_wait([self = shared_from_this(), listener](error_code error) {
    if (!error && listener->acceptor.is_open()) self->accept(listener);
  });
}

void Server::State::serve(Tcp::socket socket) {
  error_code error, ignored;
  const Tcp::endpoint client = socket.remote_endpoint(error);
  const Tcp::endpoint own = error ? Tcp::endpoint() : socket.local_endpoint(error);
  if (error) return;
  const AdminConnection connection = {endpoint_of(client), endpoint_of(own)};
  const auto answer = gatekeeper.admit(connection.client.address, world.now());
  if (answer != Gatekeeper::Answer::admitted) {
    return tell_refused(connection.client, word_of(answer));
  }
  socket.set_option(Tcp::no_delay(true), ignored);
  auto session = std::make_shared<Session>(std::move(socket), key, connection, calls());
  session->set_since(world.now());
  sessions.insert(session.get());
  at_door.push_back(session.get());
  session->start();
}

Session::Calls Server::State::calls() {
  Session::Calls calls;
  auto self = shared_from_this();
  calls.idle = [self] { return self->settings.idle; };
  calls.admit = [self](LogIn log_in, Ipv4Address from,
                       const std::function<void(const Admission&)>& done) {
    admit(*self->world.accounts, std::move(log_in), from, done);
  };
  calls.begin = [self](const Session& session, const Admission& admission) {
    const auto holder = self->holder_of(admission.name, admission.role);
    if (!self->gatekeeper.begin_session(session.connection().client.address, holder)) return false;
    self->holders[&session] = holder;
    return true;
  };
  calls.role_now = [self](const Session& session) {
    return role_now(*self->world.accounts, session.who(), session.proof());
  };
  calls.uid_of = [self](const std::string& name) {
    return kFirstUid + self->world.accounts->ids().user(name);
  };
  calls.handle = [self](std::string_view request, const admin::Peer& peer,
                        std::function<void(std::string)> done) {
    self->world.dispatcher->handle(request, peer, std::move(done));
  };
  calls.tell = [self](const Session& session, const std::string& line, bool is_attempt) {
    if (is_attempt) return self->tell(session.connection().client, session.who(), line);
    self->tell_refused(session.connection().client, line);
  };
  calls.on_log_in = [self](const Session& session, const std::string& detail, bool is_checked) {
    self->tell_log_in(session, detail, is_checked);
  };
  calls.on_end = [self](Session& session) { self->end(session); };
  return calls;
}

// The oldest from there.
void Server::State::turn_out(Ipv4Address from) {
  auto oldest = std::ranges::find_if(at_door, [&](const Session* session) {
    return session->connection().client.address == from && session->has_place() &&
           !session->is_open();
  });
  if (oldest == at_door.end()) return;
  tell_refused((*oldest)->connection().client, "too many connections without a log-in");
  (*oldest)->turn_out();
}

void Server::State::end(Session& session) {
  std::erase(at_door, &session);
  sessions.erase(&session);
  if (auto holder = holders.extract(&session); !holder.empty()) {
    gatekeeper.end_session(holder.mapped());
  } else if (session.has_place()) {
    gatekeeper.leave(session.connection().client.address);
  }
}

void Server::State::tell_log_in(const Session& session, const std::string& detail,
                                bool is_checked) {
  if (!session.is_open()) ++denied;
  const auto more = is_checked ? std::string() : unchecked.note(world.now());
  if (!more) return;
  tell(session.connection().client, session.who(),
       (session.is_open() ? "logged in " : "refused, ") + detail + *more);
  if (world.audit) world.audit(audit_entry(session, detail + *more));
}

void Server::State::tell(const Endpoint& client, const std::string& who, const std::string& line) {
  world.log(config::LogLevel::info,
            fmt::format("remote: {} from {}: {}", who.empty() ? "somebody" : printable(who),
                        text_of(client), line));
}

// F61: guesses are seen, a flood of them does not fill the log.
void Server::State::tell_refused(const Endpoint& client, const std::string& why) {
  const auto more = refused.note(world.now());
  if (!more) return;
  world.log(config::LogLevel::warning, fmt::format("remote: a connection from {} is refused: {}{}",
                                                   text_of(client), why, *more));
}

bool Server::State::may_stay(const Session& session) const {
  const Endpoint& own = session.connection().server;
  const bool is_listening = std::ranges::any_of(settings.listen, [&own](const auto& at) {
    return at.address == own.address && at.port == own.port;
  });
  if (!is_listening || !gatekeeper.is_listed(session.connection().client.address)) return false;
  return !session.is_open() ||
         role_now(*world.accounts, session.who(), session.proof()) != config::Role::none;
}

Server::Server(Loop& loop, SigningKey key, World world)
    : state_(std::make_shared<State>(loop, std::move(key), std::move(world))) {
  state_->gatekeeper.set_turn_out(
      [state = state_.get()](Ipv4Address from) { state->turn_out(from); });
}

Server::~Server() {
  state_->settings = Settings();
  review_sessions();
  for (const auto& listener : state_->listeners) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
}

Result<void> Server::configure(const Settings& settings) {
  State& state = *state_;
  state.settings = settings;
  state.gatekeeper.set_listed(settings.from);
  std::erase_if(state.listeners, [&settings](const std::shared_ptr<Listener>& listener) {
    if (std::ranges::find(settings.listen, listener->at) != settings.listen.end()) return false;
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
    return true;
  });
  review_sessions();
  Result<void> outcome;
  for (const dns::ListenAddress& at : settings.listen) {
    const bool is_open = std::ranges::any_of(
        state.listeners, [&at](const auto& listener) { return listener->at == at; });
    if (is_open) continue;
    auto opened = state.open(at);
    if (!opened && outcome) outcome = std::move(opened);
  }
  return outcome;
}

void Server::review_sessions() {
  const std::vector<Session*> all(state_->sessions.begin(), state_->sessions.end());
  for (Session* session : all) {
    if (!state_->may_stay(*session)) session->end_soon();
  }
}

const PublicKey& Server::key() const {
  return state_->key.public_key();
}

const Settings& Server::settings() const {
  return state_->settings;
}

std::vector<Server::Row> Server::sessions() const {
  std::vector<Row> rows;
  for (const Session* session : state_->sessions) {
    if (!session->is_open()) continue;
    rows.push_back({session->who(), session->role(), session->connection().client,
                    session->proof().method, session->since()});
  }
  return rows;
}

const Gatekeeper& Server::gatekeeper() const {
  return state_->gatekeeper;
}

uint64_t Server::denied() const {
  return state_->denied;
}

}  // namespace postern::remote
