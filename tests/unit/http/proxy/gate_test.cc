// SPDX-License-Identifier: BSD-3-Clause
// What is stored is for clients that could have it from where it came, whatever way it goes out.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr Ipv4Address kLoopback(127, 0, 0, 1);
constexpr Ipv4Address kFar(8, 8, 4, 4);
constexpr const char* kTagged = "Cache-Control: max-age=600\r\nETag: \"a\"\r\n";

// A proxy with a store, whose judge says what the test says.
struct Gate {
  bool is_permitted = true;
  Ipv4Address asked;
  Bed::Plan plan() {
    Bed::Plan plan;
    plan.has_store = true;
    plan.seams.judge = [this](const Peer&, Ipv4Address destination, uint16_t) {
      asked = destination;
      return is_permitted;
    };
    return plan;
  }
};

// Settings as those of the Bed, which keep its socket.
ProxySettings settings_of_bed() {
  ProxySettings settings;
  ProxyListener at;
  at.address = kLoopback;
  at.port = 0;
  settings.listeners = {at};
  settings.destinations.allowed = {{kLoopback, kLoopback}};
  return settings;
}

void apply(Bed& bed, ProxySettings settings) {
  bed.on_loop([&] { CHECK(bed.proxy().apply(std::move(settings))); });
}

ParentProxy parent_at(uint16_t port, bool is_trusted) {
  ParentProxy parent;
  parent.host = "127.0.0.1";
  parent.port = port;
  parent.is_trusted = is_trusted;
  return parent;
}

