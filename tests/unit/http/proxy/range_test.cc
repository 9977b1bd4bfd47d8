// SPDX-License-Identifier: BSD-3-Clause
// Parts of objects, from the store and into it (RFC 9110 section 14, RFC 9111 sections 3.3, 3.4).
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

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

std::string range_of(size_t first, size_t last) {
  return "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last) + "\r\n";
}

}  // namespace

TEST_CASE("http/proxy/range: an object fetched in ranges is fetched once", "[P28]") {
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
  bed.wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(object.octets == 1'000'000);
}

TEST_CASE("http/proxy/range: only what is missing of a range or an object is fetched", "[P28]") {
  RangeOrigin object(1'000'000);
  Origin origin([&](Wire& wire, const std::string& head, int) { return object(wire, head); });
  Bed bed(with_store());
  bed.get(origin.url("/"), range_of(200'000, 399'999));
  CHECK(object.octets == 200'000);
  bed.wait_for_disk();
  const std::string wider = bed.get(origin.url("/"), range_of(100'000, 349'999));
  CHECK(status_of(wider) == 206);
  CHECK(difference(body_of(wider), object.body.substr(100'000, 250'000)) == "");
  CHECK(object.octets == 300'000);
  bed.wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"), range_of(0, 199'999))),
                   object.body.substr(0, 200'000)) == "");
  bed.wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(object.octets == 1'000'000);
}

TEST_CASE("http/proxy/range: parts of two versions are never put together", "[P28][RFC9111-3.4]") {
  RangeOrigin object(500'000);
  Origin origin([&](Wire& wire, const std::string& head, int) { return object(wire, head); });
  Bed bed(with_store());
  bed.get(origin.url("/"), range_of(0, 199'999));
  bed.wait_for_disk();
  object.body = std::string(500'000, '!');
  object.tag = "\"b\"";
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
}

TEST_CASE("http/proxy/range: a download that was cut short goes on where it ended",
          "[P28][RFC9111-3.3]") {
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
  bed.wait_for_disk();
  CHECK(difference(body_of(bed.get(origin.url("/"))), object.body) == "");
  CHECK(object.octets <= 1'000'000 - 500'000);
}

TEST_CASE("http/proxy/range: clients that fetch the same ranges at once share each", "[P28]") {
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

TEST_CASE("http/proxy/range: ranges of what is stored are cut out of it",
          "[P28][RFC9110-14.1.2][RFC9110-14.6]") {
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
