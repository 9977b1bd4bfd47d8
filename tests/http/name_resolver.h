// SPDX-License-Identifier: BSD-3-Clause
// NameResolver: the addresses of names by the system's resolver, which may take its time: it is
// asked on threads of its own, and answers come on the loop.
//
// Thread: control; getaddrinfo(3) runs on kThreads others. Bounds: kWaitingMax questions wait,
// further ones are refused; kAddressesMax addresses.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "services/http/proxy/seams.h"

namespace boost::asio {
class io_context;
}

namespace postern::http {

class NameResolver {
 public:
  static constexpr size_t kThreads = 4;
  static constexpr size_t kWaitingMax = 1024;
  static constexpr size_t kAddressesMax = 16;

  explicit NameResolver(boost::asio::io_context& context);
  // Waits for the questions that are out; nobody is called any more.
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // `then` is called later, on the loop.
  void resolve(const std::string& name, const Seams::Resolved& then);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with answers that are on their way to the loop
};

}  // namespace postern::http