void wait_until(const std::function<bool()>& holds) {
  for (int i = 0; i < 500 && !holds(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(holds());
}

}  // namespace

TEST_CASE("http/proxy/gate: a server that refuses nobody stands in for no rule", "[F58]") {
  Origin origin(always(response(kTagged, "x")));
  Gate gate;
  Bed bed(gate.plan());
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  bed.on_loop([&] { gate.is_permitted = false; });
  for (const char* fields :
       {"", "Cache-Control: max-age=0\r\n", "Cache-Control: no-cache\r\n",
        "Cache-Control: max-age=0, stale-if-error=999999999\r\n", "If-None-Match: \"a\"\r\n",
        "Range: bytes=0-0\r\n", "Cache-Control: max-age=0, max-stale\r\n"}) {
    INFO(fields);
    const std::string answer = bed.get(origin.url("/"), fields);
    CHECK(status_of(answer) == 403);
    CHECK(body_of(answer) != "x");
  }
  CHECK(origin.requests() == 1);
  for (const std::string& line : bed.log())
    CHECK_FALSE(has(line, "the origin failed"));
}

TEST_CASE("http/proxy/gate: what is stale is not for who may not ask for a fresh one", "[F58]") {
  Origin origin(always(
      response("Cache-Control: max-age=0, stale-while-revalidate=600\r\nETag: \"a\"\r\n", "x")));
  Gate gate;
  Bed::Plan plan = gate.plan();
  plan.settings.serve.always_validates = true;
  Bed bed(std::move(plan));
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  bed.on_loop([&] { gate.is_permitted = false; });
  CHECK(status_of(bed.get(origin.url("/"))) == 403);
  ProxySettings settings = settings_of_bed();
  apply(bed, settings);
  CHECK(status_of(bed.get(origin.url("/"))) == 403);
  settings.serve.is_offline = true;
  apply(bed, settings);
  CHECK(status_of(bed.get(origin.url("/"))) == 403);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/gate: a server that is not permitted any more is none that failed", "[F58]") {
  Origin origin(always(response(kTagged, "x")));
  Gate gate;
  Bed bed(gate.plan());
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  ProxySettings settings = settings_of_bed();
  settings.destinations.allowed.clear();
  apply(bed, settings);
  for (const char* fields : {"", "Cache-Control: max-age=0\r\n"}) {
    INFO(fields);
    const std::string answer = bed.get(origin.url("/"), fields);
    CHECK(status_of(answer) == 403);
    CHECK(has(answer, "destination_ip_prohibited"));
  }
}

TEST_CASE("http/proxy/gate: a name that is blocked now is none that cannot be reached", "[F58]") {
  Origin origin(always(response(kTagged, "x")));
  bool is_blocked = false;
  bool is_down = false;
  Gate gate;
  Bed::Plan plan = gate.plan();
  plan.seams.resolve = [&](const std::string&, const Seams::Resolved& then) {
    if (is_blocked) return then(Error{ErrorCode::denied, "the name is blocked"});
    if (is_down) return then(Error{ErrorCode::unavailable, "no answer"});
    then(Seams::Addresses{kLoopback});
  };
  Bed bed(std::move(plan));
  const std::string url = "http://site.example:" + std::to_string(origin.port()) + "/";
  CHECK(status_of(bed.get(url)) == 200);
  bed.on_loop([&] { is_down = true; });
  bed.pass_seconds(60);  // no connection is kept any more
  CHECK(status_of(bed.get(url, "Cache-Control: max-age=0\r\n")) == 200);
  CHECK(origin.requests() == 1);
  bed.on_loop([&] { is_blocked = true; });
  const std::string answer = bed.get(url, "Cache-Control: max-age=0\r\n");
  CHECK(status_of(answer) == 403);
  CHECK(has(answer, "the name is blocked"));
}

TEST_CASE("http/proxy/gate: who may not ask does not read along with who may", "[F58]") {
  const std::string body(1000, 'b');
  std::atomic<bool> goes_on = false;
  Origin origin([&](Wire& wire, const std::string&, int number) {
    const std::string fields = std::string(kTagged) + "Content-Range: bytes ";
    if (number == 0)
      return wire.send("HTTP/1.1 206 Part\r\n" + fields +
                       "0-499/1000\r\nContent-Length: 500\r\n\r\n" + body.substr(0, 500));
    wire.send("HTTP/1.1 206 Part\r\n" + fields + "500-999/1000\r\nContent-Length: 500\r\n\r\n" +
              body.substr(0, 100));
    wait_until([&] { return goes_on.load(); });
    return wire.send(body.substr(0, 400));
  });
  Gate gate;
  Bed bed(gate.plan());
  CHECK(status_of(bed.get(origin.url("/"), "Range: bytes=0-499\r\n")) == 206);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // until it is on the disk
  Wire first = bed.client();
  first.send(request(origin.url("/")));
  CHECK(status_of(first.read_head()) == 200);
  bed.on_loop([&] { gate.is_permitted = false; });
  Wire second = bed.client();
  second.send(request(origin.url("/")));
  CHECK(status_of(second.read_head()) == 403);
  goes_on = true;
  CHECK(first.read_exactly(1000) == body);
}

TEST_CASE("http/proxy/gate: with a parent, what came by it is judged by the address of its name",
          "[F58]") {
  Origin parent(always(response(kTagged, "x")));
  Gate gate;
  Bed::Plan plan = gate.plan();
  plan.settings.parent = parent_at(parent.port(), false);
  plan.seams.resolve = [](const std::string&, const Seams::Resolved& then) {
    then(Seams::Addresses{kFar});
  };
  Bed bed(std::move(plan));
  CHECK(status_of(bed.get("http://site.example/")) == 200);
  CHECK(status_of(bed.get("http://site.example/")) == 200);
  CHECK(parent.requests() == 1);
  bed.on_loop([&] {
    CHECK(gate.asked == kFar);
    gate.is_permitted = false;
  });
  CHECK(status_of(bed.get("http://site.example/")) == 403);
  // Nor when there is no parent any more.
  apply(bed, settings_of_bed());
  CHECK(status_of(bed.get("http://site.example/")) == 403);
  CHECK(parent.requests() == 1);
}

TEST_CASE("http/proxy/gate: nobody knows where a trusted parent had it from: so it is asked",
          "[F58]") {
  Origin parent([](Wire& wire, const std::string& head, int) {
    if (has(head, "If-None-Match"))
      return wire.send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
    return wire.send(response(kTagged, "x"));
  });
  Gate gate;
  gate.is_permitted = false;
  Bed::Plan plan = gate.plan();
  plan.settings.parent = parent_at(parent.port(), true);
  plan.seams.resolve = [](const std::string&, const Seams::Resolved& then) {
    then(Seams::Addresses{kFar});
  };
  Bed bed(std::move(plan));
  CHECK(status_of(bed.get("http://site.example/")) == 200);
  CHECK(status_of(bed.get("http://site.example/")) == 200);
  CHECK(parent.requests() == 1);
  ProxySettings settings = settings_of_bed();
  settings.parent = parent_at(parent.port(), false);
  settings.serve.is_offline = true;
  apply(bed, settings);
  CHECK(status_of(bed.get("http://site.example/")) == 504);
  settings.serve.is_offline = false;
  apply(bed, settings);
  CHECK(status_of(bed.get("http://site.example/")) == 403);
  CHECK(parent.requests() == 1);
  bed.on_loop([&] { gate.is_permitted = true; });
  CHECK(body_of(bed.get("http://site.example/")) == "x");
  CHECK(parent.requests() == 2);
  CHECK(body_of(bed.get("http://site.example/")) == "x");
  CHECK(parent.requests() == 2);
  bed.on_loop([&] { gate.is_permitted = false; });
  CHECK(status_of(bed.get("http://site.example/")) == 403);
}

TEST_CASE("http/proxy/gate: what a rule refuses is counted as denied, not as a failure", "[F58]") {
  auto origin = std::make_unique<Origin>(always(response(kTagged, "x")));
  const std::string url = origin->url("/");
  Gate gate;
  gate.is_permitted = false;
  Bed bed(gate.plan());
  CHECK(status_of(bed.get(url)) == 403);
  CHECK(status_of(bed.get("http://10.0.0.1/")) == 403);
  CHECK(status_of(bed.get("http://127.0.0.1:25/")) == 403);
  CHECK(bed.counters().denied == 3);
  CHECK(bed.counters().upstream_failures == 0);
  bed.on_loop([&] { gate.is_permitted = true; });
  CHECK(status_of(bed.get(url)) == 200);
  bed.on_loop([&] { gate.is_permitted = false; });
  CHECK(status_of(bed.get(url)) == 403);
  CHECK(status_of(bed.get(url, "Cache-Control: max-age=0\r\n")) == 403);
  CHECK(bed.counters().denied == 5);
  origin.reset();
  bed.on_loop([&] { gate.is_permitted = true; });
  bed.pass_seconds(60);
  CHECK(status_of(bed.get(url + "other")) == 502);
  CHECK(bed.counters().denied == 5);
  CHECK(bed.counters().upstream_failures == 1);
}
