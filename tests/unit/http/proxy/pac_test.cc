// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/pac.h"

#include <catch2/catch.hpp>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("http/proxy/pac: browsers are told where the proxy is, by itself", "[F56]") {
  Bed::Plan plan;
  plan.settings.local_domain = "office.example";
  plan.settings.asks_login = true;  // it is told to everybody
  Bed bed(std::move(plan));
  const std::string there = "127.0.0.1:" + std::to_string(bed.port());
  for (const char* path : {"/proxy.pac", "/wpad.dat", "/wpad.dat?x"}) {
    const std::string answer = bed.get(path);
    CHECK(status_of(answer) == 200);
    CHECK(has(answer, "Content-Type: application/x-ns-proxy-autoconfig\r\n"));
    CHECK(has(answer, "function FindProxyForURL(url, host) {"));
    CHECK(has(answer, "return \"PROXY " + there + "\";"));
    CHECK(has(answer, "host == \"office.example\" || host.substr(-15) == \".office.example\""));
    CHECK(has(answer, "host == \"127.0.0.1\""));
  }
  Wire wire = bed.client();
  wire.send("HEAD /proxy.pac HTTP/1.1\r\nHost: wpad\r\n\r\n");
  CHECK(status_of(wire.read_response(false)) == 200);
  wire.send("POST /proxy.pac HTTP/1.1\r\nHost: wpad\r\nContent-Length: 0\r\n\r\n");
  CHECK(status_of(wire.read_response()) == 421);
  CHECK(status_of(bed.get("/proxy.pac/x")) == 421);
  CHECK(status_of(bed.get("/")) == 421);
}

TEST_CASE("http/proxy/pac: without a domain there is none in the script", "[F56]") {
  const std::string script = pac_script(Peer{Ipv4Address(192, 168, 1, 1), 3128}, {});
  CHECK(script.find("substr") == std::string::npos);
  CHECK(script.find("PROXY 192.168.1.1:3128") != std::string::npos);
}
