// SPDX-License-Identifier: BSD-3-Clause
// What is kept for how long: the rules of the office by URL, and what becomes of what was kept.
#include <atomic>
#include <catch2/catch.hpp>

#include "services/http/proxy/keep_rules.h"
#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

KeepRule rule_of(const std::string& path) {
  KeepRule rule;
  rule.url.path = path;
  return rule;
}

std::shared_ptr<const KeepRules> compiled(std::vector<KeepRule> rules) {
  Result<KeepRules> made = KeepRules::compile(std::move(rules));
  REQUIRE(made);
  return std::make_shared<const KeepRules>(std::move(*made));
}

const KeepRule* find(const KeepRules& rules, std::string_view host, std::string_view path) {
  const std::string url = "http://" + std::string(host) + std::string(path);
  UrlQuestion question;
  question.url = url;
  question.host = host;
  question.path = path;
  return rules.find(question);
}

// Counts up with each request.
Origin::Handle counting(const std::string& fields) {
  return [fields](Wire& wire, const std::string&, int number) {
    return wire.send(response(fields, std::to_string(number)));
  };
}

}  // namespace

TEST_CASE("http/proxy/keep_rules: the first rule that matches counts", "[F56]") {
  KeepRule images = rule_of("/images/");
  images.url.host = "*.example.com";
  images.url.principals = {7};  // has no part in it
  images.lifetime_s = 60;
  KeepRule whole_host;
  whole_host.url.host = "*.example.com";
  whole_host.is_never_kept = true;
  const auto rules = compiled({images, whole_host});
  CHECK(rules->size() == 2);
  REQUIRE(find(*rules, "a.example.com", "/images/x.png") != nullptr);
  CHECK(find(*rules, "a.example.com", "/images/x.png")->lifetime_s == 60);
  REQUIRE(find(*rules, "a.example.com", "/other") != nullptr);
  CHECK(find(*rules, "a.example.com", "/other")->is_never_kept);
  CHECK(find(*rules, "example.org", "/images/x.png") == nullptr);
}

TEST_CASE("http/proxy/keep_rules: a pattern that is none is told with its place", "[F56]") {
  KeepRule bad;
  bad.url.expression = "(a";
  const Result<KeepRules> made = KeepRules::compile({rule_of("/"), bad});
  REQUIRE_FALSE(made);
  CHECK(has(made.error().text, "rules[1].expression"));
}

TEST_CASE("http/proxy/keep_rules: what a rule does not set is as for all URLs", "[F56]") {
  StoreRules all;
  all.object_octets_max = 100;
  all.default_lifetime_s = 5;
  KeepRule rule;
  rule.lifetime_s = 60;
  CHECK(store_rules(all, nullptr).object_octets_max == 100);
  CHECK_FALSE(store_rules(all, nullptr).url_lifetime_s);
  CHECK(store_rules(all, &rule).object_octets_max == 100);
  CHECK(store_rules(all, &rule).default_lifetime_s == 5);
  CHECK(store_rules(all, &rule).url_lifetime_s == 60);
  rule.object_octets_max = 7;
  rule.ignores_server_lifetimes = true;
  rule.always_validates = true;
  CHECK(store_rules(all, &rule).object_octets_max == 7);
  CHECK(store_rules(all, &rule).ignores_server_lifetimes);
  CHECK(serve_rules(ServeRules(), &rule).always_validates);
  CHECK_FALSE(serve_rules(ServeRules(), nullptr).always_validates);
}

