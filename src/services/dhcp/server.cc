// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/server.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "services/dhcp/frame.h"
#include "services/dhcp/udp.h"

namespace postern::dhcp {
namespace {

constexpr unsigned kBatch = 32;        // datagrams a system call
constexpr size_t kDatagramMax = 2048;  // more is read as too long

Error system_error(const std::string& what) {
  return {ErrorCode::failed, what + ": " + std::strerror(errno)};
}

}  // namespace

Server::Server(ServerHooks hooks) : hooks_(std::move(hooks)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  POSTERN_ASSERT(epoll_ >= 0);
}

Server::~Server() {
  for (const Socket& socket : sockets_)
    close(socket.fd);
  close(epoll_);
}

Result<std::unique_ptr<Server>> Server::open(const std::string& lease_file, ServerHooks hooks) {
  auto store = LeaseStore::open(lease_file);
  if (!store) return std::move(store).error();
  auto leases = (*store)->load();
  if (!leases) return std::move(leases).error();
  auto server = std::unique_ptr<Server>(new Server(std::move(hooks)));
  server->writer_ = std::make_unique<LeaseWriter>(std::move(*store));
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = server->writer_->fd();
  if (epoll_ctl(server->epoll_, EPOLL_CTL_ADD, event.data.fd, &event) != 0) {
    return system_error("epoll");
  }
  server->engine_.load(std::move(*leases), server->hooks_.now());
  server->flush();
  return server;
}

Result<void> Server::configure(Settings settings, const std::vector<ServerLink>& links) {
  Result<void> first;
  std::vector<Socket> sockets;
  for (const ServerLink& link : links) {
    auto same = std::find_if(sockets_.begin(), sockets_.end(), [&](const Socket& s) {
      return s.link.id == link.id && s.link.device == link.device && s.fd >= 0;
    });
    if (same != sockets_.end()) {
      sockets.push_back({link, std::exchange(same->fd, -1)});
      continue;
    }
    auto fd = open_socket(link);
    if (fd) {
      sockets.push_back({link, *fd});
    } else if (first) {
      first = std::move(fd).error();
    }
  }
  for (const Socket& socket : sockets_)
    close_socket(socket.fd);
  sockets_ = std::move(sockets);
  if (auto echo = follow_echo(settings); !echo && first) first = std::move(echo).error();
  engine_.configure(std::move(settings), hooks_.now());
  flush();
  return first;
}

// Open while there are clients behind relays whose addresses are probed.
Result<void> Server::follow_echo(const Settings& settings) {
  bool is_needed = std::any_of(settings.scopes.begin(), settings.scopes.end(),
                               [](const Scope& s) { return s.probe; });
  if (!is_needed) {
    echo_.reset();  // its descriptor leaves the epoll set with it
    return {};
  }
  if (echo_) return {};
  auto echo = EchoSocket::open();
  if (!echo) return std::move(echo).error();
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = (*echo)->fd();
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, event.data.fd, &event) != 0) return system_error("epoll");
  echo_ = std::move(*echo);
  return {};
}

Result<int> Server::open_socket(const ServerLink& link) {
  auto fd = open_udp(link.device, kServerPort);
  if (!fd) return std::move(fd).error().within("dhcp on " + link.name);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = *fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, *fd, &event) == 0) return *fd;
  close(*fd);
  return system_error("dhcp on " + link.name);
}

void Server::close_socket(int fd) {
  if (fd < 0) return;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  close(fd);
}

const Server::Socket* Server::find_socket(LinkId link) const {
  auto found = std::find_if(sockets_.begin(), sockets_.end(),
                            [&](const Socket& s) { return s.link.id == link; });
  return found == sockets_.end() ? nullptr : &*found;
}

void Server::work() {
  take_outcome();
  if (echo_) {
    for (Ipv4Address address : echo_->answers())
      engine_.echo_seen(address, hooks_.now());
  }
  size_t left = kMessagesPerTurn;
  for (const Socket& socket : sockets_) {
    if (held_.size() >= kHeldMax) break;
    left -= receive_from(socket, left);
  }
  flush();
}

// Returns how many datagrams it took.
size_t Server::receive_from(const Socket& socket, size_t most) {
  static thread_local std::array<std::array<uint8_t, kDatagramMax>, kBatch> buffers;
  size_t taken = 0;
  while (taken < most) {
    std::array<mmsghdr, kBatch> messages = {};
    std::array<iovec, kBatch> vectors;
    std::array<sockaddr_in, kBatch> sources = {};
    for (size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {buffers[i].data(), kDatagramMax};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_namelen = sizeof sources[i];
    }
    auto wanted = static_cast<unsigned>(std::min<size_t>(kBatch, most - taken));
    int count = recvmmsg(socket.fd, messages.data(), wanted, MSG_DONTWAIT, nullptr);
    if (count <= 0) break;
    Now now = hooks_.now();
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      Ipv4Address source(ntohl(sources[i].sin_addr.s_addr));
      engine_.receive({socket.link.id, socket.link.address, source},
                      std::span(buffers[i]).first(messages[i].msg_len), now);
    }
    taken += static_cast<size_t>(count);
    if (static_cast<unsigned>(count) < wanted) break;
  }
  return taken;
}

