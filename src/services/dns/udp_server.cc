// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/udp_server.h"

#include <cstring>

namespace postern::dns {
namespace {

constexpr size_t kQueryBytes = 1500;  // longer ones are none of ours (RFC 1035: 512)

}  // namespace

UdpServer::UdpServer(boost::asio::io_context& context, int fd, uint32_t number, Calls calls)
    : watch_(context, fd),
      number_(number),
      calls_(std::move(calls)),
      in_(kQueryBytes),
      out_(Forwarder::kUdpBytes) {
  watch_.whenever_readable([this] { on_readable(); });
}

void UdpServer::on_readable() {
  for (int round = 0; round < kRounds; ++round) {
    size_t count = in_.receive(watch_.fd());
    if (count == 0) return;
    Instant now = calls_.now();
    for (size_t i = 0; i < count; ++i) {
      if (in_.is_cut(i)) continue;
      if (out_.is_full()) flush();
      Client client{number_, 0, in_.address(i), in_.port(i)};
      // A source port of zero cannot be answered.
      if (client.port == 0) continue;
      size_t size = calls_.ask(in_.bytes(i), client, now, out_.room());
      if (size > 0) out_.add(size, client.address, client.port);
    }
    calls_.end_turn();
    if (count < DatagramBatch::kSlots) return;
  }
}

void UdpServer::reply(const Client& client, Bytes message) {
  if (out_.is_full()) flush();
  if (message.empty() || message.size() > out_.room().size()) return;
  std::memcpy(out_.room().data(), message.data(), message.size());
  out_.add(message.size(), client.address, client.port);
}

void UdpServer::flush() {
  out_.send(watch_.fd());
}

}  // namespace postern::dns
