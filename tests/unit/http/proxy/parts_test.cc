// SPDX-License-Identifier: BSD-3-Clause
// The parts of the proxy that need no sockets.
#include <catch2/catch.hpp>

#include "services/http/proxy/admission.h"
#include "services/http/proxy/destinations.h"
#include "services/http/proxy/entry.h"
#include "services/http/proxy/problem.h"
#include "services/http/proxy/upload.h"
#include "services/http/proxy/wheel.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::http;  // NOLINT(google-build-using-namespace)

namespace {

struct Alarm : Timed {
  void on_time_out() override { ++count; }
  int count = 0;
};

void pass(Wheel& wheel, int seconds) {
  for (int i = 0; i < seconds; ++i)
    wheel.tick();
}

}  // namespace

TEST_CASE("http/proxy/wheel: a time-out comes once, not before its time", "[F56]") {
  for (const uint32_t seconds : {1U, 30U, 254U, 255U, 256U, 900U, 3000U}) {
    INFO(seconds);
    Wheel wheel;
    Alarm alarm;
    wheel.set(alarm, seconds);
    pass(wheel, static_cast<int>(seconds));
    CHECK(alarm.count == 0);
    pass(wheel, 1);
    CHECK(alarm.count == 1);
    pass(wheel, 1000);
    CHECK(alarm.count == 1);
  }
}

TEST_CASE("http/proxy/wheel: time-outs move, nearer and further, and are cancelled", "[F56]") {
  Wheel wheel;
  Alarm alarm;
  wheel.set(alarm, 10);
  pass(wheel, 8);
  wheel.set(alarm, 10);
  pass(wheel, 10);
  CHECK(alarm.count == 0);
  wheel.set(alarm, 100);
  wheel.set(alarm, 2);
  pass(wheel, 3);
  CHECK(alarm.count == 1);
  wheel.set(alarm, 5);
  Wheel::cancel(alarm);
  pass(wheel, 300);
  CHECK(alarm.count == 1);
  {
    Alarm gone;
    wheel.set(gone, 3);
  }
  pass(wheel, 10);
}

TEST_CASE("http/proxy/destinations: what is special is not public, its neighbours are", "[F58]") {
  for (const char* text : {"0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1",
                           "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.2.1",
                           "192.168.255.255", "198.18.0.1", "198.51.100.9", "203.0.113.7",
                           "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"}) {
    INFO(text);
    CHECK_FALSE(is_public(*parse_ipv4(text)));
  }
  for (const char* text : {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                           "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255"}) {
    INFO(text);
    CHECK(is_public(*parse_ipv4(text)));
  }
}

TEST_CASE("http/proxy/destinations: own addresses are refused, allowed ones are not", "[F58]") {
  DestinationRules rules;
  const Ipv4Address own(9, 9, 9, 9);
  const Ipv4Address server(192, 168, 1, 5);
  rules.own = {{own, own}};
  rules.allowed = {{server, server}};
  CHECK(judge_address(rules, own) == Barrier::own);
  CHECK(judge_address(rules, server) == Barrier::none);
  CHECK(judge_address(rules, Ipv4Address(192, 168, 1, 6)) == Barrier::not_public);
  CHECK(judge_address(rules, Ipv4Address(8, 8, 4, 4)) == Barrier::none);
  // A range around it does not open what is ours; its own entry does.
  rules.own.push_back({Ipv4Address(192, 168, 1, 1), Ipv4Address(192, 168, 1, 1)});
  rules.allowed = {{Ipv4Address(192, 168, 1, 0), Ipv4Address(192, 168, 1, 255)},
                   {Ipv4Address(0), Ipv4Address(223, 255, 255, 255)}};
  CHECK(judge_address(rules, Ipv4Address(192, 168, 1, 1)) == Barrier::own);
  CHECK(judge_address(rules, own) == Barrier::own);
  CHECK(judge_address(rules, Ipv4Address(127, 0, 0, 1)) == Barrier::own);
  CHECK(judge_address(rules, Ipv4Address(0, 0, 0, 0)) == Barrier::own);
  CHECK(judge_address(rules, server) == Barrier::none);
  rules.allowed.push_back({Ipv4Address(192, 168, 1, 1), Ipv4Address(192, 168, 1, 1)});
  CHECK(judge_address(rules, Ipv4Address(192, 168, 1, 1)) == Barrier::none);
  CHECK(may_fetch_port(rules, 80));
  CHECK(may_fetch_port(rules, 8080));
  CHECK_FALSE(may_fetch_port(rules, 25));
  CHECK(may_connect_port(rules, 443));
  CHECK_FALSE(may_connect_port(rules, 22));
}

