// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/server.h"

#include <grp.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include "control/admin/protocol.h"
#include "services/io/acceptor.h"
#include "services/io/watch.h"

namespace postern::admin {
namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::local::stream_protocol;

namespace {

constexpr std::chrono::seconds kRequestTimeout(10);
constexpr std::chrono::seconds kAnswerTimeout(60);

// Ids of groups that the peer belongs to beside its own.
std::vector<gid_t> groups_of_peer(int fd) {
  std::vector<gid_t> groups(64);
  socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return {};
    groups.resize(size / sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return {};
  }
  groups.resize(size / sizeof(gid_t));
  return groups;
}

// A socket that listens and does not block, for its owner alone.
Result<int> open_socket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::failed, path + ": " + std::strerror(ENAMETOOLONG)};
  }
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  unlink(path.c_str());  // the lock of the run-time directory says that nobody listens there
  const mode_t before = umask(0177);
  const bool is_bound =
      fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  umask(before);
  if (is_bound && ::listen(fd, static_cast<int>(Server::kClientsMax)) == 0) return fd;
  Error failed{ErrorCode::failed, path + ": " + std::strerror(is_bound ? errno : error)};
  if (fd >= 0) close(fd);
  return failed;
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(Loop& loop, std::string where, Dispatcher& to)
      : context(loop.context()), second(context), path(std::move(where)), dispatcher(to) {}

  asio::io_context& context;
  std::optional<io::Acceptor> acceptor;  // none before and after its time
  io::Timer second;
  std::string path;
  Dispatcher& dispatcher;
  RoleOf role_of = [](const Peer&) { return config::Role::admin; };
  std::optional<gid_t> group;
  std::vector<uint32_t> holders;  // user ids, one a connection that is served

  void begin(int fd);
  void end();
  void serve(int fd);
  void let_go(uint32_t uid);
  bool admits(int fd, const Peer& peer) const;
};

namespace {

// One client. Each pending operation holds it, so it lives until the last of them is over.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Stream::socket socket, Dispatcher& dispatcher, const Peer& peer,
             Server::RoleOf role_of, std::function<void()> on_end)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        dispatcher_(dispatcher),
        peer_(peer),
        role_of_(std::move(role_of)),
        on_end_(std::move(on_end)) {}
  ~Connection() { on_end_(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read_request() {
    limit(kRequestTimeout);
    auto self = shared_from_this();
    asio::async_read(socket_, asio::buffer(length_), [self](error_code error, size_t) {
      if (!error) self->read_body();
    });
  }

  void refuse(const Error& error) {
    Reply([this](std::string text) { write(std::move(text), false); }).refuse(error);
  }

  void turn_away(const Error& error) {
    dispatcher_.turn_away(peer_, error,
                          [this](std::string text) { write(std::move(text), false); });
  }

 private:
  void read_body() {
    auto length = decode_length(length_, kRequestMax);
    if (!length) return refuse({ErrorCode::exhausted, "the request is empty or too large"});
    body_.resize(*length);
    auto self = shared_from_this();
    asio::async_read(socket_, asio::buffer(body_), [self](error_code error, size_t) {
      if (!error) self->answer();
    });
  }

  void answer() {
    limit(kAnswerTimeout);
    auto self = shared_from_this();
    peer_.role = role_of_(peer_);
    dispatcher_.handle(body_, peer_,
                       [self](std::string text) { self->write(std::move(text), true); });
    sodium_memzero(body_.data(), body_.size());  // it may hold a password
  }

  void write(std::string text, bool go_on) {
    if (text.size() > kResponseMax) {
      return refuse({ErrorCode::exhausted, "the answer is too large; ask for less with --limit"});
    }
    limit(kAnswerTimeout);
    response_ = std::move(text);
    length_ = encode_length(response_.size());
    std::array<asio::const_buffer, 2> frame = {asio::buffer(length_), asio::buffer(response_)};
    auto self = shared_from_this();
    asio::async_write(socket_, frame, [self, go_on](error_code error, size_t) {
      if (!error && go_on) self->read_request();
    });
  }

  // Closes the connection when the step that begins now takes longer than this.
  void limit(std::chrono::seconds timeout) {
    timer_.expires_after(timeout);
    std::weak_ptr<Connection> weak = weak_from_this();
    timer_.async_wait([weak](error_code error) {
      auto self = weak.lock();
      if (error || !self) return;
      error_code ignored;
      self->socket_.close(ignored);
    });
  }

  Stream::socket socket_;
  asio::steady_timer timer_;
  Dispatcher& dispatcher_;
  Peer peer_;
  Server::RoleOf role_of_;
  std::function<void()> on_end_;
  std::array<uint8_t, kLengthBytes> length_ = {};
  std::string body_;
  std::string response_;
};

}  // namespace

