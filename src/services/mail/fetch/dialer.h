// SPDX-License-Identifier: BSD-3-Clause
// Dialer: from the name of a server to a connection with it. Thread: control. Bounds: kLookUp for
// the name, kConnect for each address.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "services/mail/net/connector.h"
#include "services/mail/net/stream.h"
#include "services/mail/seams.h"

namespace postern::mail {

class Dialer {
 public:
  static constexpr Duration kLookUp = seconds(30);
  static constexpr Duration kConnect = seconds(30);

  struct Server {
    std::string host;  // or its address
    uint16_t port = 0;
  };
  struct Reached {
    std::shared_ptr<Stream> stream;  // begin() has not been called
    Ipv4Address address;
  };
  // Once, from the loop; the dialer may be destroyed in it.
  using Then = std::function<void(const Result<Reached>& reached)>;

  Dialer(boost::asio::io_context& context, const Seams& seams, Server server, Then then);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // Once a second.
  void tick();

 private:
  void look_up();
  void connect(std::vector<Ipv4Address> addresses);
  void fail(const std::string& why);

  boost::asio::io_context& context_;
  const Seams& seams_;
  Server server_;
  Then then_;
  Instant asked_at_;
  std::shared_ptr<int> question_;  // that is out; nobody answers a dialer that is gone
  std::unique_ptr<Connector> connector_;
};

}  // namespace postern::mail