TEST_CASE("http/proxy/entry: what is written is read", "[F56]") {
  Entry entry;
  entry.facts = StoredFacts{100,  90,    5,    600,   30,   -1,   203,  Lifetime::heuristic,
                            true, false, true, false, true, true, false};
  entry.origin = Ipv4Address(192, 0, 2, 1);
  entry.vary_names = "accept";
  entry.field_lines = "A: b\r\nC: d\r\n";
  const std::string octets = encode_entry(entry);
  const std::optional<Entry> read = parse_entry(octets);
  REQUIRE(read);
  CHECK(read->facts == entry.facts);
  CHECK(read->origin == entry.origin);
  CHECK(read->vary_names == "accept");
  CHECK(read->field_lines == entry.field_lines);
  const std::optional<Fields> fields = parse_entry_fields(*read);
  REQUIRE(fields);
  CHECK(fields->find("c") == "d");
}

TEST_CASE("http/proxy/entry: other octets are no entry", "[F56]") {
  Entry entry;
  entry.vary_names = "accept";
  const std::string octets = encode_entry(entry);
  for (size_t size = 0; size < octets.size(); ++size) {
    INFO(size);
    CHECK_FALSE(parse_entry(std::string_view(octets).substr(0, size)));
  }
  for (const size_t place : {size_t{0}, size_t{1}, size_t{4}}) {
    std::string other = octets;
    other[place] = '\x7f';
    CHECK_FALSE(parse_entry(other));
  }
}

TEST_CASE("http/proxy/admission: Basic credentials are read, and nothing else", "[F57]") {
  const auto read = parse_basic("basic  dTpwOnE=");
  REQUIRE(read);
  CHECK(read->user == "u");
  CHECK(read->password == "p:q");
  for (const std::string& bad :
       {std::string("Basic"), std::string("Basic dTpw!"), std::string("Basic dQ=="),
        std::string("Digest dTpw"), "Basic " + std::string(4000, 'A'), std::string()}) {
    INFO(bad.substr(0, 40));
    CHECK_FALSE(parse_basic(bad));
  }
}

TEST_CASE("http/proxy/problem: a page is text, whatever is in it", "[F56]") {
  const std::string page =
      error_page(ErrorPage{Problem::dns_error, "p", "http://a/\"><script>\x01", "<b>&"});
  CHECK(page.find("<script>") == std::string::npos);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("&#60;script&#62;") != std::string::npos);
  CHECK(page.find("502") != std::string::npos);
  CHECK(error_page(ErrorPage{Problem::denied, "p", std::string(100'000, 'x'), {}}).size() < 2000);
}

TEST_CASE("http/proxy/upload: more than is permitted is refused", "[F56]") {
  Upload upload;
  Framing framing;
  framing.body = Body::length;
  framing.length = 11;
  upload.begin(framing, 10);
  CHECK(upload.state() == Upload::State::refused);
  framing.body = Body::chunked;
  upload.begin(framing, 10);
  size_t taken = 0;
  std::string out;
  CHECK(upload.take("6\r\nabcdef\r\n", taken, out) == Upload::State::more);
  CHECK(taken == 11);
  CHECK(upload.take("6\r\nabcdef\r\n", taken, out) == Upload::State::refused);
  CHECK(upload.is_too_large());
}
