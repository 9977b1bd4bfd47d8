// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/connector.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace postern::http {
namespace {

int open_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

Problem problem_of(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
      return Problem::connection_refused;
    case ETIMEDOUT:
      return Problem::connection_timeout;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
      return Problem::connection_limit_reached;
    default:
      return Problem::destination_ip_unroutable;
  }
}

// Whether the server has said nothing since the last answer, not even its end: what it says before
// it is asked is no answer, and its event may still be on the way.
bool is_silent(int fd) {
  char octet = 0;
  return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

Connector::Connector(Core& core, User& user) : core_(core), user_(user) {}

Connector::~Connector() {
  stop();
}

void Connector::stop() {
  alive_.reset();
  addresses_.clear();
  if (connecting_) core_.poller.bury(std::move(connecting_));
}

std::string Connector::key() const {
  if (core_.settings.parent)
    return fmt::format("parent {}:{}", core_.settings.parent->host, core_.settings.parent->port);
  if (!destination_.only.is_unspecified())
    return fmt::format("{}:{}@{}", destination_.host, destination_.port, destination_.only.number);
  return fmt::format("{}:{}", destination_.host, destination_.port);
}

Problem judge_destination(const Core& core, const Peer& client, const Peer& destination,
                          Ipv4Address meant) {
  const Barrier barrier = judge_address(core.settings.destinations, destination.address);
  // A client whose own packets were on their way there needs nobody to be led into a private
  // network.
  const bool was_meant = meant == destination.address && barrier == Barrier::not_public;
  if (barrier != Barrier::none && !was_meant) return Problem::destination_ip_prohibited;
  const bool may_reach =
      !core.seams.judge || core.seams.judge(client, destination.address, destination.port);
  if (!may_reach) return Problem::filtered;
  return Problem::none;
}

bool leaves_judging_to_parent(const Core& core) {
  const std::optional<ParentProxy>& parent = core.settings.parent;
  return parent && (parent->is_trusted || !core.seams.judge);
}

Problem Connector::judge(Ipv4Address address) const {
  return judge_destination(core_, client_, {address, destination_.port}, destination_.only);
}

void Connector::start(const Destination& destination, const Peer& client, bool may_reuse) {
  stop();
  destination_ = destination;
  client_ = client;
  may_reuse_ = may_reuse;
  problem_ = Problem::dns_error;
  detail_.clear();
  origin_ = Ipv4Address();
  is_for_parent_ = false;
  if (leaves_judging_to_parent(core_)) return connect_parent();
  if (!core_.settings.parent && take_kept()) return;
  judge_name();
}

bool Connector::take_kept() {
  if (!may_reuse_) return false;
  for (;;) {
    std::unique_ptr<UpstreamConnection> kept = core_.pool.take(key(), [&](const Peer& remote) {
      return is_for_parent_ || judge(remote.address) == Problem::none;
    });
    if (!kept) return false;
    if (is_silent(kept->fd())) {
      if (!is_for_parent_) origin_ = kept->remote().address;
      user_.on_connected(std::move(kept));
      return true;
    }
    core_.poller.bury(std::move(kept));
  }
}

void Connector::resolve(const std::string& name,
                        void (Connector::*then)(const Result<Seams::Addresses>&)) {
  if (const std::optional<Ipv4Address> literal = parse_ipv4(name))
    return (this->*then)(Seams::Addresses{*literal});
  if (!core_.seams.resolve)
    return (this->*then)(Error{ErrorCode::unavailable, "names are not resolved"});
  alive_ = std::make_shared<int>(0);
  core_.seams.resolve(name, [this, then, alive = std::weak_ptr<int>(alive_)](
                                const Result<Seams::Addresses>& found) {
    if (alive.expired()) return;
    alive_.reset();
    (this->*then)(found);
  });
}

void Connector::judge_name() {
  if (!destination_.only.is_unspecified()) return on_judged(Seams::Addresses{destination_.only});
  resolve(destination_.host, &Connector::on_judged);
}

void Connector::on_judged(const Result<Seams::Addresses>& addresses) {
  if (!addresses) {
    const bool is_blocked = addresses.error().code == ErrorCode::denied;
    return fail(is_blocked ? Problem::denied : Problem::dns_error, addresses.error().text);
  }
  addresses_.clear();
  for (const Ipv4Address address : *addresses) {
    const Problem problem = destination_.is_judged ? Problem::none : judge(address);
    if (problem != Problem::none) {
      problem_ = problem;
      detail_ = to_text(address);
    } else if (addresses_.size() < kAddressesMax) {
      addresses_.push_back(address);
    }
  }
  if (addresses_.empty()) return fail(problem_, detail_);
  origin_ = addresses_.front();
  if (core_.settings.parent) return connect_parent();
  std::reverse(addresses_.begin(), addresses_.end());
  port_ = destination_.port;
  connect_next();
}

void Connector::connect_parent() {
  is_for_parent_ = true;
  if (take_kept()) return;
  resolve(core_.settings.parent->host, &Connector::on_parent_resolved);
}

void Connector::on_parent_resolved(const Result<Seams::Addresses>& addresses) {
  if (!addresses) return fail(Problem::dns_error, "parent proxy: " + addresses.error().text);
  addresses_.assign(addresses->rbegin(), addresses->rend());
  if (!core_.settings.parent) return fail(Problem::internal_error, "there is no parent any more");
  port_ = core_.settings.parent->port;
  connect_next();
}

void Connector::connect_next() {
  while (!addresses_.empty()) {
    const Ipv4Address address = addresses_.back();
    addresses_.pop_back();
    if (connect_to(address)) return;
  }
  fail(problem_, detail_);
}

// False: at once it was clear that it does not go.
bool Connector::connect_to(Ipv4Address address) {
  const int fd = open_socket();
  if (fd < 0) {
    problem_ = problem_of(errno);
    return false;
  }
  auto connection =
      std::make_unique<UpstreamConnection>(core_.poller, fd, Peer{address, port_}, key());
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(address.number);
  to.sin_port = htons(port_);
  const bool is_prepared = !core_.seams.prepare_socket || core_.seams.prepare_socket(fd, client_);
  if (!is_prepared || (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
                       errno != EINPROGRESS)) {
    problem_ = is_prepared ? problem_of(errno) : Problem::internal_error;
    detail_ = fmt::format("{}: {}", to_text(address), std::strerror(errno));
    return false;
  }
  if (!connection->attach(*this)) {
    problem_ = Problem::connection_limit_reached;
    return false;
  }
  if (!is_for_parent_) origin_ = address;
  connecting_ = std::move(connection);
  core_.wheel.set(*connecting_, core_.settings.limits.connect_s);
  return true;
}

void Connector::on_upstream(uint32_t events) {
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connecting_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  sockaddr_in peer = {};
  socklen_t peer_size = sizeof peer;
  if (error == 0 &&
      getpeername(connecting_->fd(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    if ((events & EPOLLHUP) == 0) return;  // it is not decided yet
    error = ECONNRESET;
  }
  Wheel::cancel(*connecting_);
  if (error == 0) return user_.on_connected(std::move(connecting_));
  problem_ = problem_of(error);
  detail_ = fmt::format("{}: {}", to_text(connecting_->remote().address), std::strerror(error));
  core_.poller.bury(std::move(connecting_));
  connect_next();
}

void Connector::on_upstream_time_out() {
  problem_ = Problem::connection_timeout;
  detail_ = to_text(connecting_->remote().address);
  core_.poller.bury(std::move(connecting_));
  connect_next();
}

void Connector::fail(Problem problem, const std::string& detail) {
  user_.on_no_connection(problem, std::string(detail));
}

}  // namespace postern::http
