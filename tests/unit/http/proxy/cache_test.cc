// SPDX-License-Identifier: BSD-3-Clause
// The proxy with a store.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

Bed::Plan with_store() {
  Bed::Plan plan;
  plan.has_store = true;
  return plan;
}

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

constexpr const char* kFresh = "Cache-Control: max-age=600\r\n";

}  // namespace

TEST_CASE("http/proxy/cache: the second fetch asks nobody", "[F56]") {
  for (const size_t size : {size_t{0}, size_t{1000}, size_t{70'000}, size_t{3'000'000}}) {
    INFO(size);
    const std::string body = pattern(size);
    Origin origin(always(response(kFresh, body)));
    Bed bed(with_store());
    for (int i = 0; i < 3; ++i)
      CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
    CHECK(origin.requests() == 1);
    const std::string hit = bed.get(origin.url("/"));
    CHECK(has(hit, "Age: "));
    CHECK(has(hit, "Cache-Status: postern; hit"));
    CHECK(bed.counters().hits == 3);
  }
}

TEST_CASE("http/proxy/cache: what may not be kept is not", "[F56]") {
  for (const char* control : {"no-store", "private", "max-age=600, private"}) {
    Origin origin(always(response(std::string("Cache-Control: ") + control + "\r\n", "x")));
    Bed bed(with_store());
    bed.get(origin.url("/"));
    bed.get(origin.url("/"));
    CHECK(origin.requests() == 2);
  }
}

TEST_CASE("http/proxy/cache: what was cut short answers nobody", "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int number) {
    if (number > 0) return wire.send(response(kFresh, "whole"));
    wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 100\r\n\r\nabc");
    return false;
  });
  Bed bed(with_store());
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  wire.read_to_end();
  CHECK(body_of(bed.get(origin.url("/"))) == "whole");
}

TEST_CASE("http/proxy/cache: stale responses are validated, and those that changed replaced",
          "[F56]") {
  std::string tag = "\"one\"";
  Origin origin([&](Wire& wire, const std::string& head, int) {
    const std::string fields = "Cache-Control: max-age=0\r\nETag: " + tag + "\r\n";
    if (has(head, "If-None-Match: " + tag))
      return wire.send("HTTP/1.1 304 Same\r\n" + fields + "\r\n");
    return wire.send(response(fields, "body of " + tag));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"one\"");
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"one\"");
  CHECK(bed.counters().revalidated == 1);
  CHECK(status_of(bed.get(origin.url("/"), "If-None-Match: \"one\"\r\n")) == 304);
  tag = "\"two\"";
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"two\"");
  CHECK(body_of(bed.get(origin.url("/"))) == "body of \"two\"");
  CHECK(bed.counters().revalidated == 3);
}

TEST_CASE("http/proxy/cache: responses that vary are kept for each kind of request", "[F56]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    const std::string language = has(head, "Accept-Language: de") ? "de" : "en";
    return wire.send(response(std::string(kFresh) + "Vary: Accept-Language\r\n", language));
  });
  Bed bed(with_store());
  for (int i = 0; i < 2; ++i) {
    CHECK(body_of(bed.get(origin.url("/"), "Accept-Language: de\r\n")) == "de");
    CHECK(body_of(bed.get(origin.url("/"), "Accept-Language: en\r\n")) == "en");
  }
  CHECK(origin.requests() == 2);
}

