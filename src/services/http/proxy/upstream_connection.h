// SPDX-License-Identifier: BSD-3-Clause
// UpstreamConnection: an open connection to an origin or to a parent proxy, used by one exchange at
// a time and kept by UpstreamPool between them.
//
// Thread: control. Owns the socket.
#pragma once

#include <cstdint>
#include <string>

#include "services/http/proxy/poller.h"
#include "services/http/proxy/seams.h"
#include "services/http/proxy/wheel.h"

namespace postern::http {

class UpstreamConnection : public Poller::Handler, public Timed {
 public:
  // Who has the connection now. Told of events and of the time-out; may take the connection down
  // from within.
  class User {
   public:
    virtual ~User() = default;
    virtual void on_upstream(uint32_t events) = 0;
    virtual void on_upstream_time_out() = 0;
  };

  // Owns `fd`, which is connected to `remote` and belongs to no poller yet.
  UpstreamConnection(Poller& poller, int fd, const Peer& remote, std::string key);
  ~UpstreamConnection() override;

  // False: the system has no room.
  [[nodiscard]] bool attach(User& user);
  void set_user(User& user) { user_ = &user; }
  int fd() const { return fd_; }
  const Peer& remote() const { return remote_; }
  const std::string& key() const { return key_; }  // under which the pool keeps it
  unsigned exchanges() const { return exchanges_; }
  void count_exchange() { ++exchanges_; }

  void on_ready(uint32_t events) override;
  void on_time_out() override;

 private:
  Poller& poller_;
  int fd_;
  Peer remote_;
  std::string key_;
  User* user_ = nullptr;
  unsigned exchanges_ = 0;
  bool is_attached_ = false;
};

}  // namespace postern::http
