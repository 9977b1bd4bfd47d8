// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/net/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/mail/net/stream_bed.h"

namespace postern::mail {

using test::StreamBed;

namespace {

TlsUse use(const std::string& name, const std::vector<std::string>& pins,
           const std::string& ca_file) {
  TlsUse made;
  made.mode = TlsMode::required;
  made.name = name;
  made.pins = pins;
  made.ca_file = ca_file;
  return made;
}

}  // namespace

TEST_CASE("mail/net/stream: octets go both ways, and calls come from the loop alone", "[mail]") {
  StreamBed bed;
  bed.server.stream->send("220 a\r\n");
  bed.server.stream->send("more\r\n");
  CHECK(bed.server.drained == 0);
  CHECK(bed.server.stream->unsent() == 13);
  CHECK(bed.wait([&] { return bed.client.got == "220 a\r\nmore\r\n"; }));
  CHECK(bed.server.drained == 1);
  bed.client.stream->send("QUIT\r\n");
  CHECK(bed.wait([&] { return bed.server.got == "QUIT\r\n"; }));
  CHECK(bed.server.stream->tls_text().empty());
}

TEST_CASE("mail/net/stream: who wants no input gets none, and what waits comes later", "[mail]") {
  StreamBed bed;
  bed.server.stream->want_input(false);
  bed.client.stream->send(std::string(1'000'000, 'a'));
  bed.run_a_while();
  CHECK(bed.server.got.empty());
  CHECK(bed.client.stream->unsent() > 0);  // the kernel does not take all of it
  bed.server.stream->want_input(true);
  CHECK(bed.wait([&] { return bed.server.got.size() == 1'000'000; }));
  CHECK(bed.wait([&] { return bed.client.drained == 1; }));
}

TEST_CASE("mail/net/stream: the end of input leaves the way back open", "[mail]") {
  StreamBed bed;
  bed.client.stream->send("QUIT\r\n");
  bed.run_a_while();
  shutdown(bed.client_fd, SHUT_WR);
  CHECK(bed.wait([&] { return bed.server.ends == 1; }));
  CHECK(bed.server.got == "QUIT\r\n");
  bed.server.stream->send("221 bye\r\n");
  CHECK(bed.wait([&] { return bed.client.got == "221 bye\r\n"; }));
  bed.server.stream->close_when_sent(seconds(5));
  CHECK(bed.wait([&] { return bed.server.stream->is_closed(); }));
  CHECK(bed.server.error.empty());
}

TEST_CASE("mail/net/stream: a connection that is gone is told once, behind what it brought",
          "[mail]") {
  StreamBed bed;
  bed.client.stream->send("552 too big\r\n");
  bed.run_a_while();
  bed.server.stream->want_input(false);
  bed.client.stream->close();
  bed.server.stream->want_input(true);
  bed.server.stream->send(std::string(100'000, 'a'));
  CHECK(bed.wait([&] { return bed.server.stream->is_closed(); }));
  CHECK(bed.server.got == "552 too big\r\n");
  CHECK(bed.server.failures == 1);
  CHECK_FALSE(bed.server.error.empty());
}

TEST_CASE("mail/net/stream: close_when_sent gives the far side all of it", "[mail]") {
  StreamBed bed;
  bed.client.stream->want_input(false);
  bed.server.stream->send(std::string(1'000'000, 'a'));
  bed.server.stream->close_when_sent(seconds(5));
  bed.run_a_while();
  bed.client.stream->want_input(true);
  // Octets that nobody will read must not cost the client what was sent to it.
  bed.client.stream->send("MAIL FROM:<joe@a.example>\r\n");
  CHECK(bed.wait([&] { return bed.client.ends == 1; }));
  CHECK(bed.client.got.size() == 1'000'000);
  CHECK(bed.server.got.empty());
  bed.client.stream->close();
  CHECK(bed.wait([&] { return bed.server.stream->is_closed(); }));
  CHECK(bed.server.ends + bed.server.failures == 0);
}

TEST_CASE("mail/net/stream: the patience of close_when_sent has an end", "[mail]") {
  StreamBed bed;
  bed.client.stream->want_input(false);
  bed.server.stream->send(std::string(1'000'000, 'a'));
  bed.server.stream->close_when_sent(milliseconds(20));
  CHECK(bed.wait([&] { return bed.server.stream->is_closed(); }));
}

TEST_CASE("mail/net/stream: a stream that is closed in a call makes no further one", "[mail]") {
  StreamBed bed;
  bed.server.on_received = [&](std::string_view) { bed.server.stream->close(); };
  bed.client.stream->send("a");
  CHECK(bed.wait([&] { return !bed.server.got.empty(); }));
  bed.client.stream->send("b");
  bed.run_a_while();
  CHECK(bed.server.got == "a");
  CHECK(bed.server.ends + bed.server.failures == 0);
}

TEST_CASE("mail/net/stream: TLS from the first octet, with pieces larger than a record", "[mail]") {
  StreamBed bed;
  bed.server.stream->secure_as_server(test::server_tls());
  bed.client.stream->secure_as_client(test::client_tls(TlsUse()), "a");
  bed.client.stream->send(std::string(300'000, 'c'));  // waits for the handshake
  CHECK(bed.wait([&] { return bed.server.got.size() == 300'000; }));
  CHECK(bed.server.secured == "yes");
  CHECK(bed.client.secured == "yes");
  CHECK(bed.server.stream->tls_text().starts_with("TLS1.3 TLS_"));
  CHECK(bed.client.stream->tls_text() == bed.server.stream->tls_text());
  bed.server.stream->send(std::string(300'000, 's'));
  bed.client.stream->want_input(false);
  bed.run_a_while();
  const size_t before = bed.client.got.size();
  bed.run_a_while();
  CHECK(bed.client.got.size() == before);
  bed.client.stream->want_input(true);
  CHECK(bed.wait([&] { return bed.client.got.size() == 300'000; }));
  bed.server.stream->close_when_sent(seconds(5));
  CHECK(bed.wait([&] { return bed.client.ends == 1; }));
}

TEST_CASE("mail/net/stream: octets in clear behind STARTTLS are thrown away", "[RFC3207-4.2]") {
  StreamBed bed;
  bed.server.on_received = [&](std::string_view octets) {
    if (octets != "STARTTLS\r\n") return;
    // Somebody on the way adds a command before the client begins with TLS.
    REQUIRE(::send(bed.client_fd, "RSET\r\n", 6, 0) == 6);
    bed.server.stream->send("220 go\r\n");
    bed.server.stream->secure_as_server(test::server_tls());
  };
  bed.client.on_received = [&](std::string_view) {
    bed.client.stream->secure_as_client(test::client_tls(TlsUse()), "mx.a.example");
  };
  bed.client.stream->send("STARTTLS\r\n");
  CHECK(bed.wait([&] { return bed.client.secured == "yes" && bed.server.secured == "yes"; }));
  bed.client.stream->send("EHLO a\r\n");
  CHECK(bed.wait([&] { return bed.server.got.size() >= 18; }));
  CHECK(bed.server.got == "STARTTLS\r\nEHLO a\r\n");
}

TEST_CASE("mail/net/stream: so are those behind the server's reply to it", "[RFC3207-4.2]") {
  StreamBed bed;
  bed.client.on_received = [&](std::string_view octets) {
    if (octets != "220 go\r\n") return;
    REQUIRE(::send(bed.server_fd, "250 SIZE\r\n", 10, 0) == 10);
    bed.client.stream->secure_as_client(test::client_tls(TlsUse()), "mx.a.example");
  };
  bed.server.stream->send("220 go\r\n");
  bed.server.stream->secure_as_server(test::server_tls());
  CHECK(bed.wait([&] { return bed.client.secured == "yes"; }));
  CHECK(bed.client.got == "220 go\r\n");
}

TEST_CASE("mail/net/stream: clear text where TLS should begin ends the handshake", "[mail]") {
  StreamBed bed;
  bed.server.stream->secure_as_server(test::server_tls());
  bed.client.stream->send("EHLO a\r\n");
  CHECK(bed.wait([&] { return !bed.server.secured.empty(); }));
  CHECK(bed.server.secured != "yes");
  CHECK(bed.server.stream->is_closed());
  CHECK(bed.server.failures == 0);
}

TEST_CASE("mail/net/stream: a client refuses a certificate that is not the server's",
          "[RFC8314-5]") {
  const auto shakes = [](const TlsUse& use) {
    StreamBed bed;
    bed.server.stream->secure_as_server(test::server_tls());
    bed.client.stream->secure_as_client(test::client_tls(use), "mx.a.example");
    CHECK(bed.wait([&] { return !bed.client.secured.empty(); }));
    return bed.client.secured;
  };
  const std::string file = test::identity().file;
  const std::string pin = test::identity().pin;
  const std::string other = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  CHECK(shakes(TlsUse()) == "yes");
  CHECK(shakes(use({}, {}, file)) == "yes");
  CHECK(shakes(use({}, {}, {})) == "TLS: the certificate is refused: self-signed certificate");
  CHECK(shakes(use("b.example", {}, file)) == "TLS: the certificate is refused: hostname mismatch");
  CHECK(shakes(use({}, {other, pin}, {})) == "yes");
  CHECK(shakes(use({}, {other}, {})) ==
        "TLS: the certificate is refused: its key is none of the pinned ones, it is sha256/" + pin);
  CHECK(shakes(use({}, {pin}, file)) == "yes");
  CHECK(shakes(use("b.example", {pin}, file)) ==
        "TLS: the certificate is refused: hostname mismatch");
}

TEST_CASE("mail/net/tls: what cannot be used is told", "[mail]") {
  const test::TestIdentity& own = test::identity();
  CHECK(ServerTls::make(own.certificate, own.key));
  CHECK_FALSE(ServerTls::make("", own.key));
  CHECK_FALSE(ServerTls::make(own.certificate, ""));
  CHECK_FALSE(ServerTls::make(own.certificate, own.certificate));
  CHECK_FALSE(ServerTls::make(own.certificate + "-----BEGIN CERTIFICATE-----\nAA", own.key));
  const auto other = portal::make_certificate("b.example", {});
  REQUIRE(other);
  const auto mixed = ServerTls::make(own.certificate, other->key);
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().text == "the key: key values mismatch");
  CHECK_FALSE(ClientTls::make(use({}, {"abc"}, {}), "a.example"));
  CHECK_FALSE(ClientTls::make(use({}, {}, "/nowhere"), "a.example"));
}

}  // namespace postern::mail