TEST_CASE("http/proxy/cache: ranges of what is stored are cut out of it", "[P28]") {
  const std::string body = pattern(1'000'000);
  Origin origin(always(response(std::string(kFresh) + "ETag: \"a\"\r\n", body)));
  Bed bed(with_store());
  bed.get(origin.url("/"));
  const std::string part = bed.get(origin.url("/"), "Range: bytes=500000-500099\r\n");
  CHECK(status_of(part) == 206);
  CHECK(has(part, "Content-Range: bytes 500000-500099/1000000\r\n"));
  CHECK(difference(body_of(part), body.substr(500000, 100)) == "");
  CHECK(difference(body_of(bed.get(origin.url("/"), "Range: bytes=-10\r\n")),
                   body.substr(999990)) == "");
  const std::string long_part = bed.get(origin.url("/"), "Range: bytes=100000-\r\n");
  CHECK(difference(body_of(long_part), body.substr(100000)) == "");
  const std::string several = bed.get(origin.url("/"), "Range: bytes=0-9, 70000-70009\r\n");
  CHECK(status_of(several) == 206);
  CHECK(has(several, "multipart/byteranges"));
  CHECK(has(several, body.substr(0, 10)));
  CHECK(has(several, body.substr(70000, 10)));
  CHECK(several.ends_with("--\r\n"));
  CHECK(status_of(bed.get(origin.url("/"), "Range: bytes=1000000-\r\n")) == 416);
  CHECK(status_of(bed.get(origin.url("/"), "If-None-Match: \"a\"\r\n")) == 304);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: twenty clients of one new object cause one fetch", "[P28]") {
  const std::string body = pattern(400'000);
  Origin origin([&](Wire& wire, const std::string&, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 400000\r\n\r\n" +
              body.substr(0, 200'000));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return wire.send(body.substr(200'000));
  });
  Bed bed(with_store());
  std::vector<Wire> wires;
  for (int i = 0; i < 20; ++i) {
    wires.push_back(bed.client());
    wires.back().send(request(origin.url("/")));
    // Some come before the head, some within the body.
    if (i == 10) std::this_thread::sleep_for(std::chrono::milliseconds(400));
  }
  for (Wire& wire : wires)
    CHECK(difference(body_of(wire.read_response()), body) == "");
  CHECK(origin.requests() == 1);
  CHECK(bed.counters().collapsed == 19);
}

