// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_upstream.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/tls_bed.h"

namespace postern::dns {
namespace {

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
  TlsBed bed(server_of(server, identity));
  // The same ID from different clients is no difficulty either.
  for (uint16_t id = 1; id <= 20; ++id)
    bed.ask(id);
  REQUIRE(bed.wait_for(20));
  for (uint16_t id = 1; id <= 20; ++id)
    CHECK(bed.is_answered(id));
  CHECK(server.connections() == 1);
  REQUIRE(bed.wait_until([&] { return bed.upstream->counters().unmatched == 40; }));
}

TEST_CASE("dns/tls: what a server does not read is no more than it has room for", "[P25]") {
  const Identity identity({});
  std::atomic<bool> go = false;
  const TlsServerBed server(identity, [&](TlsPeer& peer) {
    peer.send(peer.receive());
    while (!go)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    TlsServerBed::echo(peer);
  });
  TlsBed bed(server_of(server, identity), {.connections_max = 1});
  bed.ask(1);
  REQUIRE(bed.wait_for(1));
  Message large = query(0);
  large.resize(60'000);
  size_t answers = 0;
  for (int i = 0; i < 8; ++i) {
    bed.upstream->ask(large, seconds(3), [&](const Result<Message>& answer) {
      if (answer) ++answers;
    });
    REQUIRE(bed.upstream->unsent() < TlsConnection::kOutgoingMax + 62'000);
  }
  CHECK(bed.upstream->counters().stalled > 0);
  go = true;
  CHECK(bed.wait_until([&] { return answers == 8; }));
}

TEST_CASE("dns/tls: a busy connection gets a second one beside it, not a third", "[P25]") {
  const Identity identity({});
  std::atomic<bool> go = false;
  const TlsServerBed server(identity, [&](TlsPeer& peer) {
    while (!go)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    TlsServerBed::echo(peer);
  });
  TlsBed bed(server_of(server, identity), {.connections_max = 2, .queries_max = 200});
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
  TlsBed bed(server_of(server, identity));
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
  TlsBed bed(server_of(server, identity));
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
  TlsBed bed(server_of(server, identity), {.idle_timeout = milliseconds(50)});
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
  TlsBed bed(server_of(server, identity));
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
  TlsBed bed(server_of(server, identity));
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
  TlsBed bed(server_of(server, identity));
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
  TlsBed bed(wanted);
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
  TlsBed bed(wanted, {.connect_timeout = milliseconds(150)});
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
  TlsBed bed(server_of(server, identity));
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