void Server::tick() {
  engine_.tick(hooks_.now());
  take_outcome();
  flush();
}

void Server::address_seen(LinkId link, Ipv4Address address, const MacAddress& mac) {
  engine_.address_seen(link, address, mac, hooks_.now());
  flush();
}

bool Server::release(Ipv4Address address) {
  bool done = engine_.release(address, hooks_.now());
  flush();
  return done;
}

size_t Server::import(std::vector<Lease> leases) {
  std::erase_if(leases, [&](const Lease& lease) {
    return engine_.leases().find(lease.address) != nullptr ||
           engine_.leases().scope_of(lease.address) == LeaseTable::kNoScope;
  });
  for (const Lease& lease : leases)
    store(lease);
  size_t count = leases.size();
  engine_.load(std::move(leases), hooks_.now());
  flush();
  return count;
}

// Hands what has changed to the writer; what waits for nothing goes out.
void Server::flush() {
  if (!changes_.empty()) {
    batches_ = writer_->write(std::exchange(changes_, {}));
  }
  release_held();
}

void Server::take_outcome() {
  LeaseWriter::Outcome outcome = writer_->outcome();
  written_ = outcome.written;
  traffic_.commits = outcome.commits;
  if (outcome.refused != 0) {
    refused_ = std::max(refused_, outcome.refused);
    if (outcome.error != last_error_) {
      last_error_ = outcome.error;
      hooks_.remark("dhcp: leases cannot be written, so none is given: " + last_error_);
    }
  } else if (written_ >= refused_ && !last_error_.empty()) {
    last_error_.clear();
    hooks_.remark("dhcp: leases are written again");
  }
}

// In the order in which they were made, so that a name is told before its ACK is sent.
void Server::release_held() {
  while (!held_.empty()) {
    Held& first = held_.front();
    bool is_ready = first.batch <= written_;
    bool is_lost = !is_ready && first.batch <= refused_;
    if (!is_ready && !is_lost) break;
    if (first.is_name) {
      hooks_.change_name(first.name);
    } else if (is_lost) {
      ++traffic_.undurable;
    } else {
      send(first);
    }
    held_.pop_front();
  }
}

// --- what the engine wants

void Server::store(const Lease& lease) {
  changes_.push_back({lease, false});
}

void Server::forget(Ipv4Address address) {
  LeaseChange& change = changes_.emplace_back();
  change.lease.address = address;
  change.is_gone = true;
}

void Server::reply(const Reply& reply) {
  Held item;
  item.reply = reply;
  item.message.assign(reply.message.begin(), reply.message.end());
  item.reply.message = {};
  if (!reply.after_store) return send(item);
  item.batch = batches_ + (changes_.empty() ? 0 : 1);
  held_.push_back(std::move(item));
}

void Server::change_name(const NameChange& change) {
  if (!hooks_.change_name) return;
  Held item;
  item.is_name = true;
  item.name = change;
  item.batch = batches_ + (changes_.empty() ? 0 : 1);
  held_.push_back(std::move(item));
}

void Server::probe(LinkId link, Ipv4Address from, Ipv4Address address) {
  const Socket* socket = find_socket(link);
  if (socket == nullptr) return;
  auto frame = arp_request(socket->link.mac, from, address);
  if (!hooks_.send_frame(link, frame)) ++traffic_.frames_refused;
}

void Server::echo(Ipv4Address from, Ipv4Address address) {
  if (!echo_ || !echo_->send(from, address)) ++traffic_.unsent;
}

void Server::remark(const std::string& line) {
  hooks_.remark(line);
}

void Server::send(const Held& held) {
  const Reply& reply = held.reply;
  if (reply.way == Reply::Way::routed) return send_datagram(held);
  const Socket* socket = find_socket(reply.link);
  if (socket == nullptr) return;
  UdpEnds ends{socket->link.mac,        kBroadcastMac, reply.from,
               Ipv4Address(0xFFFFFFFF), kServerPort,   reply.port};
  if (reply.way == Reply::Way::hardware) {
    ends.to_mac = reply.mac;
    ends.to = reply.to;
  }
  if (!hooks_.send_frame(reply.link, udp_frame(ends, held.message))) ++traffic_.frames_refused;
}

void Server::send_datagram(const Held& held) {
  const Reply& reply = held.reply;
  const Socket* socket = find_socket(reply.link);
  if (socket == nullptr) return;
  bool sent = send_udp(socket->fd, {reply.from, reply.to, reply.port}, held.message);
  if (!sent) ++traffic_.unsent;
}

}  // namespace postern::dhcp
