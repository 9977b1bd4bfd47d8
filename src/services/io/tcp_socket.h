// SPDX-License-Identifier: BSD-3-Clause
// socket_of(): a connection that was accepted as a socket of Boost.Asio. Thread: that of the loop.
#pragma once

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

namespace postern::io {

// Owns `fd`. Nothing, and it is closed, where the kernel has no room to wait for it.
inline std::optional<boost::asio::ip::tcp::socket> socket_of(boost::asio::io_context& context,
                                                             int fd) {
  boost::system::error_code error;
  boost::asio::ip::tcp::socket socket(context);
  socket.assign(boost::asio::ip::tcp::v4(), fd, error);
  if (!error) return socket;
  ::close(fd);
  return std::nullopt;
}

}  // namespace postern::io
