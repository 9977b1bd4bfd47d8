// SPDX-License-Identifier: BSD-3-Clause
// Stub: the forwarder that libunbound asks, a UDP socket on a loopback port of its own.
//
// Each query gets a number, and its answer may come at any time; what is not answered within
// kPatience is answered by SERVFAIL, since a forwarder that keeps silent is left alone for long.
// Answers of up to kBytesMax go out as they are, as datagrams on loopback may be that long.
//
// Thread: control. Bound: kQueriesMax under way; the oldest gets SERVFAIL.
#pragma once

#include <netinet/in.h>

#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "services/dns/message.h"
#include "services/io/watch.h"

namespace postern::dns {

class Stub {
 public:
  static constexpr size_t kQueriesMax = 4096;
  static constexpr size_t kBytesMax = 65000;
  static constexpr Duration kPatience = seconds(4);

  class Owner {
   public:
    virtual ~Owner() = default;
    // Answered by Stub::answer() with that number, from within this or later.
    virtual void take_query(uint32_t number, Bytes query) = 0;
    // A query got SERVFAIL for want of an answer.
    virtual void query_failed() = 0;
  };

  static Result<std::unique_ptr<Stub>> open(boost::asio::io_context& context, Owner& owner);
  ~Stub();

  uint16_t port() const { return port_; }
  // Sends `message` with the ID and the question of the query. Empty, too long, or the answer to
  // another question: SERVFAIL. False: that is what was sent, or there is no such query.
  bool answer(uint32_t number, Bytes message);
  // To be called now and then.
  void tick(Instant now);

 private:
  struct Query {
    std::vector<uint8_t> message;
    sockaddr_in from = {};
    Instant came;
  };
  Stub(boost::asio::io_context& context, int fd, uint16_t port, Owner& owner);
  void read_all();
  void send(const Query& query, Bytes message);
  void send_failure(const Query& query);

  io::Watch watch_;
  uint16_t port_;
  Owner& owner_;
  std::map<uint32_t, Query> queries_;
  uint32_t last_number_ = 0;
  std::vector<uint8_t> room_;
};

Instant monotonic_now();

}  // namespace postern::dns
