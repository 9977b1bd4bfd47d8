// SPDX-License-Identifier: BSD-3-Clause
// ParentConnect: asks a parent proxy for a tunnel: CONNECT goes out, and the head of its answer
// comes back; what the far server said behind it is kept for the tunnel.
//
// Thread: control. Bounds: ProxyLimits::head_bytes and response_s.
#pragma once

#include <memory>
#include <string>

#include "services/http/message/head.h"
#include "services/http/proxy/core.h"
#include "services/http/proxy/problem.h"
#include "services/http/proxy/upstream_connection.h"

namespace postern::http {

class ParentConnect : public Poller::Mortal, private UpstreamConnection::User {
 public:
  // Called once; the object does nothing more.
  class Owner {
   public:
    virtual ~Owner() = default;
    // `early`: of the far server.
    virtual void on_tunnel_open(std::unique_ptr<UpstreamConnection> connection,
                                const std::string& early) = 0;
    virtual void on_tunnel_refused(Problem problem, const std::string& detail) = 0;
  };

  ParentConnect(Core& core, Owner& owner, std::unique_ptr<UpstreamConnection> connection);
  ~ParentConnect() override;

  // `target`: host:port.
  void start(const std::string& target);

 private:
  void on_upstream(uint32_t events) override;
  void on_upstream_time_out() override;
  void read();
  void fail(Problem problem, const std::string& detail);

  Core& core_;
  Owner& owner_;
  std::unique_ptr<UpstreamConnection> connection_;
  ResponseReader reader_;
  std::string in_;
};

}  // namespace postern::http
