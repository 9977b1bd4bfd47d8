// SPDX-License-Identifier: BSD-3-Clause
// TlsUpstream: one server of DNS over TLS (RFC 7858, RFC 8310 strict profile), asked over few
// connections that are kept.
//
//   ask() -> waiting_ -> a connection with room, up to kPipelineMax queries in flight on each
//               |             |
//               |             +-- answers in any order, matched by ID (RFC 7766 section 7)
//               +-- none: one more is opened, one at a time, up to connections_max
//
// A query whose connection ends is asked once more on another one (RFC 7766 section 6.2.1), unless
// that one never carried an answer. A connection on which nothing has come since a query was sent
// that is now too late is ended, so the next query does not wait on a dead one. A server that
// cannot be reached is left alone for a quarter of a second, doubled up to kRetryMax; queries
// meanwhile fail at once with the reason, and cost nobody time. There is no fallback to plain text
// here.
//
// Queries are padded (padding.h); their IDs are our own on the connection.
//
// Thread: control. Bounds: queries_max under way, further ones are refused; connections_max.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "services/dns/tls/tls_connection.h"

namespace postern::dns {

struct TlsLimits {
  size_t connections_max = 2;
  size_t queries_max = 1024;  // waiting and in flight
  Duration connect_timeout = seconds(2);
  Duration idle_timeout = seconds(20);  // then a connection without queries is closed
};

struct TlsCounters {
  uint64_t queries = 0;  // asked for, refused ones included
  uint64_t answers = 0;
  uint64_t timeouts = 0;
  uint64_t failures = 0;     // queries that ended by an error of the connection, or without one
  uint64_t refused = 0;      // queries beyond queries_max
  uint64_t retried = 0;      // queries asked again on another connection
  uint64_t unmatched = 0;    // answers nobody waits for (any more)
  uint64_t connections = 0;  // opened with success
  uint64_t resumed = 0;      // of these by a session from before
  uint64_t broken = 0;       // attempts to connect that failed
  uint64_t stalled = 0;      // times that the server stopped reading while queries were there
};

class TlsUpstream final : private TlsConnection::Owner {
 public:
  static constexpr size_t kPipelineMax = 64;
  static constexpr Duration kRetryMax = seconds(4);

  // The whole answer, with the ID of the query; ID and question are for the caller to compare.
  using Done = std::function<void(Result<std::vector<uint8_t>> answer)>;

  static Result<std::unique_ptr<TlsUpstream>> make(boost::asio::io_context& io,
                                                   const TlsServer& server,
                                                   const TlsLimits& limits = {});
  // Queries under way end without a word; not from within `done`.
  ~TlsUpstream() override;
  TlsUpstream(const TlsUpstream&) = delete;
  TlsUpstream& operator=(const TlsUpstream&) = delete;

  // Sends `message`, a whole query of at most 64 KiB, and calls `done` once: never from within
  // ask(), and not at all once this is gone.
  void ask(std::span<const uint8_t> message, Duration timeout, Done done);
  // The network has changed: what is kept of earlier failures is forgotten.
  void try_again();

  const TlsServer& server() const { return server_; }
  const TlsCounters& counters() const { return counters_; }
  size_t connections() const { return connections_.size(); }
  size_t unsent() const;  // octets that wait for servers to read
  const std::string& last_error() const { return last_error_; }  // empty: the last attempt worked

 private:
  using Clock = TlsConnection::Clock;
  struct Query {
    std::vector<uint8_t> message;  // padded
    uint16_t id = 0;               // the caller's
    bool is_second = false;        // its first connection has ended
    Clock::time_point deadline;
    Clock::time_point sent;
    Duration timeout;
    Done done;
  };
  struct Link {
    std::shared_ptr<TlsConnection> connection;
    std::unordered_map<uint16_t, uint64_t> in_flight;  // ID on the wire -> query
    uint16_t next_id = 0;
    bool was_open = false;
    Clock::time_point busy_until;  // when the last query ended
  };

  TlsUpstream(boost::asio::io_context& io, const TlsServer& server, const TlsLimits& limits,
              std::unique_ptr<TlsContext> context);
  void opened(TlsConnection& connection) override;
  void received(TlsConnection& connection, std::span<const uint8_t> message) override;
  void closed(TlsConnection& connection, const Error& why) override;

  void dispatch();
  void send(Link& link, uint64_t number);
  void connect();
  void note_failure(const Error& why);
  void fail_waiting(const Error& why);
  void finish(uint64_t number, Result<std::vector<uint8_t>> outcome);
  void fail_later(Done done, Error error);
  Link& link_of(const TlsConnection& connection);
  void drop_link(const TlsConnection& connection);
  void take_back(Link& link, const Error& why);
  void arm();
  void tick();
  void expire_queries(Clock::time_point now);
  bool forget_late(Link& link, Clock::time_point now);
  void expire_links(Clock::time_point now);
  bool is_connecting() const;

  struct Timer;
  boost::asio::io_context& io_;
  TlsServer server_;
  TlsLimits limits_;
  std::unique_ptr<TlsContext> context_;
  std::vector<std::unique_ptr<Link>> connections_;
  std::map<uint64_t, Query> queries_;  // by number, so the oldest first
  std::deque<uint64_t> waiting_;       // numbers; of queries that are gone, too
  uint64_t next_number_ = 0;
  unsigned failures_ = 0;  // in a row
  Clock::time_point retry_at_;
  bool was_stalled_ = false;  // at the last look
  std::string last_error_;
  TlsCounters counters_;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is posted
};

}  // namespace postern::dns
