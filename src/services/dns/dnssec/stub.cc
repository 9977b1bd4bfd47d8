// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/dnssec/stub.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace postern::dns {
namespace {

// Where the question of `message` ends; empty when it has not one plain one.
std::optional<size_t> end_of_question(Bytes message) {
  if (message.size() < kHeaderBytes || get16(message, 4) != 1) return std::nullopt;
  const auto end = skip_name(message, kHeaderBytes);
  if (!end || *end + 4 > message.size()) return std::nullopt;
  return *end + 4;
}

bool is_same_question(Bytes query, Bytes answer) {
  const auto end = end_of_question(query);
  if (!end || end != end_of_question(answer)) return false;
  const size_t length = *end - kHeaderBytes - 4;
  return is_same_name(query.subspan(kHeaderBytes, length), answer.subspan(kHeaderBytes, length)) &&
         get32(query, *end - 4) == get32(answer, *end - 4);
}

}  // namespace

Instant monotonic_now() {
  timespec at = {};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return {at.tv_sec * 1'000'000'000 + at.tv_nsec};
}

Result<std::unique_ptr<Stub>> Stub::open(boost::asio::io_context& context, Owner& owner) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  socklen_t length = sizeof at;
  if (fd < 0 || bind(fd, address, length) != 0 || getsockname(fd, address, &length) != 0) {
    const int why = errno;
    if (fd >= 0) close(fd);
    return Error{ErrorCode::failed, std::string("a port of 127.0.0.1: ") + std::strerror(why)};
  }
  return std::unique_ptr<Stub>(new Stub(context, fd, ntohs(at.sin_port), owner));
}

Stub::Stub(boost::asio::io_context& context, int fd, uint16_t port, Owner& owner)
    : watch_(context, fd), port_(port), owner_(owner), room_(kMessageBytesMax) {
  watch_.whenever_readable([this] { read_all(); });
}

Stub::~Stub() = default;

void Stub::read_all() {
  for (int turn = 0; turn < 64; ++turn) {
    sockaddr_in from = {};
    socklen_t length = sizeof from;
    const ssize_t got = recvfrom(watch_.fd(), room_.data(), room_.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0) return;
    const Bytes message(room_.data(), static_cast<size_t>(got));
    if (!end_of_question(message) || (get16(message, 2) & flag::qr) != 0) continue;
    if (queries_.size() >= kQueriesMax) answer(queries_.begin()->first, {});
    const uint32_t number = ++last_number_;
    auto& query = queries_[number];
    query = {{message.begin(), message.end()}, from, monotonic_now()};
    const std::vector<uint8_t> kept = query.message;  // it may be answered, and gone, at once
    owner_.take_query(number, kept);
  }
}

bool Stub::answer(uint32_t number, Bytes message) {
  const auto node = queries_.extract(number);
  if (node.empty()) return false;
  const Query& query = node.mapped();
  if (message.size() > kBytesMax || !is_same_question(query.message, message)) {
    send_failure(query);
    return false;
  }
  send(query, message);
  return true;
}

void Stub::send(const Query& query, Bytes message) {
  std::vector<uint8_t> out(message.begin(), message.end());
  const size_t question_end = *end_of_question(query.message);
  std::copy_n(query.message.begin(), 2, out.begin());
  std::copy(query.message.begin() + kHeaderBytes,
            query.message.begin() + static_cast<ptrdiff_t>(question_end),
            out.begin() + kHeaderBytes);
  sendto(watch_.fd(), out.data(), out.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&query.from), sizeof query.from);
}

void Stub::send_failure(const Query& query) {
  std::vector<uint8_t> out(
      query.message.begin(),
      query.message.begin() + static_cast<ptrdiff_t>(*end_of_question(query.message)));
  const auto flags = static_cast<uint16_t>(get16(query.message, 2) & (flag::rd | flag::cd));
  put16(out, 2, static_cast<uint16_t>(flags | flag::qr | flag::ra | rcode::server_failure));
  for (const size_t count : {6, 8, 10})
    put16(out, count, 0);
  send(query, out);
  owner_.query_failed();
}

void Stub::tick(Instant now) {
  while (!queries_.empty() && now - queries_.begin()->second.came > kPatience) {
    answer(queries_.begin()->first, {});
  }
}

}  // namespace postern::dns
