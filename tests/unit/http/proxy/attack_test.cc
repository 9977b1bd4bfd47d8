// SPDX-License-Identifier: BSD-3-Clause
// What clients and servers try so that others get what is not theirs.
#include <catch2/catch.hpp>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

// Each answer is the number of its request.
Origin::Handle counting(const std::string& fields) {
  return [fields](Wire& wire, const std::string&, int number) {
    return wire.send(response(fields, std::to_string(number)));
  };
}

}  // namespace

TEST_CASE("http/proxy/attack: a connection that is somebody's by NTLM serves nobody else",
          "[F56]") {
  for (const char* scheme : {"NTLM", "negotiate", "Kerberos"}) {
    INFO(scheme);
    Origin origin(always(response("", "x")));
    Bed bed;
    bed.get(origin.url("/"), "Authorization: Basic eDp5\r\n");
    bed.get(origin.url("/"));
    CHECK(origin.connections() == 1);
    bed.get(origin.url("/"), std::string("Authorization: ") + scheme + " TlRMTVNTUAAB\r\n");
    bed.get(origin.url("/"));
    CHECK(origin.connections() == 2);
  }
}

TEST_CASE("http/proxy/attack: what a server may answer by and no key has is not kept", "[F56]") {
  for (const char* fields :
       {"X-Forwarded-Host: evil.example\r\n", "x-host: evil.example\r\n",
        "Forwarded: for=1.2.3.4;HOST=evil.example\r\n", "X-Original-URL: /admin\r\n",
        "X-Rewrite-URL: /admin\r\n", "X-HTTP-Method-Override: POST\r\n",
        "X-Forwarded-Scheme: nothttps\r\n", "Content-Length: 1\r\n\r\nb",
        "Connection: accept-language\r\nAccept-Language: de\r\n"}) {
    INFO(fields);
    Origin origin(counting(std::string(kFresh) + "Vary: Accept-Language\r\n"));
    Bed bed(with_store());
    Wire wire = bed.client();
    const bool has_body = has(fields, "\r\n\r\n");
    wire.send("GET " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n" + fields +
              (has_body ? "" : "\r\n"));
    CHECK(body_of(wire.read_response()) == "0");
    const char* language = "Accept-Language: de\r\n";
    CHECK(body_of(bed.get(origin.url("/"), language)) == "1");
    CHECK(body_of(bed.get(origin.url("/"), language)) == "1");
  }
}

TEST_CASE("http/proxy/attack: such a request does not change what is kept, either", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (!has(head, "If-None-Match"))
      return wire.send(response("Cache-Control: max-age=0\r\nETag: \"a\"\r\n", "x"));
    const std::string link = has(head, "evil") ? "Link: <http://evil.example/>\r\n" : "";
    return wire.send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n" + link + "\r\n");
  });
  Bed bed(with_store());
  bed.get(origin.url("/"));
  bed.get(origin.url("/"), "X-Forwarded-Host: evil.example\r\n");
  const std::string answer = bed.get(origin.url("/"));
  CHECK(body_of(answer) == "x");
  CHECK_FALSE(has(answer, "evil"));
}

TEST_CASE("http/proxy/attack: ordinary requests of other proxies are kept", "[F56]") {
  for (const char* fields :
       {"X-Forwarded-For: 10.0.0.1\r\n", "Forwarded: for=10.0.0.1\r\n", "Connection: close\r\n",
        "Connection: keep-alive\r\n", "Connection: TE\r\nTE: trailers\r\n"}) {
    INFO(fields);
    Origin origin(counting(kFresh));
    Bed bed(with_store());
    CHECK(body_of(bed.get(origin.url("/"), fields)) == "0");
    CHECK(body_of(bed.get(origin.url("/"))) == "0");
  }
}

TEST_CASE("http/proxy/attack: a 204 announces no octets to the client", "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int number) {
    if (number == 0) return wire.send("HTTP/1.1 204 No\r\nContent-Length: 30\r\n\r\n");
    return wire.send(response("", "x"));
  });
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  const std::string head = wire.read_head();
  CHECK(status_of(head) == 204);
  CHECK_FALSE(has(head, "Content-Length"));
  wire.send(request(origin.url("/")));
  CHECK(body_of(wire.read_response()) == "x");
}

TEST_CASE("http/proxy/attack: a trailer says nothing that belongs into the head", "[F56]") {
  Origin origin(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
             "Set-Cookie: a=b\r\nContent-Type: text/html\r\nAuthorization: x\r\n"
             "Location: http://evil.example/\r\nCache-Control: public\r\nX-Sum: 1\r\n\r\n"));
  Bed bed;
  const std::string answer = bed.get(origin.url("/"), "TE: trailers\r\nConnection: TE\r\n");
  CHECK(has(answer, "<trailer X-Sum: 1>"));
  for (const char* name :
       {"Set-Cookie", "Content-Type", "Authorization", "Location", "Cache-Control"}) {
    INFO(name);
    CHECK_FALSE(has(answer, name));
  }
}
