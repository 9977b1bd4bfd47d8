// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_upstream.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <map>

#include "support/tls_server.h"

namespace postern::dns {
namespace {

using test::Identity;
using test::Message;
using test::TlsPeer;
using test::TlsServerBed;

// A query for "a.example" with EDNS.
Message query(uint16_t id) {
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

struct Bed {
  explicit Bed(const TlsServer& server, const TlsLimits& limits = {}) {
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

TlsServer server_of(const TlsServerBed& bed, const Identity& identity) {
  return {.address = Ipv4Address(127, 0, 0, 1),
          .port = bed.port(),
          .name = "dns.example",
          .ca_file = identity.ca_file()};
}

TEST_CASE("dns/tls: a query is answered by a server that proves its name", "[P25][RFC7858-3.3]") {
  const Identity identity({});
  const TlsServerBed server(identity);
  Bed bed(server_of(server, identity));
  bed.ask(0x1234);
  CHECK(bed.outcomes.empty());  // never from within ask()
  REQUIRE(bed.wait_for(1));
  CHECK(bed.is_answered(0x1234));
  CHECK(bed.outcomes.at(0x1234)->size() == 128);  // it was padded
}

TEST_CASE("dns/tls: a server that is somebody else is told nothing", "[P25][RFC8310-5]") {
  struct Case {
    Identity::Options options;
    bool knows_authority;
    const char* why;
  };
  const auto& [options, knows_authority, why] = GENERATE(
      values<Case>({{{.name = "other.example"}, true, "hostname mismatch"},
                    {{.name = "sub.dns.example"}, true, "hostname mismatch"},
                    {{.name = "dns.example", .is_expired = true}, true, "certificate has expired"},
                    {{.name = "dns.example"}, false, "self-signed certificate"}}));
  const Identity identity(options);
  std::atomic<int> queries = 0;
  const TlsServerBed server(identity, [&](TlsPeer& peer) {
    if (!peer.receive().empty()) ++queries;
  });
  TlsServer wanted = server_of(server, identity);
  if (!knows_authority) wanted.ca_file.clear();
  Bed bed(wanted);
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  CHECK(bed.error(1) == "127.0.0.1:" + std::to_string(server.port()) +
                            " (dns.example): the certificate is refused: " + why);
  CHECK(bed.outcomes.at(1).error().code == ErrorCode::denied);
  CHECK(queries == 0);
}

TEST_CASE("dns/tls: pins alone let a server in by its key", "[P25][RFC7858-4.2]") {
  const Identity identity({.name = "whatever.example", .is_expired = true});
  const Identity other({});
  const TlsServerBed server(identity);
  TlsServer wanted{.address = Ipv4Address(127, 0, 0, 1), .port = server.port()};
  wanted.pins = {other.pin(), identity.pin()};
  Bed good(wanted);
  good.ask(1);
  REQUIRE(good.wait_for(1));
  CHECK(good.is_answered(1));

  wanted.pins = {other.pin()};
  Bed bad(wanted);
  bad.ask(1);
  REQUIRE(bad.wait_for(1));
  CHECK_THAT(bad.error(1),
             Catch::EndsWith("none of the pinned ones, it is sha256/" + to_text(identity.pin())));
}

TEST_CASE("dns/tls: with a name and pins both must hold", "[P25][RFC7858-4.2]") {
  const Identity identity({});
  const Identity other({});
  const TlsServerBed server(identity);
  TlsServer wanted = server_of(server, identity);
  wanted.pins = {identity.pin()};
  Bed good(wanted);
  good.ask(1);
  REQUIRE(good.wait_for(1));
  CHECK(good.is_answered(1));
  wanted.pins = {other.pin()};
  Bed wrong_pin(wanted);
  wrong_pin.ask(1);
  REQUIRE(wrong_pin.wait_for(1));
  CHECK_THAT(wrong_pin.error(1), Catch::Contains("none of the pinned ones"));
  wanted.pins = {identity.pin()};
  wanted.name = "other.example";
  Bed wrong_name(wanted);
  wrong_name.ask(1);
  REQUIRE(wrong_name.wait_for(1));
  CHECK_THAT(wrong_name.error(1), Catch::Contains("hostname mismatch"));
}

TEST_CASE("dns/tls: settings that prove nothing are refused", "[P25][RFC8310-5]") {
  boost::asio::io_context io;
  const TlsServer bare{.address = Ipv4Address(127, 0, 0, 1)};
  TlsServer no_file = bare;
  no_file.name = "dns.example";
  no_file.ca_file = "/nonexistent.pem";
  CHECK(TlsUpstream::make(io, bare).error().text ==
        "127.0.0.1:853: neither a name nor a pin to know the server by");
  CHECK_THAT(TlsUpstream::make(io, no_file).error().text, Catch::Contains("/nonexistent.pem: "));
}

TEST_CASE("dns/tls: pins are read strictly", "[P25][RFC7858-4.2]") {
  const std::string good = "Y9mvm0exBk1JoQ57f9Vm28jKo5lFm/woKcVxrYxu80o=";
  for (const std::string& text : {good, "sha256/" + good, "pin-sha256=" + good}) {
    const auto pin = parse_spki_pin(text);
    REQUIRE(pin);
    CHECK(to_text(*pin) == good);
  }
  for (const std::string& text :
       {std::string(), good.substr(1), good + "=", good.substr(0, 43), "sha1/" + good,
        std::string(44, 'A'), " " + good.substr(1),
        good.substr(0, 42) + "==", good.substr(0, 20) + "-" + good.substr(21)}) {
    CAPTURE(text);
    CHECK_FALSE(parse_spki_pin(text));
  }
}

TEST_CASE("dns/tls: answers come in any order over one connection", "[P25][RFC7766-7]") {
  const Identity identity({});
  const TlsServerBed server(identity, [](TlsPeer& peer) {
    std::vector<Message> queries;
    for (int i = 0; i < 20; ++i)
      queries.push_back(peer.receive());
    for (auto query = queries.rbegin(); query != queries.rend(); ++query) {
      if (query->empty()) return;
      (*query)[2] |= 0x80;
      Message stranger = *query;
      stranger[0] ^= 0x80;
      peer.send(stranger);  // nobody asked this
      peer.send(*query);
      peer.send(*query);  // nor this, any more
    }
    TlsServerBed::echo(peer);
  });
  Bed bed(server_of(server, identity));
  // The same ID from different clients is no difficulty either.
  for (uint16_t id = 1; id <= 20; ++id)
    bed.ask(id);
  REQUIRE(bed.wait_for(20));
  for (uint16_t id = 1; id <= 20; ++id)
    CHECK(bed.is_answered(id));
  CHECK(server.connections() == 1);
  REQUIRE(bed.wait_until([&] { return bed.upstream->counters().unmatched == 40; }));
}

TEST_CASE("dns/tls: a busy connection gets a second one beside it, not a third", "[P25]") {
  const Identity identity({});
  std::atomic<bool> go = false;
  const TlsServerBed server(identity, [&](TlsPeer& peer) {
    while (!go)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    TlsServerBed::echo(peer);
  });
  Bed bed(server_of(server, identity), {.connections_max = 2, .queries_max = 200});
  for (uint16_t id = 0; id < 210; ++id)
    bed.ask(id);
  bed.wait_until([&] { return bed.upstream->counters().connections == 2; });
  go = true;
  REQUIRE(bed.wait_for(210));
  CHECK(bed.upstream->counters().answers == 200);
  CHECK(bed.upstream->counters().refused == 10);
  CHECK_THAT(bed.error(209), Catch::Contains("too many queries under way"));
  CHECK(server.connections() == 2);
}

TEST_CASE("dns/tls: a slow answer is an error in time and harms no other", "[P25][C11]") {
  const Identity identity({});
  const TlsServerBed server(identity, [](TlsPeer& peer) {
    const Message held = peer.receive();
    for (Message query = peer.receive(); !query.empty(); query = peer.receive()) {
      query[2] |= 0x80;
      peer.send(query);
    }
  });
  Bed bed(server_of(server, identity));
  const auto begin = std::chrono::steady_clock::now();
  bed.ask(1, milliseconds(300));
  bed.ask(2);
  REQUIRE(bed.wait_for(2));
  CHECK(bed.is_answered(2));
  CHECK_THAT(bed.error(1), Catch::EndsWith("no answer within 0.3 s"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(700));
  bed.ask(3);
  REQUIRE(bed.wait_for(3));
  CHECK(bed.is_answered(3));
  CHECK(server.connections() == 1);  // it is alive
}

TEST_CASE("dns/tls: a connection that has gone silent is replaced", "[P25][C11]") {
  const Identity identity({});
  const TlsServerBed server(identity, [](TlsPeer& peer) {
    if (peer.connection > 1) return TlsServerBed::echo(peer);
    for (Message query = peer.receive(); !query.empty(); query = peer.receive()) {
      query[2] |= 0x80;
      if (query[1] == 0) peer.send(query);  // the first alone
    }
  });
  Bed bed(server_of(server, identity));
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  CHECK(bed.is_answered(1));
  bed.ask(2, milliseconds(200));
  bed.ask(3, seconds(2));  // in flight on the dead one; asked again on the next
  REQUIRE(bed.wait_for(3));
  CHECK_FALSE(bed.error(2).empty());
  CHECK(bed.is_answered(3));
  CHECK(server.connections() == 2);
}

TEST_CASE("dns/tls: an idle connection is closed and its session resumed", "[P25][RFC7858-3.4]") {
  const Identity identity({});
  const TlsServerBed server(identity);
  Bed bed(server_of(server, identity), {.idle_timeout = milliseconds(50)});
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  CHECK(bed.upstream->connections() == 1);
  REQUIRE(bed.wait_until([&] { return bed.upstream->connections() == 0; }));
  bed.ask(2);
  REQUIRE(bed.wait_for(2));
  CHECK(bed.is_answered(2));
  CHECK(bed.upstream->counters().connections == 2);
  CHECK(bed.upstream->counters().resumed == 1);
}

TEST_CASE("dns/tls: a query whose connection ends is asked once more", "[P25][RFC7766-6.2.1]") {
  const Identity identity({});
  const TlsServerBed server(identity, [](TlsPeer& peer) {
    if (peer.connection > 1) return TlsServerBed::echo(peer);
    Message query = peer.receive();
    query[2] |= 0x80;
    peer.send(query);
    peer.receive();  // and cut
  });
  Bed bed(server_of(server, identity));
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  bed.ask(2);
  REQUIRE(bed.wait_for(2));
  CHECK(bed.is_answered(2));
  CHECK(bed.upstream->counters().retried == 1);
  CHECK(server.connections() == 2);
}

TEST_CASE("dns/tls: answers that are cut off or lie about their length end in an error", "[P25]") {
  const Identity identity({});
  const int kind = GENERATE(0, 1, 2, 3);
  const TlsServerBed server(identity, [&](TlsPeer& peer) {
    Message query = peer.receive();
    if (query.empty()) return;
    if (kind == 0) peer.send_raw({0, 128, query[0], query[1], 0x81, 0x80});  // cut in the middle
    if (kind == 1) peer.send_raw({0, 0});                                    // of nothing
    if (kind == 2) peer.send_raw({0, 11, query[0], query[1], 0, 0, 0, 0, 0, 0, 0, 0, 0});
    if (kind == 3) peer.send_raw({0});
  });
  Bed bed(server_of(server, identity));
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  const char* why[] = {"has closed the connection", "a message of 0 octets",
                       "a message of 11 octets", "has closed the connection"};
  CHECK_THAT(bed.error(1), Catch::Contains(why[kind]));
  CHECK(server.connections() == 1);  // a server that answers nothing is not asked twice
}

TEST_CASE("dns/tls: a server that promises more than it sends costs the time-out", "[P25][C11]") {
  const Identity identity({});
  const TlsServerBed server(identity, [](TlsPeer& peer) {
    Message query = peer.receive();
    query[2] |= 0x80;
    Message longer = {0xFF, 0xFF};
    longer.insert(longer.end(), query.begin(), query.end());
    peer.send_raw(longer);
    peer.receive();
  });
  Bed bed(server_of(server, identity));
  bed.ask(1, milliseconds(200));
  REQUIRE(bed.wait_for(1));
  CHECK_THAT(bed.error(1), Catch::EndsWith("no answer within 0.2 s"));
}

TEST_CASE("dns/tls: a dead server fails at once until it is tried again", "[P25][C11]") {
  const Identity identity({});
  TlsServer wanted;
  {
    const TlsServerBed gone(identity);
    wanted = server_of(gone, identity);
  }
  Bed bed(wanted);
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  CHECK_THAT(bed.error(1), Catch::EndsWith("Connection refused"));
  const auto begin = std::chrono::steady_clock::now();
  bed.ask(2);
  REQUIRE(bed.wait_for(2));
  CHECK_THAT(bed.error(2), Catch::Contains("Connection refused; tried again in 0."));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100));
  CHECK(bed.upstream->counters().broken == 1);
  bed.upstream->try_again();
  bed.ask(3);
  REQUIRE(bed.wait_for(3));
  CHECK_THAT(bed.error(3), Catch::EndsWith("Connection refused"));
  CHECK(bed.upstream->counters().broken == 2);
}

TEST_CASE("dns/tls: a server that never shakes hands is given up in time", "[P25][C11]") {
  const Identity identity({});
  // A listener that never accepts: the kernel connects, nobody speaks.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  socklen_t length = sizeof at;
  REQUIRE(bind(listener, address, sizeof at) == 0);
  REQUIRE(listen(listener, 4) == 0);
  REQUIRE(getsockname(listener, address, &length) == 0);
  TlsServer wanted{.address = Ipv4Address(127, 0, 0, 1),
                   .port = ntohs(at.sin_port),
                   .name = "dns.example",
                   .ca_file = identity.ca_file()};
  Bed bed(wanted, {.connect_timeout = milliseconds(150)});
  bed.ask(1, seconds(2));
  bed.ask(2, milliseconds(50));
  REQUIRE(bed.wait_for(2));
  CHECK_THAT(bed.error(1), Catch::EndsWith("no connection within 0.2 s"));
  CHECK_THAT(bed.error(2), Catch::EndsWith("no answer within 0.1 s"));
  CHECK(bed.upstream->connections() == 0);
  close(listener);
}

TEST_CASE("dns/tls: it may go with queries under way", "[P25]") {
  const Identity identity({});
  const TlsServerBed server(identity, [](TlsPeer& peer) {
    while (!peer.receive().empty())
      continue;
  });
  Bed bed(server_of(server, identity));
  bed.ask(1);
  bed.wait_until([&] { return bed.upstream->counters().connections == 1; });
  bed.ask(2);
  bed.upstream.reset();
  bed.io.restart();
  bed.io.run_for(std::chrono::milliseconds(20));
  CHECK(bed.outcomes.empty());
}

}  // namespace
}  // namespace postern::dns