TEST_CASE("http/proxy/keep: lifetimes, sizes and bans hold for their URLs alone", "[F56]") {
  Origin origin(counting(""));
  Origin told(counting(kFresh));
  KeepRule timed = rule_of("/timed");
  timed.lifetime_s = 600;
  KeepRule never = rule_of("/never");
  never.is_never_kept = true;
  KeepRule small = rule_of("/small");
  small.lifetime_s = 600;
  small.object_octets_max = 0;
  KeepRule ignoring = rule_of("/ignoring");
  ignoring.ignores_server_lifetimes = true;
  ignoring.lifetime_s = 0;
  Bed::Plan plan = with_store();
  plan.settings.keep_rules = compiled({timed, never, small, ignoring});
  Bed bed(std::move(plan));
  const auto twice = [&](const std::string& url) {
    const std::string first = body_of(bed.get(url));
    return first == body_of(bed.get(url)) ? "kept" : "asked";
  };
  // Nobody says how long: the office does, for one URL.
  CHECK(twice(origin.url("/timed")) == std::string("kept"));
  CHECK(twice(origin.url("/other")) == std::string("asked"));
  CHECK(twice(origin.url("/small")) == std::string("asked"));
  CHECK(twice(told.url("/other")) == std::string("kept"));
  CHECK(twice(told.url("/never")) == std::string("asked"));
  CHECK(twice(told.url("/ignoring")) == std::string("asked"));
  CHECK(has(bed.get(told.url("/never")), "fwd=bypass"));
}

TEST_CASE("http/proxy/keep: where the office wants it, the origin is asked at each use", "[F56]") {
  std::atomic<int> conditions = 0;
  Origin origin([&](Wire& wire, const std::string& head, int) {
    const std::string fields = std::string(kFresh) + "ETag: \"a\"\r\n";
    if (!has(head, "If-None-Match: \"a\"")) return wire.send(response(fields, "x"));
    ++conditions;
    return wire.send("HTTP/1.1 304 Same\r\n" + fields + "\r\n");
  });
  KeepRule rule = rule_of("/asked");
  rule.always_validates = true;
  Bed::Plan plan = with_store();
  plan.settings.keep_rules = compiled({rule});
  Bed bed(std::move(plan));
  for (int i = 0; i < 3; ++i) {
    CHECK(body_of(bed.get(origin.url("/asked"))) == "x");
    CHECK(body_of(bed.get(origin.url("/other"))) == "x");
  }
  CHECK(conditions == 2);
  CHECK(origin.requests() == 4);
}

TEST_CASE("http/proxy/keep: a ban also holds for what was kept before it", "[F56]") {
  Origin origin(counting(kFresh));
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/x"))) == "0");
  CHECK(body_of(bed.get(origin.url("/x"))) == "0");
  KeepRule never = rule_of("/x");
  never.is_never_kept = true;
  bed.on_loop([&] {
    ProxySettings settings;
    ProxyListener at;
    at.address = Ipv4Address(127, 0, 0, 1);
    at.port = 0;
    settings.listeners = {at};
    settings.destinations.allowed = {{Ipv4Address(127, 0, 0, 1), Ipv4Address(127, 0, 0, 1)}};
    settings.keep_rules = compiled({never});
    CHECK(bed.proxy().apply(settings).has_value());
  });
  CHECK(body_of(bed.get(origin.url("/x"))) == "1");
  CHECK(body_of(bed.get(origin.url("/%78"))) == "2");  // nor is another spelling a way around it
}

