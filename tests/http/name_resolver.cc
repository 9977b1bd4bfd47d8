// SPDX-License-Identifier: BSD-3-Clause
#include "http/name_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

namespace postern::http {
namespace {

Result<Seams::Addresses> look_up(const std::string& name) {
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (error != 0) return Error{ErrorCode::not_found, gai_strerror(error)};
  Seams::Addresses addresses;
  for (const addrinfo* one = list; one != nullptr && addresses.size() < NameResolver::kAddressesMax;
       one = one->ai_next) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ai_addr);
    addresses.emplace_back(ntohl(address->sin_addr.s_addr));
  }
  freeaddrinfo(list);
  return addresses;
}

}  // namespace

struct NameResolver::State {
  explicit State(boost::asio::io_context& loop) : context(loop) {}
  boost::asio::io_context& context;
  boost::asio::thread_pool threads{kThreads};
  size_t waiting = 0;    // loop
  bool is_gone = false;  // loop
};

NameResolver::NameResolver(boost::asio::io_context& context)
    : state_(std::make_shared<State>(context)) {}

NameResolver::~NameResolver() {
  state_->is_gone = true;
  state_->threads.join();
}

void NameResolver::resolve(const std::string& name, const Seams::Resolved& then) {
  if (state_->waiting >= kWaitingMax) {
    boost::asio::post(state_->context, [state = state_, then] {
      if (!state->is_gone) then(Error{ErrorCode::exhausted, "too many names are being resolved"});
    });
    return;
  }
  ++state_->waiting;
  // The threads end before the state does, so they may not own it.
  boost::asio::post(state_->threads,
                    [state = std::weak_ptr<State>(state_), context = &state_->context, name, then] {
                      Result<Seams::Addresses> found = look_up(name);
                      boost::asio::post(*context, [state, found = std::move(found), then] {
                        const std::shared_ptr<State> alive = state.lock();
                        if (!alive || alive->is_gone) return;
                        --alive->waiting;
                        then(found);
                      });
                    });
}

}  // namespace postern::http
