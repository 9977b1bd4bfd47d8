// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/option_names.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "services/dhcp/message.h"

namespace postern::dhcp {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes encoded(std::string_view name, std::vector<std::string> values) {
  auto code = option_number(name);
  REQUIRE(code);
  auto bytes = encode_option(*code, values);
  INFO((bytes ? "" : bytes.error().text));
  REQUIRE(bytes);
  return *bytes;
}

}  // namespace

TEST_CASE("dhcp/option_names: the manual page lists every name with its number") {
  std::ifstream file(POSTERN_SOURCE_ROOT "/doc/man/posternd.8.scd");
  const std::string manual((std::istreambuf_iterator<char>(file)), {});
  for (std::string_view name : option_names()) {
    std::string entry =
        "_" + std::string(name) + "_ (" + std::to_string(*option_number(name)) + ")";
    INFO(entry);
    CHECK(manual.find(entry) != std::string::npos);
  }
}

TEST_CASE("dhcp/option_names: names and numbers lead to the same option", "[RFC2132-2][P23]") {
  CHECK(option_number("routers") == option::routers);
  CHECK(option_number("3") == option::routers);
  CHECK(option_number("224") == 224);
  CHECK_FALSE(option_number("256"));
  CHECK_FALSE(option_number("03"));
  CHECK_FALSE(option_number(""));
  CHECK_FALSE(option_number("router"));
  std::set<uint8_t> codes;
  for (std::string_view name : option_names())
    CHECK(codes.insert(*option_number(name)).second);
}

TEST_CASE("dhcp/option_names: values become bytes by the form of the option", "[RFC2132-2][P23]") {
  CHECK(encoded("routers", {"192.168.1.1", "192.168.1.2"}) ==
        Bytes{192, 168, 1, 1, 192, 168, 1, 2});
  CHECK(encoded("domain-name", {"a.example"}).size() == 9);
  CHECK(encoded("interface-mtu", {"1400"}) == Bytes{0x05, 0x78});
  CHECK(encoded("time-offset", {"-3600"}) == Bytes{0xff, 0xff, 0xf1, 0xf0});
  CHECK(encoded("ip-forwarding", {"true"}) == Bytes{1});
  CHECK(encoded("domain-search", {"a.example", "b"}) ==
        Bytes{1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 1, 'b', 0});
  CHECK(
      encoded("classless-static-routes", {"10.128.0.0/9 via 10.0.0.1", "0.0.0.0/0 via 10.0.0.2"}) ==
      Bytes{9, 10, 128, 10, 0, 0, 1, 0, 10, 0, 0, 2});
  CHECK(encoded("static-routes", {"10.1.0.0 10.0.0.1"}) == Bytes{10, 1, 0, 0, 10, 0, 0, 1});
  CHECK(encoded("224", {"0a:0B 0c"}) == Bytes{10, 11, 12});
  CHECK(encoded("routers", {"hex:0102"}) == Bytes{1, 2});
}

TEST_CASE("dhcp/option_names: bad values are refused with what is wrong") {
  struct Case {
    uint8_t code;
    std::vector<std::string> values;
    const char* says;
  };
  const Case cases[] = {
      {3, {}, "a value is needed"},
      {3, {"gateway"}, "'gateway' is not an address"},
      {15, {"a", "b"}, "takes one value"},
      {15, {""}, "is not a text"},
      {26, {"65536"}, "is not a number of 16 bits"},
      {26, {"-1"}, "is not a number of 16 bits"},
      {26, {"1 "}, "is not a number of 16 bits"},
      {19, {"yes"}, "is not true or false"},
      {119, {"a..b"}, "is not a domain name"},
      {119, {std::string(64, 'a')}, "is not a domain name"},
      {121, {"10.0.0.0/8"}, "is not a route"},
      {121, {"10.0.0.1/8 via 10.0.0.1"}, "is not a route"},
      {33, {"10.1.0.0"}, "a pair of addresses"},
      {224, {"0"}, "even number of hex digits"},
      {224, {"0g"}, "bytes in hexadecimal"},
      {224, {std::string(2050, '0')}, "more than 1024 bytes"},
      {53, {"1"}, "the server's own"},
      {51, {"1"}, "the server's own"},
      {82, {"1"}, "the server's own"},
  };
  for (const Case& c : cases) {
    auto bytes = encode_option(c.code, c.values);
    REQUIRE_FALSE(bytes);
    INFO(bytes.error().text);
    CHECK(bytes.error().text.find(c.says) != std::string::npos);
  }
}

TEST_CASE("dhcp/option_names: classless routes are read, or none of them", "[RFC3442-2]") {
  CHECK(decode_routes(encoded("121", {"10.128.0.0/9 via 10.0.0.1", "0.0.0.0/0 via 10.0.0.2"})) ==
        std::vector<ClasslessRoute>{{0x0A800000, 9, 0x0A000001}, {0, 0, 0x0A000002}});
  CHECK(decode_routes(Bytes{33, 1, 2, 3, 4, 5, 6, 7, 8, 9}).empty());
  CHECK(decode_routes(Bytes{9, 10, 128, 10, 0, 0}).empty());
  CHECK(decode_routes(Bytes{}).empty());
}

}  // namespace postern::dhcp
