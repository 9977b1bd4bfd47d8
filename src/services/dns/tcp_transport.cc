// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tcp_transport.h"

#include <cerrno>
#include <cstring>

#include "services/dns/message.h"
#include "services/io/listen_address.h"

namespace postern::dns {
namespace {

constexpr Duration kTurn = milliseconds(50);
constexpr size_t kReadBytes = 16384;

Error error_of(const ServerAddress& server, const std::string& what) {
  return {ErrorCode::unavailable, to_text(server) + " by TCP: " + what};
}

}  // namespace

struct TcpTransport::Ask {
  Ask(boost::asio::io_context& context, int fd) : watch(context, fd) {}
  io::Watch watch;
  ServerAddress server;
  std::vector<uint8_t> out;
  size_t sent = 0;
  std::vector<uint8_t> in;
  Instant gives_up_at;
  Done done;
};

TcpTransport::TcpTransport(boost::asio::io_context& context, std::function<Instant()> now)
    : context_(context), now_(std::move(now)), timer_(context) {}

TcpTransport::~TcpTransport() = default;

void TcpTransport::fail_later(Done done, Error error) {
  failed_.emplace_back(std::move(done), std::move(error));
  if (!timer_.runs()) timer_.start(kTurn, [this] { tick(); });
}

void TcpTransport::ask(const ServerAddress& server, Bytes message, Duration timeout, Done done) {
  if (asks_.size() >= kAsksMax) {
    return fail_later(std::move(done), {ErrorCode::exhausted, "too many questions by TCP"});
  }
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_later(std::move(done), error_of(server, std::strerror(errno)));
  auto ask = std::make_unique<Ask>(context_, fd);
  sockaddr_in address = io::socket_address(server.address, server.port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    return fail_later(std::move(done), error_of(server, std::strerror(errno)));
  }
  uint64_t id = ++last_id_;
  ask->server = server;
  ask->out.resize(2);
  put16(ask->out, 0, static_cast<uint16_t>(message.size()));
  ask->out.insert(ask->out.end(), message.begin(), message.end());
  ask->gives_up_at = now_() + timeout;
  ask->done = std::move(done);
  ask->watch.when_writable([this, id] { on_writable(id); });
  asks_.emplace(id, std::move(ask));
  if (!timer_.runs()) timer_.start(kTurn, [this] { tick(); });
}

void TcpTransport::finish(uint64_t id, Result<std::vector<uint8_t>> outcome) {
  auto found = asks_.find(id);
  Done done = std::move(found->second->done);
  asks_.erase(found);
  done(std::move(outcome));
}

void TcpTransport::on_writable(uint64_t id) {
  auto found = asks_.find(id);
  if (found == asks_.end()) return;
  Ask& ask = *found->second;
  ssize_t count = send(ask.watch.fd(), ask.out.data() + ask.sent, ask.out.size() - ask.sent,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    return finish(id, error_of(ask.server, std::strerror(errno)));
  }
  if (count > 0) ask.sent += static_cast<size_t>(count);
  if (ask.sent < ask.out.size()) {
    ask.watch.when_writable([this, id] { on_writable(id); });
  } else {
    ask.watch.when_readable([this, id] { on_readable(id); });
  }
}

void TcpTransport::on_readable(uint64_t id) {
  auto found = asks_.find(id);
  if (found == asks_.end()) return;
  Ask& ask = *found->second;
  std::array<uint8_t, kReadBytes> buffer;
  ssize_t count = recv(ask.watch.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count == 0) return finish(id, error_of(ask.server, "closed in the middle of an answer"));
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    return finish(id, error_of(ask.server, std::strerror(errno)));
  }
  if (count > 0) ask.in.insert(ask.in.end(), buffer.begin(), buffer.begin() + count);
  if (ask.in.size() >= 2 && ask.in.size() >= 2u + get16(ask.in, 0)) {
    size_t size = get16(ask.in, 0);
    return finish(
        id, std::vector<uint8_t>(ask.in.begin() + 2, ask.in.begin() + 2 + static_cast<long>(size)));
  }
  ask.watch.when_readable([this, id] { on_readable(id); });
}

void TcpTransport::tick() {
  auto failed = std::move(failed_);
  failed_.clear();
  for (auto& [done, error] : failed)
    done(std::move(error));
  Instant now = now_();
  std::vector<uint64_t> late;
  for (const auto& [id, ask] : asks_) {
    if (now >= ask->gives_up_at) late.push_back(id);
  }
  for (uint64_t id : late) {
    auto found = asks_.find(id);
    if (found != asks_.end()) finish(id, error_of(found->second->server, "no answer in time"));
  }
  if (asks_.empty() && failed_.empty()) timer_.stop();
}

}  // namespace postern::dns
