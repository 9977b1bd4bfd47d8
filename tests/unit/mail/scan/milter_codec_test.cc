// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_codec.h"

#include <catch2/catch.hpp>

#include "services/mail/scan/milter_address.h"

using namespace postern;
using namespace postern::mail;
using namespace std::literals;

TEST_CASE("mail/milter_codec: options are written and read as octets", "[F54]") {
  std::string out;
  append_options(out, {6, 0x21, 0x1fffff});
  CHECK(out == "\0\0\0\x0dO\0\0\0\x06\0\0\0\x21\0\x1f\xff\xff"s);
  CHECK(parse_options(std::string_view(out).substr(5)) == MilterOptions{6, 0x21, 0x1fffff});
  // With a list of macros behind.
  CHECK(parse_options(out.substr(5) + "\0\0\0\0j\0"s) == MilterOptions{6, 0x21, 0x1fffff});
  CHECK_FALSE(parse_options("\0\0\0\x06\0\0\0\x21\0\x1f\xff"s));
  CHECK_FALSE(parse_options(""));
}

TEST_CASE("mail/milter_codec: packets are read in any pieces", "[F54]") {
  std::string stream;
  append_packet(stream, 'c', "");
  append_packet(stream, 'y', "550 no\0"s);
  append_packet(stream, 'h', std::string(65535, 'x'));
  const size_t step = GENERATE(1, 3, 100, 70'000);
  MilterReader reader;
  std::string told;
  for (size_t at = 0; at < stream.size(); at += step) {
    reader.take(std::string_view(stream).substr(at, step));
    while (const auto packet = reader.next()) {
      told += packet->command;
      told += std::to_string(packet->data.size()) + " ";
    }
  }
  CHECK(told == "c0 y7 h65535 ");
  CHECK_FALSE(reader.is_broken());
}

TEST_CASE("mail/milter_codec: a length that cannot be ends it", "[F54]") {
  const std::string bad = GENERATE("\0\0\0\0"s, "\0\x10\0\x01"s, "\xff\xff\xff\xff"s, "HTTP"s);
  MilterReader reader;
  reader.take(bad + "ccccccccc");
  CHECK_FALSE(reader.next());
  CHECK(reader.is_broken());
  reader.take(
      "\0\0\0\x01"
      "c"s);
  CHECK_FALSE(reader.next());
}

TEST_CASE("mail/milter_codec: strings and numbers in the data end where they end", "[F54]") {
  std::string_view data =
      "ab\0\0\0\x01\x02"
      "c"sv;
  CHECK(take_string(data) == "ab");
  CHECK(take_number(data) == 0x102u);
  CHECK_FALSE(take_string(data));
  CHECK_FALSE(take_number(data));
}

TEST_CASE("mail/milter_address: a path or an address with its port, and nothing else", "[F54]") {
  CHECK(*parse_milter_address("unix:/run/m.sock") == MilterAddress{"/run/m.sock", {}, 0});
  CHECK(*parse_milter_address("inet:192.0.2.1:7357") ==
        MilterAddress{"", Ipv4Address(192, 0, 2, 1), 7357});
  const std::string bad =
      GENERATE("", "unix:", "unix:m.sock", "inet:", "inet:192.0.2.1", "inet:192.0.2.1:0",
               "inet:192.0.2.1:65536", "inet:192.0.2.1:12x", "inet:7357@192.0.2.1",
               "inet:m.example:7357", "inet6:::1:7357", "/run/m.sock", "inet: 192.0.2.1:1");
  CHECK_FALSE(parse_milter_address(bad));
  CHECK_FALSE(parse_milter_address("unix:/" + std::string(107, 'x')));
  CHECK(parse_milter_address("unix:/" + std::string(106, 'x')));
  CHECK_FALSE(parse_milter_address("unix:/a\0b"s));
}
