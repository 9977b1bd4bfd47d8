// SPDX-License-Identifier: BSD-3-Clause
// A TlsUpstream on a loop of its own, and what became of the queries it was asked.
#pragma once

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <map>

#include "services/dns/tls/tls_upstream.h"
#include "support/tls_server.h"

namespace postern::dns {

using test::Identity;
using test::Message;
using test::TlsPeer;
using test::TlsServerBed;

// A query for "a.example" with EDNS.
inline Message query(uint16_t id) {
  return {static_cast<uint8_t>(id >> 8),
          static_cast<uint8_t>(id),
          1,
          0,
          0,
          1,
          0,
          0,
          0,
          0,
          0,
          1,
          1,
          'a',
          7,
          'e',
          'x',
          'a',
          'm',
          'p',
          'l',
          'e',
          0,
          0,
          1,
          0,
          1,
          0,
          0,
          41,
          4,
          208,
          0,
          0,
          0,
          0,
          0,
          0};
}

struct TlsBed {
  explicit TlsBed(const TlsServer& server, const TlsLimits& limits = {}) {
    auto made = TlsUpstream::make(io, server, limits);
    REQUIRE(made);
    upstream = std::move(made).value();
  }

  void ask(uint16_t id, Duration timeout = seconds(2)) {
    upstream->ask(query(id), timeout, [this, id](Result<Message> answer) {
      REQUIRE_FALSE(outcomes.contains(id));
      outcomes.emplace(id, std::move(answer));
    });
  }

  // Until so many outcomes are there; at most three seconds.
  bool wait_for(size_t count) {
    return wait_until([&] { return outcomes.size() >= count; });
  }
  template <typename Done>
  bool wait_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (!done() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(std::chrono::milliseconds(5));
    }
    return done();
  }
  bool is_answered(uint16_t id) {
    const auto found = outcomes.find(id);
    if (found == outcomes.end() || !found->second) return false;
    const Message& answer = *found->second;
    return answer[0] == id >> 8 && answer[1] == (id & 0xFF) && (answer[2] & 0x80) != 0;
  }
  std::string error(uint16_t id) {
    const auto found = outcomes.find(id);
    return found == outcomes.end() || found->second ? "" : found->second.error().text;
  }

  boost::asio::io_context io;
  std::unique_ptr<TlsUpstream> upstream;
  std::map<uint16_t, Result<Message>> outcomes;
};

inline TlsServer server_of(const TlsServerBed& bed, const Identity& identity) {
  return {.address = Ipv4Address(127, 0, 0, 1),
          .port = bed.port(),
          .name = "dns.example",
          .ca_file = identity.ca_file()};
}

}  // namespace postern::dns
