// SPDX-License-Identifier: BSD-3-Clause
// Server: the connections of the log-in page: TLS on inside addresses, one request a connection
// (Boost.Asio on the loop of the thread).
//
//   TcpListener -> handshake -> read until RequestReader is done -> handle -> write -> close
//
// Bounds: kConnectionsMax connections, kPerClientMax of one address; further ones are closed at
// once, and so are those that `admit` refuses, before their handshake costs anything. kPatience for
// a handshake and a request together, however slowly they come, kVerdictMax for the accounts,
// kPatience again for the answer. TLS 1.2 at least, no renegotiation, no tickets. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "services/io/listen_address.h"
#include "services/portal/certificate.h"
#include "services/portal/request.h"

namespace boost::asio {
class io_context;
}

namespace postern::portal {

constexpr size_t kConnectionsMax = 256;
constexpr size_t kPerClientMax = 16;
constexpr Duration kPatience = seconds(15);
constexpr Duration kVerdictMax = seconds(60);

struct ServerCounters {
  uint64_t connections = 0;
  uint64_t turned_away = 0;  // beyond the bounds
  uint64_t too_often = 0;    // that were not admitted
  uint64_t too_slow = 0;     // whose time was over
  uint64_t malformed = 0;    // requests that were refused unread
};

class Server {
 public:
  using Answer = std::function<void(const Response& response)>;
  using Handle = std::function<void(const Request& request, Ipv4Address from, Answer answer)>;

  // Whether a connection may begin a handshake now.
  using Admit = std::function<bool(Ipv4Address from)>;

  Server(boost::asio::io_context& context, Handle handle, Admit admit);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Connections that are there keep the certificate that they began with.
  Result<void> set_certificate(const CertificateText& text);
  // Closes the sockets that are none of these.
  void close_others(const std::vector<io::ListenAddress>& addresses);
  // Opens and closes sockets, so that these are open; the error of the first that cannot be.
  Result<void> listen(const std::vector<io::ListenAddress>& addresses);
  // Once a second: accepts again where descriptors were missing.
  void tick();

  std::vector<io::ListenAddress> listening() const;
  size_t connections() const;
  ServerCounters counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::portal
