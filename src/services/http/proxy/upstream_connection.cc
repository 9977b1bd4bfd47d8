// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/upstream_connection.h"

#include <unistd.h>

#include <utility>

namespace postern::http {

UpstreamConnection::UpstreamConnection(Poller& poller, int fd, const Peer& remote, std::string key)
    : poller_(poller), fd_(fd), remote_(remote), key_(std::move(key)) {}

UpstreamConnection::~UpstreamConnection() {
  if (is_attached_) poller_.remove(fd_, *this);
  close(fd_);
}

bool UpstreamConnection::attach(User& user) {
  user_ = &user;
  if (!is_attached_) is_attached_ = poller_.add(fd_, *this);
  return is_attached_;
}

void UpstreamConnection::on_ready(uint32_t events) {
  user_->on_upstream(events);
}

void UpstreamConnection::on_time_out() {
  user_->on_upstream_time_out();
}

}  // namespace postern::http
