// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/tcp_listener.h"

#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <utility>

namespace postern::io {

struct TcpListener::Socket {
  ListenAddress at;
  std::unique_ptr<Acceptor> acceptor;
};

TcpListener::TcpListener(boost::asio::io_context& context, Take take)
    : context_(context), take_(std::make_shared<const Take>(std::move(take))) {}

TcpListener::~TcpListener() = default;

bool TcpListener::is_listening(const ListenAddress& at) const {
  return std::any_of(sockets_.begin(), sockets_.end(),
                     [&](const Socket& socket) { return socket.at == at; });
}

void TcpListener::close_others(const std::vector<ListenAddress>& addresses) {
  std::erase_if(sockets_, [&](const Socket& socket) {
    return std::find(addresses.begin(), addresses.end(), socket.at) == addresses.end();
  });
}

Result<void> TcpListener::listen(const std::vector<ListenAddress>& addresses) {
  close_others(addresses);
  Result<void> outcome;
  for (const ListenAddress& at : addresses) {
    if (is_listening(at)) continue;
    auto fd = open_listener(at, SOCK_STREAM);
    if (!fd) {
      if (outcome) outcome = std::move(fd).error();
      continue;
    }
    auto take = [call = take_, at](const Arrival& arrival) { (*call)(at, arrival); };
    try {
      sockets_.push_back(
          {at, std::make_unique<Acceptor>(context_, *fd, Acceptor::Calls{std::move(take), {}})});
    } catch (const boost::system::system_error& error) {  // the kernel watches no more of them
      close(*fd);
      if (outcome) outcome = Error{ErrorCode::exhausted, error.what()};
    }
  }
  return outcome;
}

void TcpListener::tick() {
  for (const Socket& socket : sockets_)
    socket.acceptor->tick();
}

std::vector<ListenAddress> TcpListener::listening() const {
  std::vector<ListenAddress> addresses;
  addresses.reserve(sockets_.size());
  for (const Socket& socket : sockets_)
    addresses.push_back(socket.at);
  return addresses;
}

}  // namespace postern::io
