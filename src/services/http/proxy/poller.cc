// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/poller.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

#include "base/assert.h"

namespace postern::http {
namespace asio = boost::asio;
using boost::system::error_code;

struct Poller::Registration {
  Registration(asio::io_context& context, int fd) : descriptor(context, fd) {}
  asio::posix::stream_descriptor descriptor;
};

Poller::Poller(asio::io_context& context, Turns& turns)
    : turns_(turns), fd_(epoll_create1(EPOLL_CLOEXEC)) {
  POSTERN_ASSERT(fd_ >= 0);
  registration_ = std::make_shared<Registration>(context, fd_);
  wait();
}

Poller::~Poller() {
  error_code ignored;
  registration_->descriptor.close(ignored);
}

void Poller::wait() {
  // The handler may still be called after the poller is gone; then the registration is gone, too.
  std::weak_ptr<Registration> alive = registration_;
  registration_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                       [this, alive](error_code error) {
                                         if (error || alive.expired()) return;
                                         handle_batch();
                                         if (!alive.expired()) wait();
                                       });
}

void Poller::handle_batch() {
  event_count_ = epoll_wait(fd_, events_.data(), kBatch, 0);
  if (event_count_ <= 0) return;
  is_handling_ = true;
  turns_.begin_turn();
  for (int i = 0; i < event_count_; ++i) {
    const epoll_event event = events_[static_cast<size_t>(i)];
    if (event.data.ptr != nullptr) static_cast<Handler*>(event.data.ptr)->on_ready(event.events);
  }
  event_count_ = 0;
  turns_.end_turn();
  is_handling_ = false;
  clean_up();
}

epoll_event Poller::interest(Handler& handler) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &handler;
  return event;
}

bool Poller::add(int fd, Handler& handler) {
  epoll_event event = interest(handler);
  return epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::rearm(int fd, Handler& handler) {
  epoll_event event = interest(handler);
  epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd, const Handler& handler) {
  epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = 0; i < event_count_; ++i) {
    epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.ptr == &handler) event.data.ptr = nullptr;
  }
}

void Poller::bury(std::unique_ptr<Mortal> mortal) {
  if (mortal) buried_.push_back(std::move(mortal));
}

void Poller::clean_up() {
  // What is freed may bury more.
  while (!is_handling_ && !buried_.empty()) {
    const std::vector<std::unique_ptr<Mortal>> freed = std::exchange(buried_, {});
  }
}

}  // namespace postern::http