TEST_CASE("http/proxy/keep: a body that is too large is seen so while it comes", "[C19]") {
  Origin origin([](Wire& wire, const std::string&, int) {
    return wire.send(std::string("HTTP/1.1 200 OK\r\n") + kFresh +
                     "Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + pattern(100'000) +
                     "\r\n0\r\n\r\n");
  });
  for (const int64_t octets_max : {int64_t{99'999}, int64_t{100'000}}) {
    Bed::Plan plan = with_store();
    plan.settings.keep.object_octets_max = octets_max;
    Bed bed(std::move(plan));
    const int before = origin.requests();
    for (int i = 0; i < 2; ++i)
      CHECK(difference(body_of(bed.get(origin.url("/"))), pattern(100'000)) == "");
    CHECK(origin.requests() - before == (octets_max < 100'000 ? 2 : 1));
  }
}

TEST_CASE("http/proxy/keep: what came without a Date is kept and freshened with one",
          "[RFC9110-6.6.1]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    const std::string fields = "Cache-Control: max-age=0\r\nETag: \"a\"\r\nAge: 5\r\n";
    if (has(head, "If-None-Match")) return wire.send("HTTP/1.1 304 Same\r\nETag: \"a\"\r\n\r\n");
    return wire.send(response(fields, "x"));
  });
  Bed bed(with_store());
  CHECK(has(bed.get(origin.url("/")), "\r\nDate: "));
  for (int i = 0; i < 2; ++i) {
    const std::string hit = bed.get(origin.url("/"));
    CHECK(has(hit, "\r\nDate: "));
    CHECK(hit.find("\r\nDate: ") == hit.rfind("\r\nDate: "));
    CHECK(hit.find("\r\nAge: ") == hit.rfind("\r\nAge: "));
  }
}

TEST_CASE("http/proxy/keep: what was replaced by something that may not be kept is sent no more",
          "[RFC9111-4.3.3]") {
  std::atomic<bool> is_over = false;
  Origin origin([&](Wire& wire, const std::string&, int number) {
    if (is_over) return false;
    const bool is_first = number == 0;
    return wire.send(response(
        is_first ? "Cache-Control: max-age=0\r\nETag: \"a\"\r\n" : "Cache-Control: no-store\r\n",
        is_first ? "old" : "new"));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "old");
  CHECK(body_of(bed.get(origin.url("/"))) == "new");
  is_over = true;
  // What is stale would stand in for an origin that does not answer; this was called wrong.
  CHECK(status_of(bed.get(origin.url("/"))) == 502);
}

TEST_CASE("http/proxy/keep: what has no validator stands in for a failing origin, too",
          "[F56][RFC9111-4.2.4][RFC9111-3.5]") {
  std::atomic<bool> fails = false;
  Origin origin([&](Wire& wire, const std::string&, int) {
    if (fails) return wire.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    return wire.send(response("Cache-Control: max-age=0, stale-if-error=100\r\n", "x"));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "x");
  fails = true;
  CHECK(body_of(bed.get(origin.url("/"))) == "x");
  // With credentials it is not for this client, and goes as it is.
  CHECK(status_of(bed.get(origin.url("/"), "Authorization: Basic eA==\r\n")) == 503);
}

TEST_CASE("http/proxy/keep: a 304 about something else is asked again without condition",
          "[F56][RFC9111-4.3.4]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    if (has(head, "If-None-Match")) return wire.send("HTTP/1.1 304 Same\r\nETag: \"z\"\r\n\r\n");
    return wire.send(response("Cache-Control: max-age=0\r\nETag: \"a\"\r\n", "whole"));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "whole");
  const std::string again = bed.get(origin.url("/"));
  CHECK(status_of(again) == 200);
  CHECK(body_of(again) == "whole");
  CHECK(origin.requests() == 3);
}

TEST_CASE("http/proxy/keep: a POST that says what a GET would get is kept for GET",
          "[F56][RFC9110-9.3.3]") {
  Origin origin([](Wire& wire, const std::string& head, int number) {
    const std::string path =
        head.substr(head.find(' ') + 1, head.find(" HTTP") - head.find(' ') - 1);
    if (has(head, "POST ")) {
      wire.read_exactly(1);
      return wire.send(response(std::string(kFresh) + "Content-Location: " + path + "\r\n",
                                std::to_string(number)));
    }
    return wire.send(response(kFresh, std::to_string(number)));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/"))) == "0");
  Wire wire = bed.client();
  wire.send("POST " + origin.url("/") + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  CHECK(body_of(wire.read_response()) == "1");
  CHECK(body_of(bed.get(origin.url("/"))) == "1");
}

TEST_CASE("http/proxy/keep: what came for another spelling of a URL is not kept",
          "[F56][RFC9110-4.2.3]") {
  Origin origin([](Wire& wire, const std::string& head, int) {
    const bool is_odd = has(head, "%69ndex") || has(head, "..");
    return wire.send(response(kFresh, is_odd ? "odd" : "right"));
  });
  Bed bed(with_store());
  CHECK(body_of(bed.get(origin.url("/%69ndex"))) == "odd");
  CHECK(body_of(bed.get(origin.url("/x/../index"))) == "odd");
  CHECK(body_of(bed.get(origin.url("/index"))) == "right");
  CHECK(body_of(bed.get(origin.url("/index"))) == "right");
  CHECK(origin.requests() == 3);
}