// Owns `fd`, which listens.
void Server::State::begin(int fd) {
  auto take = [this](const io::Acceptor::Arrival& arrival) { serve(arrival.fd); };
  acceptor.emplace(context, fd, io::Acceptor::Calls{std::move(take), {}});
  second.start(seconds(1), [this] { acceptor->tick(); });
}

void Server::State::end() {
  second.stop();
  acceptor.reset();
}

// Owns `fd`.
void Server::State::serve(int fd) {
  error_code error;
  Stream::socket socket(context);
  socket.assign(Stream(), fd, error);
  if (error) {
    close(fd);
    return;
  }
  ucred credentials = {};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return;
  Peer peer;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pid = credentials.pid;
  bool is_admitted = admits(fd, peer);
  bool is_served = is_admitted && kPlaces.has_place(peer.uid, holders);
  if (is_served) holders.push_back(peer.uid);
  // Asked for each request: whoever left the group that may use the socket, or whose group it is no
  // longer, does nothing more on a connection that is open.
  auto role_now = [self = shared_from_this(), fd](const Peer& who) {
    return self->admits(fd, who) ? self->role_of(who) : config::Role::none;
  };
  auto connection = std::make_shared<Connection>(std::move(socket), dispatcher, peer, role_now,
                                                 [self = shared_from_this(), peer, is_served] {
                                                   if (is_served) self->let_go(peer.uid);
                                                 });
  if (is_served) return connection->read_request();
  // What is refused holds no place: it is gone with the few octets of the answer.
  connection->turn_away(is_admitted
                            ? Error{ErrorCode::exhausted, "too many administrators at once"}
                            : Error{ErrorCode::denied, "not permitted to administer this gateway"});
}

void Server::State::let_go(uint32_t uid) {
  holders.erase(std::find(holders.begin(), holders.end(), uid));
}

bool Server::State::admits(int fd, const Peer& peer) const {
  if (peer.uid == 0 || peer.uid == geteuid()) return true;
  if (!group) return false;
  if (peer.gid == *group) return true;
  std::vector<gid_t> groups = groups_of_peer(fd);
  return std::find(groups.begin(), groups.end(), *group) != groups.end();
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Result<void> Server::complaint() const {
  if (!state_->acceptor->is_paused()) return {};
  return Error{ErrorCode::exhausted, "no descriptor is left for the next administrator"};
}

Server::~Server() {
  state_->end();
  unlink(state_->path.c_str());
}

Result<std::unique_ptr<Server>> Server::listen(Loop& loop, const std::string& path,
                                               Dispatcher& dispatcher) {
  auto fd = open_socket(path);
  if (!fd) return std::move(fd).error();
  auto state = std::make_shared<State>(loop, path, dispatcher);
  state->begin(*fd);
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

void Server::set_role_of(RoleOf role_of) {
  state_->role_of = std::move(role_of);
}

Result<void> Server::set_group(const std::string& name) {
  const group* entry = name.empty() ? nullptr : getgrnam(name.c_str());
  const bool is_unknown = entry == nullptr && !name.empty();
  const gid_t wanted = entry != nullptr ? entry->gr_gid : getegid();
  // Whatever fails from here on leaves the socket to root alone. The mode narrows before the group
  // changes and widens after it.
  state_->group.reset();
  const char* path = state_->path.c_str();
  if (chmod(path, 0600) != 0 || chown(path, static_cast<uid_t>(-1), wanted) != 0 ||
      (entry != nullptr && chmod(path, 0660) != 0)) {
    return Error{ErrorCode::failed, state_->path + ": " + std::strerror(errno)};
  }
  if (is_unknown) {
    return Error{ErrorCode::not_found, "admin.socket.group: no group `" + name +
                                           "` on this machine; the socket is for root alone"};
  }
  if (entry != nullptr) state_->group = wanted;
  return {};
}

}  // namespace postern::admin
