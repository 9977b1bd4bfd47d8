// SPDX-License-Identifier: BSD-3-Clause
// What clients and servers try so that others get what is not theirs.
#include <atomic>
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

TEST_CASE("http/proxy/attack: a cookie that is set for one client reaches no other", "[F56]") {
  for (const char* fields : {"", "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n",
                             "ETag: \"a\"\r\n", "Cache-Control: max-age=0\r\nETag: \"a\"\r\n"}) {
    INFO(fields);
    Origin origin([fields](Wire& wire, const std::string& head, int number) {
      if (has(head, "If-None-Match")) return wire.send("HTTP/1.1 304 Same\r\n\r\n");
      const std::string cookie = "Set-Cookie: sid=" + std::to_string(number) + "\r\n";
      return wire.send(response(cookie + fields, "x"));
    });
    Bed::Plan plan = with_store();
    plan.settings.keep.default_lifetime_s = 3600;
    Bed bed(std::move(plan));
    CHECK(has(bed.get(origin.url("/")), "Set-Cookie: sid=0\r\n"));
    const std::string second = bed.get(origin.url("/"));
    CHECK(body_of(second) == "x");
    CHECK_FALSE(has(second, "sid=0"));
  }
}

TEST_CASE("http/proxy/attack: a cookie of a 304 is for who asked", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (has(head, "If-None-Match")) {
      return wire.send("HTTP/1.1 304 Same\r\nETag: \"a\"\r\nSet-Cookie: sid=1\r\n\r\n");
    }
    return wire.send(response("ETag: \"a\"\r\n", "x"));
  });
  Bed::Plan plan = with_store();
  plan.settings.keep.default_lifetime_s = 3600;
  Bed bed(std::move(plan));
  bed.get(origin.url("/"));
  const std::string asked = bed.get(origin.url("/"), "Cache-Control: no-cache\r\n");
  CHECK(has(asked, "Set-Cookie: sid=1\r\n"));
  const std::string other = bed.get(origin.url("/"));
  CHECK(body_of(other) == "x");
  CHECK_FALSE(has(other, "Set-Cookie"));
  CHECK(origin.requests() == 2);
}

TEST_CASE("http/proxy/attack: a cookie that the server has for all is kept", "[F56][RFC9111-3.1]") {
  Origin origin(always(response(std::string(kFresh) + "Set-Cookie: a=b\r\n", "x")));
  Bed bed(with_store());
  bed.get(origin.url("/"));
  CHECK(has(bed.get(origin.url("/")), "Set-Cookie: a=b\r\n"));
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/attack: what an origin says of one request is not the page of all",
          "[F56][RFC9110-15.5]") {
  for (const char* status : {"412", "413", "415", "417", "428", "431"}) {
    INFO(status);
    Origin origin([status](Wire& wire, const std::string&, int number) {
      if (number > 0) return wire.send(response(kFresh, "page"));
      return wire.send(std::string("HTTP/1.1 ") + status +
                       " No\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nno");
    });
    Bed bed(with_store());
    CHECK(body_of(bed.get(origin.url("/"), "If-Match: \"other\"\r\n")) == "no");
    CHECK(body_of(bed.get(origin.url("/"))) == "page");
    CHECK(origin.requests() == 2);
  }
}

TEST_CASE("http/proxy/attack: nobody waits for the answer to another's precondition", "[F56]") {
  std::atomic<bool> may_answer = false;
  Origin origin([&](Wire& wire, const std::string& head, int) {
    if (!has(head, "If-Match")) return wire.send(response(kFresh, "page"));
    until([&] { return may_answer.load(); });
    return wire.send("HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n");
  });
  Bed bed(with_store());
  Wire slow = bed.client();
  slow.send(request(origin.url("/"), "If-Match: \"other\"\r\n"));
  CHECK(until([&] { return origin.requests() == 1; }));
  CHECK(body_of(bed.get(origin.url("/"))) == "page");
  may_answer = true;
  CHECK(status_of(slow.read_response()) == 412);
}

