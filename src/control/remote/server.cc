// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "control/log/counted_line.h"
#include "control/log/error_log.h"
#include "control/remote/session.h"
#include "services/io/tcp_listener.h"
#include "services/io/tcp_socket.h"
#include "services/io/watch.h"

namespace postern::remote {
namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

namespace {

// Numbers for accounts where the users of this machine have theirs, far from them.
constexpr uint32_t kFirstUid = 0xF0000000;

Endpoint endpoint_of(const Tcp::endpoint& own) {
  return {Ipv4Address(own.address().to_v4().to_uint()), own.port()};
}

std::string text_of(const Endpoint& at) {
  return fmt::format("{}:{}", to_text(at.address), at.port);
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

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(Loop& loop, SigningKey own_key, World the_world)
      : context(loop.context()),
        listener(context, [this](const io::ListenAddress&,
                                 const io::TcpListener::Arrival& arrival) { serve(arrival); }),
        second(context),
        key(std::move(own_key)),
        world(std::move(the_world)) {
    second.start(seconds(1), [this] { listener.tick(); });
  }

  void serve(const io::TcpListener::Arrival& arrival);
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
  io::TcpListener listener;
  io::Timer second;
  SigningKey key;
  World world;
  Settings settings;
  Gatekeeper gatekeeper;
  std::set<Session*> sessions;
  std::map<const Session*, Gatekeeper::Holder> holders;  // of those that somebody is logged in on
  std::deque<Session*> at_door;                          // the others, in the order they came
  uint64_t denied = 0;
  CountedLine refused{kRefusedTold};    // connections
  CountedLine unchecked{kRefusedTold};  // log-ins
};

void Server::State::serve(const io::TcpListener::Arrival& arrival) {
  auto socket = io::socket_of(context, arrival.fd);
  if (!socket) return;
  error_code error, ignored;
  const Tcp::endpoint own = socket->local_endpoint(error);
  if (error) return;
  const AdminConnection connection = {{arrival.from, arrival.port}, endpoint_of(own)};
  const auto answer = gatekeeper.admit(connection.client.address, world.now());
  if (answer != Gatekeeper::Answer::admitted) {
    return tell_refused(connection.client, word_of(answer));
  }
  socket->set_option(Tcp::no_delay(true), ignored);
  auto session = std::make_shared<Session>(std::move(*socket), key, connection, calls());
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
  state_->listener.close_others({});
  state_->second.stop();
}

Result<void> Server::configure(const Settings& settings) {
  State& state = *state_;
  state.settings = settings;
  state.gatekeeper.set_listed(settings.from);
  state.listener.close_others(settings.listen);
  review_sessions();
  return state.listener.listen(settings.listen);
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