TEST_CASE("http/proxy/cache: others get the rest when the first client leaves", "[P28]") {
  const std::string body = pattern(400'000);
  Origin origin([&](Wire& wire, const std::string&, int) {
    wire.send(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n"
        "30d40\r\n" +
        body.substr(0, 200'000) + "\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return wire.send("30d40\r\n" + body.substr(200'000) + "\r\n0\r\n\r\n");
  });
  Bed bed(with_store());
  Wire first = bed.client();
  first.send(request(origin.url("/")));
  first.read_head();
  Wire second = bed.client();
  second.send(request(origin.url("/")));
  second.send("");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  first.reset();
  CHECK(difference(body_of(second.read_response()), body) == "");
  CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: a slow first client does not hold up the others", "[P28]") {
  const std::string body = pattern(20'000'000);
  Origin origin(always(response(kFresh, body)));
  Bed bed(with_store());
  Wire slow = bed.client();
  slow.send(request(origin.url("/")));
  slow.read_head();
  Wire quick = bed.client();
  quick.send(request(origin.url("/")));
  CHECK(difference(body_of(quick.read_response()), body) == "");
  CHECK(difference(slow.read_exactly(body.size()), body) == "");
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: what all clients have left is fetched on only where that is wanted",
          "[F56]") {
  for (const bool finishes : {false, true}) {
    const std::string body = pattern(100'000);
    Origin origin([&](Wire& wire, const std::string&, int) {
      wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 100000\r\n\r\n" +
                body.substr(0, 50'000));
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      return wire.send(body.substr(50'000));
    });
    Bed::Plan plan = with_store();
    plan.settings.finishes_aborted = finishes;
    Bed bed(std::move(plan));
    Wire wire = bed.client();
    wire.send(request(origin.url("/")));
    wire.read_head();
    wire.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    CHECK(difference(body_of(bed.get(origin.url("/"))), body) == "");
    CHECK(origin.requests() == (finishes ? 1 : 2));
  }
}

TEST_CASE("http/proxy/cache: offline, what is stored is served, and nothing is asked", "[F56]") {
  Origin origin(always(response("Cache-Control: max-age=0\r\nETag: \"a\"\r\n", "x")));
  Bed bed(with_store());
  bed.get(origin.url("/"));
  bed.on_loop([&] {
    ProxySettings settings;
    ProxyListener at;
    at.address = Ipv4Address(127, 0, 0, 1);
    at.port = 0;
    settings.listeners = {at};
    settings.destinations.allowed = {{at.address, at.address}};
    settings.serve.is_offline = true;
    CHECK(bed.proxy().apply(settings).has_value());
  });
  CHECK(body_of(bed.get(origin.url("/"))) == "x");
  CHECK(status_of(bed.get(origin.url("/other"))) == 504);
  CHECK(origin.requests() == 1);
}

TEST_CASE("http/proxy/cache: a stale response stands in for an origin that fails", "[F56]") {
  auto origin = std::make_unique<Origin>(
      always(response("Cache-Control: max-age=0, stale-if-error=100\r\nETag: \"a\"\r\n", "x")));
  Bed bed(with_store());
  const std::string url = origin->url("/");
  bed.get(url);
  origin.reset();
  const std::string answer = bed.get(url);
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == "x");
}

TEST_CASE("http/proxy/cache: unsafe requests make what is stored of their target invalid",
          "[F56]") {
  Origin origin([](Wire& wire, const std::string&, int number) {
    return wire.send(response(kFresh, std::to_string(number)));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "0");
  CHECK(body_of(bed.get(origin.url("/"))) == "0");
  Wire wire = bed.client();
  wire.send("DELETE " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(body_of(wire.read_response()) == "1");
  CHECK(body_of(bed.get(origin.url("/"))) == "2");
}

TEST_CASE("http/proxy/cache: the store is no way around the rules of a client", "[F58]") {
  Origin origin(always(response(kFresh, "x")));
  bool is_permitted = true;
  Bed::Plan plan = with_store();
  plan.seams.judge = [&](const Peer&, Ipv4Address, uint16_t) { return is_permitted; };
  Bed bed(std::move(plan));
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  CHECK(status_of(bed.get(origin.url("/"))) == 200);
  bed.on_loop([&] { is_permitted = false; });
  CHECK(status_of(bed.get(origin.url("/"))) == 403);
  CHECK(origin.requests() == 1);
}

namespace {

// An origin of one object that knows ranges and counts its octets.
struct RangeOrigin {
  explicit RangeOrigin(size_t size) : body(pattern(size)) {}
  bool operator()(Wire& wire, const std::string& head) {
    const std::string fields = "Cache-Control: max-age=600\r\nETag: " + tag + "\r\n";
    const size_t at = head.find("Range: bytes=");
    const bool is_other = has(head, "If-Range: ") && !has(head, "If-Range: " + tag);
    if (at == std::string::npos || is_other) {
      octets += body.size();
      return wire.send(response(fields, body));
    }
    const size_t first = std::stoul(head.substr(at + 13));
    const std::string rest = head.substr(head.find('-', at + 13) + 1);
    const size_t last = rest[0] == '\r' ? body.size() - 1 : std::stoul(rest);
    octets += last + 1 - first;
    return wire.send("HTTP/1.1 206 Part\r\n" + fields + "Content-Range: bytes " +
                     std::to_string(first) + "-" + std::to_string(last) + "/" +
                     std::to_string(body.size()) +
                     "\r\nContent-Length: " + std::to_string(last + 1 - first) + "\r\n\r\n" +
                     body.substr(first, last + 1 - first));
  }
  std::string body;
  std::string tag = "\"a\"";
  std::atomic<size_t> octets = 0;
};

// A part is found by requests for more than it once it is written, not while it is being written.
void wait_for_disk() {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

std::string range_of(size_t first, size_t last) {
  return "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last) + "\r\n";
}

}  // namespace

TEST_CASE("http/proxy/cache: an object fetched in ranges is fetched once", "[P28]") {
  RangeOrigin object(1'000'000);
  Origin origin([&](Wire& wire, const std::string& head, int) { return object(wire, head); });
  Bed bed(with_store());
  for (int round = 0; round < 3; ++round) {
    for (size_t at = 0; at < 1'000'000; at += 100'000) {
      const std::string part = bed.get(origin.url("/"), range_of(at, at + 99'999));
      CHECK(status_of(part) == 206);
      CHECK(difference(body_of(part), object.body.substr(at, 100'000)) == "");
    }
  }
  wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(object.octets == 1'000'000);
}

TEST_CASE("http/proxy/cache: only what is missing of a range or an object is fetched", "[P28]") {
  RangeOrigin object(1'000'000);
  Origin origin([&](Wire& wire, const std::string& head, int) { return object(wire, head); });
  Bed bed(with_store());
  bed.get(origin.url("/"), range_of(200'000, 399'999));
  CHECK(object.octets == 200'000);
  wait_for_disk();
  const std::string wider = bed.get(origin.url("/"), range_of(100'000, 349'999));
  CHECK(status_of(wider) == 206);
  CHECK(difference(body_of(wider), object.body.substr(100'000, 250'000)) == "");
  CHECK(object.octets == 300'000);
  wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"), range_of(0, 199'999))),
                   object.body.substr(0, 200'000)) == "");
  wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(object.octets == 1'000'000);
}

TEST_CASE("http/proxy/cache: parts of two versions are never put together", "[P28]") {
  RangeOrigin object(500'000);
  Origin origin([&](Wire& wire, const std::string& head, int) { return object(wire, head); });
  Bed bed(with_store());
  bed.get(origin.url("/"), range_of(0, 199'999));
  wait_for_disk();
  object.body = std::string(500'000, '!');
  object.tag = "\"b\"";
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
}

TEST_CASE("http/proxy/cache: a download that was cut short goes on where it ended", "[P28]") {
  RangeOrigin object(1'000'000);
  Origin origin([&](Wire& wire, const std::string& head, int number) {
    if (number > 0) return object(wire, head);
    wire.send(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: \"a\"\r\n"
        "Content-Length: 1000000\r\n\r\n" +
        object.body.substr(0, 600'000));
    return false;
  });
  Bed bed(with_store());
  Wire wire = bed.client();
  wire.send(request(origin.url("/")));
  CHECK(wire.read_to_end().size() < 1'000'000);
  wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(object.octets <= 1'000'000 - 500'000);
}

TEST_CASE("http/proxy/cache: clients that fetch the same ranges at once share each", "[P28]") {
  RangeOrigin object(2'000'000);
  Origin origin([&](Wire& wire, const std::string& head, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return object(wire, head);
  });
  Bed bed(with_store());
  std::vector<std::thread> clients;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&] {
      for (size_t at = 0; at < 2'000'000; at += 200'000) {
        if (body_of(bed.get(origin.url("/"), range_of(at, at + 199'999))) !=
            object.body.substr(at, 200'000))
          ++wrong;
      }
    });
  }
  for (std::thread& client : clients)
    client.join();
  CHECK(wrong == 0);
  CHECK(object.octets == 2'000'000);
}

TEST_CASE("http/proxy/cache: what the store cannot hold goes through all the same", "[C19]") {
  // More than the whole file of the cache: with a length, so that it is clear at once, and without.
  const std::string chunk = pattern(1'000'000);
  constexpr size_t kChunks = 90;
  for (const bool is_chunked : {false, true}) {
    Origin origin([&](Wire& wire, const std::string&, int) {
      wire.send(
          std::string("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n") +
          (is_chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: 90000000\r\n\r\n"));
      for (size_t i = 0; i < kChunks; ++i)
        wire.send(is_chunked ? "f4240\r\n" + chunk + "\r\n" : chunk);
      return !is_chunked || wire.send("0\r\n\r\n");
    });
    Bed bed(with_store());
    for (int i = 0; i < 2; ++i) {
      const std::string body = body_of(bed.get(origin.url("/")));
      REQUIRE(body.size() == kChunks * chunk.size());
      for (size_t at = 0; at < body.size(); at += chunk.size())
        REQUIRE(difference(std::string_view(body).substr(at, chunk.size()), chunk) == "");
    }
    CHECK(origin.requests() == 2);
    // Nor does it stand in the way of others.
    Origin other(always(response(kFresh, "small")));
    CHECK(body_of(bed.get(other.url("/"))) == "small");
    wait_for_disk();
    CHECK(body_of(bed.get(other.url("/"))) == "small");
    CHECK(other.requests() == 1);
  }
}

TEST_CASE("http/proxy/cache: responses that are for one client only do not make others wait twice",
          "[P28]") {
  Origin origin([](Wire& wire, const std::string&, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return wire.send(response("Cache-Control: private\r\n", "mine"));
  });
  Bed bed(with_store());
  bed.get(origin.url("/"));
  const auto before = std::chrono::steady_clock::now();
  Wire one = bed.client();
  Wire two = bed.client();
  one.send(request(origin.url("/")));
  two.send(request(origin.url("/")));
  CHECK(body_of(one.read_response()) == "mine");
  CHECK(body_of(two.read_response()) == "mine");
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::milliseconds(550));
}

TEST_CASE("http/proxy/cache: a HEAD that shows another object makes the stored one invalid",
          "[F56]") {
  std::string tag = "\"one\"";
  Origin origin([&](Wire& wire, const std::string& head, int) {
    const std::string fields = "Cache-Control: max-age=0\r\nETag: " + tag + "\r\n";
    if (has(head, "HEAD "))
      return wire.send("HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 5\r\n\r\n");
    return wire.send(response(fields, tag));
  });
  Bed bed(with_store());
  bed.get(origin.url("/"));
  tag = "\"two\"";
  Wire wire = bed.client();
  wire.send("HEAD " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(status_of(wire.read_response(false)) == 200);
  const std::string offline =
      bed.get(origin.url("/"), "Cache-Control: only-if-cached, max-stale\r\n");
  CHECK(status_of(offline) == 504);
}