TEST_CASE("http/proxy/attack: a transfer ends when the last who waits for it leaves", "[F56]") {
  std::atomic<bool> is_over = false;
  Origin origin([&](Wire&, const std::string&, int) {
    until([&] { return is_over.load(); });
    return false;
  });
  Bed bed(with_store());
  {
    Wire leader = bed.client();
    leader.send(request(origin.url("/")));
    CHECK(until([&] { return origin.requests() == 1; }));
    Wire waiter = bed.client();
    waiter.send(request(origin.url("/")));
    CHECK(until([&] { return bed.counters().requests == 2; }));
    leader.reset();
    CHECK(until([&] { return bed.load().clients == 1; }));
    CHECK(bed.load().transfers == 1);
    waiter.reset();
  }
  CHECK(until([&] { return bed.load().transfers == 0; }));
  is_over = true;
}

TEST_CASE("http/proxy/attack: transfers without a client are few", "[F56]") {
  constexpr int kPages = 80;
  std::atomic<bool> is_over = false;
  Origin origin([&](Wire& wire, const std::string& head, int) {
    if (has(head, "If-None-Match")) {
      until([&] { return is_over.load(); });
      return false;
    }
    return wire.send(
        response("Age: 9\r\nCache-Control: max-age=1, stale-while-revalidate=86400\r\n"
                 "ETag: \"a\"\r\n",
                 "x"));
  });
  Bed bed(with_store());
  for (int i = 0; i < 2 * kPages; ++i)
    CHECK(body_of(bed.get(origin.url("/" + std::to_string(i % kPages)))) == "x");
  CHECK(bed.load().transfers == 64);
  is_over = true;
  CHECK(until([&] { return bed.load().transfers == 0; }));
}

namespace {

// A tunnel to the origin, which works.
Wire tunnel_through(const Bed& bed, const Origin& origin) {
  const std::string there = "127.0.0.1:" + std::to_string(origin.port());
  Wire wire = bed.client();
  wire.send("CONNECT " + there + " HTTP/1.1\r\nHost: " + there + "\r\n\r\n");
  CHECK(status_of(wire.read_head()) == 200);
  wire.send(request("/"));
  CHECK(body_of(wire.read_response()) == "x");
  return wire;
}

}  // namespace

TEST_CASE("http/proxy/attack: a tunnel ends with the rule that let the client go there",
          "[F57][F58]") {
  Origin origin(always(response("", "x")));
  bool may = true;
  Bed::Plan plan;
  plan.settings.destinations.connect_ports = {origin.port()};
  plan.seams.judge = [&](const Peer&, Ipv4Address, uint16_t) { return may; };
  Bed bed(std::move(plan));
  Wire wire = tunnel_through(bed, origin);
  bed.pass_seconds(10);
  wire.send(request("/"));
  CHECK(body_of(wire.read_response()) == "x");
  bed.on_loop([&] { may = false; });
  bed.pass_seconds(10);
  CHECK(wire.is_ended());
  CHECK(bed.load().clients == 0);
  CHECK(bed.counters().denied == 1);
}

TEST_CASE("http/proxy/attack: a tunnel ends with the log-in of its client", "[F57]") {
  Origin origin(always(response("", "x")));
  const Identity anna{"anna", {7}};
  const Identity* who = &anna;
  Bed::Plan plan;
  plan.settings.destinations.connect_ports = {origin.port()};
  plan.settings.asks_login = true;
  plan.seams.identify = [&](Ipv4Address) { return who; };
  Bed bed(std::move(plan));
  Wire wire = tunnel_through(bed, origin);
  bed.on_loop([&] { who = nullptr; });
  bed.pass_seconds(10);
  CHECK(wire.is_ended());
  CHECK(bed.load().clients == 0);
}

TEST_CASE("http/proxy/attack: a tunnel ends when settings come that have no place for it",
          "[F57]") {
  Origin origin(always(response("", "x")));
  ProxySettings settings;
  settings.destinations.connect_ports = {origin.port()};
  Bed::Plan plan;
  plan.settings = settings;
  Bed bed(std::move(plan));
  Wire wire = tunnel_through(bed, origin);
  settings.destinations.connect_ports = {443};
  bed.on_loop([&] { CHECK(bed.proxy().apply(settings)); });
  CHECK(wire.is_ended());
}
