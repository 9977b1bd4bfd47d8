// SPDX-License-Identifier: BSD-3-Clause
// Connector: finds or opens a connection for one request: the pool, else the name's addresses that
// the client may reach, one after another.
//
//   name -> addresses -> public? permitted to the client? -> connect -> UpstreamConnection
//
// The address that was judged is the one that is connected to; a kept connection is judged by the
// address that it has (F58). With a parent proxy that is not trusted the addresses of the name are
// judged all the same, and then the parent is connected to: one of them must be permitted; which
// of them the parent takes, nobody here knows.
//
// Thread: control. Bounds: kAddressesMax addresses, ProxyLimits::connect_s for each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/http/proxy/core.h"
#include "services/http/proxy/problem.h"
#include "services/http/proxy/upstream_connection.h"

namespace postern::http {

struct Destination {
  std::string host;  // a name, or an address in its usual form
  uint16_t port = 0;
  Ipv4Address only;  // not unspecified: this address and no other (transparent)
  // `only` has been judged, with another port, and may be connected to (the data of FTP).
  bool is_judged = false;
};

// What keeps the client from that address, however it would get what is there (F58). `meant`: where
// its own packets were going; unspecified: to us.
Problem judge_destination(const Core& core, const Peer& client, const Peer& destination,
                          Ipv4Address meant);
// Where things come from is the business of the parent proxy, and nobody here judges it.
bool leaves_judging_to_parent(const Core& core);

class Connector : private UpstreamConnection::User {
 public:
  static constexpr size_t kAddressesMax = 6;

  // Called once for each start(), also from within it.
  class User {
   public:
    virtual ~User() = default;
    virtual void on_connected(std::unique_ptr<UpstreamConnection> connection) = 0;
    virtual void on_no_connection(Problem problem, const std::string& detail) = 0;
  };

  Connector(Core& core, User& user);
  ~Connector() override;

  // `may_reuse`: a connection from the pool will do.
  void start(const Destination& destination, const Peer& client, bool may_reuse);
  // Nothing is called any more.
  void stop();
  // The address of the destination that was permitted to the client, from the last on_connected();
  // unspecified: that is left to the parent.
  Ipv4Address origin() const { return origin_; }

 private:
  void judge_name();
  void on_judged(const Result<Seams::Addresses>& addresses);
  bool take_kept();
  void connect_parent();
  void connect_next();
  bool connect_to(Ipv4Address address);
  void on_upstream(uint32_t events) override;
  void on_upstream_time_out() override;
  void fail(Problem problem, const std::string& detail);
  Problem judge(Ipv4Address address) const;
  std::string key() const;
  void resolve(const std::string& name, void (Connector::*then)(const Result<Seams::Addresses>&));
  void on_parent_resolved(const Result<Seams::Addresses>& addresses);

  Core& core_;
  User& user_;
  Destination destination_;
  Peer client_;
  bool may_reuse_ = false;
  bool is_for_parent_ = false;  // the addresses are its
  Ipv4Address origin_;
  std::vector<Ipv4Address> addresses_;  // still to be tried, the next one last
  uint16_t port_ = 0;
  std::unique_ptr<UpstreamConnection> connecting_;
  Problem problem_ = Problem::none;  // of the last address
  std::string detail_;
  std::shared_ptr<int> alive_;  // of the question that is out
};

}  // namespace postern::http
