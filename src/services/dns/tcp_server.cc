// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tcp_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::dns {
namespace {

constexpr size_t kReadBytes = 4096;

}  // namespace

struct TcpServer::Connection {
  Connection(boost::asio::io_context& context, int fd, io::Places::Place kept)
      : watch(context, fd), place(std::move(kept)) {}
  io::Watch watch;
  io::Places::Place place;
  Client client;
  std::vector<uint8_t> in;   // of messages that are not whole yet
  std::vector<uint8_t> out;  // not sent yet
  size_t under_way = 0;      // queries without an answer
  Instant moved;             // when the last message was whole, or was sent
  bool reads = false;        // a wait is out
  bool writes = false;
  bool is_ended = false;  // the client sends no more

  bool may_read() const { return !is_ended && under_way < kQueriesMax && out.size() < kUnsentMax; }
};

TcpServer::TcpServer(boost::asio::io_context& context, int fd, uint32_t number, Calls calls)
    : context_(context),
      number_(number),
      calls_(std::move(calls)),
      acceptor_(context, fd,
                {[this](const io::Acceptor::Arrival& arrival) { add(arrival); },
                 [this](int error) { tell_pause(error); }}) {}

TcpServer::~TcpServer() = default;

TcpServer::Connection* TcpServer::find(uint32_t id) {
  auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void TcpServer::tell_pause(int error) {
  const Instant now = calls_.now();
  if (pause_told_ && now - *pause_told_ < kPauseTold) return;
  pause_told_ = now;
  if (calls_.warn) calls_.warn(std::strerror(error));
}

void TcpServer::add(const io::Acceptor::Arrival& arrival) {
  auto place = places_.take(arrival.from);
  if (!place) {
    close(arrival.fd);
    return;
  }
  if (++last_id_ == 0) ++last_id_;
  auto connection = std::make_unique<Connection>(context_, arrival.fd, std::move(*place));
  connection->client = {number_, last_id_, arrival.from, arrival.port};
  connection->moved = calls_.now();
  auto [entry, is_new] = connections_.emplace(last_id_, std::move(connection));
  if (is_new) wait(last_id_, *entry->second);
}

void TcpServer::wait(uint32_t id, Connection& connection) {
  if (!connection.reads && connection.may_read()) {
    connection.reads = true;
    connection.watch.when_readable([this, id] { on_readable(id); });
  }
  if (!connection.writes && !connection.out.empty()) {
    connection.writes = true;
    connection.watch.when_writable([this, id] { on_writable(id); });
  }
}

void TcpServer::on_readable(uint32_t id) {
  Connection* connection = find(id);
  if (!connection) return;
  connection->reads = false;
  bool goes_on = read(*connection) && answer(*connection) && write(*connection);
  calls_.end_turn();  // may add answers to this connection
  if (!goes_on || (connection->is_ended && connection->under_way == 0 && connection->out.empty())) {
    connections_.erase(id);
    return;
  }
  wait(id, *connection);
}

bool TcpServer::read(Connection& connection) {
  std::array<uint8_t, kReadBytes> buffer;
  ssize_t count = recv(connection.watch.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) connection.is_ended = true;
  connection.in.insert(connection.in.end(), buffer.begin(), buffer.begin() + count);
  return true;
}

// Every whole message, as long as the limits let it.
bool TcpServer::answer(Connection& connection) {
  size_t at = 0;
  Bytes in = connection.in;
  while (in.size() - at >= 2 && connection.under_way < kQueriesMax &&
         connection.out.size() < kUnsentMax) {
    size_t size = get16(in, at);
    if (size < kHeaderBytes) return false;  // RFC 7766: nothing sensible can follow
    if (in.size() - at - 2 < size) break;
    connection.moved = calls_.now();
    std::span<uint8_t> room = calls_.room();
    // An answer that comes within ask() would come by reply(), so it is counted first.
    ++connection.under_way;
    size_t answered =
        calls_.ask(in.subspan(at + 2, size), connection.client, connection.moved, room);
    if (answered > 0) put(connection, room.first(answered));
    at += 2 + size;
  }
  connection.in.erase(connection.in.begin(), connection.in.begin() + static_cast<long>(at));
  return true;
}

void TcpServer::put(Connection& connection, Bytes message) {
  if (connection.under_way > 0) --connection.under_way;
  if (message.empty()) return;
  uint8_t length[2];
  put16(length, 0, static_cast<uint16_t>(message.size()));
  connection.out.insert(connection.out.end(), std::begin(length), std::end(length));
  connection.out.insert(connection.out.end(), message.begin(), message.end());
}

bool TcpServer::write(Connection& connection) {
  if (connection.out.empty()) return true;
  ssize_t count = send(connection.watch.fd(), connection.out.data(), connection.out.size(),
                       MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  connection.out.erase(connection.out.begin(), connection.out.begin() + count);
  connection.moved = calls_.now();
  return true;
}

void TcpServer::on_writable(uint32_t id) {
  Connection* connection = find(id);
  if (!connection) return;
  connection->writes = false;
  // What was left unread at a limit goes on now.
  bool goes_on = write(*connection) && answer(*connection);
  calls_.end_turn();
  if (!goes_on || (connection->is_ended && connection->under_way == 0 && connection->out.empty())) {
    connections_.erase(id);
    return;
  }
  wait(id, *connection);
}

void TcpServer::reply(const Client& client, Bytes message) {
  Connection* connection = find(client.connection);
  if (!connection) return;
  put(*connection, message);
  wait(client.connection, *connection);
}

void TcpServer::tick(Instant now) {
  std::erase_if(connections_, [now](const auto& entry) {
    return now - entry.second->moved > kIdle;  // an answer takes no such time
  });
  acceptor_.tick();
}

}  // namespace postern::dns
