// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/udp_upstream.h"

#include <algorithm>
#include <cstring>

namespace postern::dns {
namespace {

constexpr size_t kQuestionBytes = 320;  // header, longest name, OPT
constexpr size_t kAnswerBytes = 4096;   // some servers send more than they were told
constexpr int kRounds = 8;

}  // namespace

struct UdpUpstream::Socket {
  Socket(boost::asio::io_context& context, int fd, uint32_t its_number, Instant now)
      : watch(context, fd), number(its_number), opened(now) {}
  io::Watch watch;
  uint32_t number;
  Instant opened;
  Instant retired;
  uint32_t turns = 0;
};

struct UdpUpstream::Pool {
  ServerAddress server;
  std::array<std::unique_ptr<Socket>, kSockets> sockets;
  Socket* of_turn = nullptr;
  DatagramBatch out{kQuestionBytes};
};

UdpUpstream::UdpUpstream(boost::asio::io_context& context, Calls calls)
    : context_(context),
      calls_(std::move(calls)),
      in_(std::make_unique<DatagramBatch>(kAnswerBytes)) {}

UdpUpstream::~UdpUpstream() = default;

std::unique_ptr<UdpUpstream::Socket> UdpUpstream::open(const ServerAddress& server) {
  int fd = open_to_server(server.address, server.port, static_cast<uint16_t>(calls_.random()));
  if (fd < 0) return nullptr;
  if (++last_number_ == 0) ++last_number_;
  auto socket = std::make_unique<Socket>(context_, fd, last_number_, calls_.now());
  Socket* raw = socket.get();
  raw->watch.whenever_readable([this, raw] { on_readable(*raw); });
  return socket;
}

UdpUpstream::Socket* UdpUpstream::socket_for_turn(Pool& pool) {
  std::unique_ptr<Socket>& place = pool.sockets[calls_.random() % kSockets];
  if (place && place->turns >= kTurnsMax) {
    place->retired = calls_.now();
    lingering_.push_back(std::move(place));
    place = nullptr;
  }
  if (!place) place = open(pool.server);
  if (place) ++place->turns;
  return place.get();
}

uint32_t UdpUpstream::send(const ServerAddress& server, Bytes message) {
  auto found = std::find_if(pools_.begin(), pools_.end(),
                            [&](const auto& pool) { return pool->server == server; });
  if (found == pools_.end()) {
    pools_.push_back(std::make_unique<Pool>());
    pools_.back()->server = server;
    found = pools_.end() - 1;
  }
  Pool& pool = **found;
  if (pool.out.is_full()) flush();
  if (!pool.of_turn) pool.of_turn = socket_for_turn(pool);
  if (!pool.of_turn || message.size() > pool.out.room().size()) return 0;
  std::memcpy(pool.out.room().data(), message.data(), message.size());
  pool.out.add_connected(message.size());
  has_unsent_ = true;
  return pool.of_turn->number;
}

void UdpUpstream::flush() {
  if (!has_unsent_) return;
  has_unsent_ = false;
  for (auto& pool : pools_) {
    if (!pool->of_turn) continue;
    pool->out.send(pool->of_turn->watch.fd());
    pool->of_turn = nullptr;
  }
}

void UdpUpstream::on_readable(Socket& socket) {
  uint32_t number = socket.number;
  int fd = socket.watch.fd();
  for (int round = 0; round < kRounds; ++round) {
    size_t count = in_->receive(fd);
    if (count == 0) return;
    Instant now = calls_.now();
    for (size_t i = 0; i < count; ++i)
      calls_.take(number, in_->bytes(i), now);
    calls_.end_turn();
    if (count < DatagramBatch::kSlots) return;
  }
}

void UdpUpstream::tick(Instant now) {
  for (auto& pool : pools_) {
    for (auto& socket : pool->sockets) {
      if (!socket || now - socket->opened < kAgeMax) continue;
      socket->retired = now;
      lingering_.push_back(std::move(socket));
    }
  }
  std::erase_if(pools_, [](const auto& pool) {
    return !pool->of_turn && std::none_of(pool->sockets.begin(), pool->sockets.end(),
                                          [](const auto& socket) { return socket != nullptr; });
  });
  std::erase_if(lingering_, [now](const auto& socket) { return now - socket->retired > kLinger; });
}

size_t UdpUpstream::sockets() const {
  size_t count = lingering_.size();
  for (const auto& pool : pools_) {
    count +=
        static_cast<size_t>(std::count_if(pool->sockets.begin(), pool->sockets.end(),
                                          [](const auto& socket) { return socket != nullptr; }));
  }
  return count;
}

}  // namespace postern::dns
