// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_context.h"

#include "support/tls_bed.h"

namespace postern::dns {
namespace {

TEST_CASE("dns/tls: a query is answered by a server that proves its name", "[P25][RFC7858-3.3]") {
  const Identity identity({});
  const TlsServerBed server(identity);
  TlsBed bed(server_of(server, identity));
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
  TlsBed bed(wanted);
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
  TlsBed good(wanted);
  good.ask(1);
  REQUIRE(good.wait_for(1));
  CHECK(good.is_answered(1));

  wanted.pins = {other.pin()};
  TlsBed bad(wanted);
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
  TlsBed good(wanted);
  good.ask(1);
  REQUIRE(good.wait_for(1));
  CHECK(good.is_answered(1));
  wanted.pins = {other.pin()};
  TlsBed wrong_pin(wanted);
  wrong_pin.ask(1);
  REQUIRE(wrong_pin.wait_for(1));
  CHECK_THAT(wrong_pin.error(1), Catch::Contains("none of the pinned ones"));
  wanted.pins = {identity.pin()};
  wanted.name = "other.example";
  TlsBed wrong_name(wanted);
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

}  // namespace
}  // namespace postern::dns
