// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/echo.h"

#include <catch2/catch.hpp>

#include "services/dhcp/frame.h"

namespace postern::dhcp {
namespace {

constexpr EchoMark kMark{0x1234, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

// What a host with the address 10.5.0.50 answers.
std::vector<uint8_t> answer(size_t ip_options = 0) {
  std::vector<uint8_t> packet(20 + ip_options);
  packet[0] = static_cast<uint8_t>(0x45 + ip_options / 4);
  packet[12] = 10;
  packet[13] = 5;
  packet[15] = 50;
  auto icmp = echo_request(kMark);
  icmp[0] = 0;  // a reply
  icmp[2] = icmp[3] = 0;
  auto sum = static_cast<uint16_t>(~fold_sum(add_sum(icmp, 0)));
  icmp[2] = static_cast<uint8_t>(sum >> 8);
  icmp[3] = static_cast<uint8_t>(sum);
  packet.insert(packet.end(), icmp.begin(), icmp.end());
  return packet;
}

}  // namespace

TEST_CASE("dhcp/echo: a request is an echo with a right checksum", "[P22]") {
  auto message = echo_request(kMark);
  CHECK(message[0] == 8);
  CHECK(message[1] == 0);
  CHECK(fold_sum(add_sum(message, 0)) == 0xFFFF);
}

TEST_CASE("dhcp/echo: the answer to our request tells who has the address", "[P22]") {
  CHECK(sender_of_reply(answer(), kMark) == Ipv4Address(10, 5, 0, 50));
  CHECK(sender_of_reply(answer(8), kMark) == Ipv4Address(10, 5, 0, 50));
}

TEST_CASE("dhcp/echo: what is cut, broken or somebody else's tells nothing", "[P22]") {
  const auto whole = answer(8);
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(sender_of_reply(std::span(whole).first(size), kMark));
  // Any octet but those of the IPv4 header that do not matter here.
  for (size_t at :
       {size_t{0}, size_t{28}, size_t{29}, size_t{30}, size_t{32}, size_t{36}, whole.size() - 1}) {
    auto changed = whole;
    changed[at] ^= 0x20;
    CHECK_FALSE(sender_of_reply(changed, kMark));
  }
  auto short_header = whole;
  short_header[0] = 0x44;
  CHECK_FALSE(sender_of_reply(short_header, kMark));
  EchoMark other = kMark;
  other.id ^= 1;
  CHECK_FALSE(sender_of_reply(whole, other));
  other = kMark;
  other.secret[15] ^= 1;
  CHECK_FALSE(sender_of_reply(whole, other));
}

}  // namespace postern::dhcp
