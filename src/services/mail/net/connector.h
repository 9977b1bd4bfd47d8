// SPDX-License-Identifier: BSD-3-Clause
// Connector: opens a TCP connection to the first of some addresses that can be reached, one after
// another (RFC 5321 section 5.1). Thread: that of the loop. Bounds: kAddressesMax addresses, the
// timeout for each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

class Connector {
 public:
  static constexpr size_t kAddressesMax = 8;

  // Once, from the loop: a connected socket, the caller's now, and its address; or what was wrong
  // with the last address. The connector may be destroyed in it.
  using Then = std::function<void(const Result<int>& fd, Ipv4Address address)>;

  Connector(boost::asio::io_context& context, std::vector<Ipv4Address> addresses, uint16_t port,
            Duration timeout, Then then);
  ~Connector();  // nothing is called any more
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::mail
