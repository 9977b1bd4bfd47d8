// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/message.h"

#include <catch2/catch.hpp>

#include "unit/dhcp/build_message.h"

namespace postern::dhcp {
namespace {

using test::Built;

std::vector<uint8_t> written(const Outgoing& outgoing, unsigned& left_out) {
  std::vector<uint8_t> out(kMessageBytesMax);
  out.resize(write_message(outgoing, out, left_out));
  return out;
}

}  // namespace

TEST_CASE("dhcp/message: a request is read field by field", "[RFC2131-2][RFC2132-2]") {
  auto bytes = Built(MessageType::request, 7)
                   .ciaddr({192, 168, 1, 9})
                   .giaddr({10, 0, 0, 1})
                   .broadcast()
                   .text(option::host_name, "pc1")
                   .address(option::requested_address, Ipv4Address(192, 168, 1, 10))
                   .add({0, 0})
                   .option(option::message_size, {0x05, 0xdc})
                   .done();
  Message message;
  REQUIRE(message.read(bytes) == MessageFault::none);
  CHECK(message.type == MessageType::request);
  CHECK(message.header.xid == 7);
  CHECK(message.header.flags == kBroadcastFlag);
  CHECK(message.header.ciaddr == Ipv4Address(192, 168, 1, 9));
  CHECK(message.header.giaddr == Ipv4Address(10, 0, 0, 1));
  CHECK(message.header.mac() == test::mac_of(7));
  CHECK(message.text(option::host_name) == "pc1");
  CHECK(message.address(option::requested_address) == Ipv4Address(192, 168, 1, 10));
  CHECK(message.number16(option::message_size) == 1500);
  CHECK_FALSE(message.has(option::client_id));
  CHECK(message.find(option::client_id).empty());
}

TEST_CASE("dhcp/message: BOOTP without options is a message without a type", "[RFC1534-2]") {
  std::vector<uint8_t> bytes = Built().done();
  bytes.resize(kMessageBytesMin);
  Message message;
  REQUIRE(message.read(bytes) == MessageFault::none);
  CHECK(message.type == MessageType::none);
  bytes.resize(kHeaderBytes);
  CHECK(message.read(bytes) == MessageFault::none);
}

TEST_CASE("dhcp/message: bad bytes are refused", "[RFC2131-2]") {
  struct Case {
    const char* name;
    std::vector<uint8_t> bytes;
    MessageFault fault;
  };
  auto cut = [](size_t size) {
    auto bytes = Built().done();
    bytes.resize(size);
    return bytes;
  };
  const Case cases[] = {
      {"nothing", {}, MessageFault::too_short},
      {"half a header", cut(235), MessageFault::too_short},
      {"too long", cut(kMessageBytesMax + 1), MessageFault::too_long},
      {"op 0", Built().at(0, {0}).done(), MessageFault::not_bootp},
      {"op 3", Built().at(0, {3}).done(), MessageFault::not_bootp},
      {"hlen 17", Built().at(2, {17}).done(), MessageFault::hardware_address},
      {"hlen 255", Built().at(2, {255}).done(), MessageFault::hardware_address},
      {"a code without length", Built().add({12}).unended(), MessageFault::truncated_option},
      {"one byte short", Built().add({12, 4, 'a', 'b', 'c'}).unended(),
       MessageFault::truncated_option},
      {"length beyond all", Built().add({12, 255}).unended(), MessageFault::truncated_option},
      {"overload 0", Built().option(52, {0}).done(), MessageFault::bad_overload},
      {"overload 4", Built().option(52, {4}).done(), MessageFault::bad_overload},
      {"overload of no byte", Built().add({52, 0}).done(), MessageFault::bad_overload},
      {"overload of two", Built().option(52, {1, 1}).done(), MessageFault::bad_overload},
      {"overrun in file", Built().option(52, {1}).at(108 + 126, {12, 9}).done(),
       MessageFault::truncated_option},
      {"overrun in sname", Built().option(52, {2}).at(44 + 62, {12, 1}).done(),
       MessageFault::truncated_option},
      {"type 0", Built().option(53, {0}).done(), MessageFault::bad_type},
      {"type 9", Built().option(53, {9}).done(), MessageFault::bad_type},
      {"type of no byte", Built().add({53, 0}).done(), MessageFault::bad_type},
      {"two types", Built().option(53, {1}).option(53, {3}).done(), MessageFault::bad_type},
  };
  Message message;
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(message.read(c.bytes) == c.fault);
    CHECK(to_word(c.fault) != std::string("?"));
  }
}

TEST_CASE("dhcp/message: a missing end option ends with the message") {
  Message message;
  REQUIRE(message.read(Built(MessageType::discover).unended()) == MessageFault::none);
  CHECK(message.type == MessageType::discover);
}

TEST_CASE("dhcp/message: pieces of an option are joined, overloaded fields included",
          "[RFC3396-7][RFC2132-9.3]") {
  auto bytes = Built(MessageType::discover)
                   .text(option::user_class, "aa")
                   .option(52, {3})
                   .text(option::user_class, "bb")
                   .at(44, {77, 1, 'd', 12, 1, 'h', 255})
                   .at(108, {77, 2, 'c', 'c', 255})
                   .done();
  Message message;
  REQUIRE(message.read(bytes) == MessageFault::none);
  CHECK(message.text(option::user_class) == "aabbccd");
  CHECK(message.text(option::host_name) == "h");
  CHECK(message.file().empty());
  CHECK(message.server_name().empty());
  CHECK(message.read(Built().at(108, {'b', 'o', 'o', 't'}).done()) == MessageFault::none);
  CHECK(message.file() == "boot");
}

TEST_CASE("dhcp/message: what is written is read back", "[RFC2131-2]") {
  const std::vector<uint8_t> type{5}, mask{255, 255, 255, 0};
  const OptionView options[] = {{option::message_type, type}, {option::subnet_mask, mask}};
  Outgoing outgoing;
  outgoing.header.op = kBootReply;
  outgoing.header.xid = 0x01020304;
  outgoing.header.yiaddr = {192, 168, 1, 10};
  outgoing.header.siaddr = {192, 168, 1, 1};
  outgoing.file = "boot.efi";
  outgoing.options = options;
  unsigned left_out = 0;
  auto bytes = written(outgoing, left_out);
  CHECK(bytes.size() == kMessageBytesMin);
  Message message;
  REQUIRE(message.read(bytes) == MessageFault::none);
  CHECK(message.type == MessageType::ack);
  CHECK(message.header.op == kBootReply);
  CHECK(message.header.xid == 0x01020304);
  CHECK(message.header.yiaddr == Ipv4Address(192, 168, 1, 10));
  CHECK(message.header.siaddr == Ipv4Address(192, 168, 1, 1));
  CHECK(message.file() == "boot.efi");
  CHECK(message.number32(option::subnet_mask) == 0xFFFFFF00);
  CHECK(left_out == 0);
}

TEST_CASE("dhcp/message: long values are split and joined again", "[RFC3396-5]") {
  std::vector<uint8_t> value(700);
  for (size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<uint8_t>(i * 7);
  const OptionView options[] = {{option::classless_routes, value}};
  Outgoing outgoing;
  outgoing.options = options;
  outgoing.bytes_max = kMessageBytesMax;
  unsigned left_out = 0;
  Message message;
  REQUIRE(message.read(written(outgoing, left_out)) == MessageFault::none);
  auto joined = message.find(option::classless_routes);
  CHECK(std::vector<uint8_t>(joined.begin(), joined.end()) == value);
}

TEST_CASE("dhcp/message: what does not fit goes into file and sname, then is left out",
          "[RFC2132-9.3][RFC3046-2.2]") {
  const std::vector<uint8_t> big(200, 1), middle(100, 2), small(50, 3), circuit(20, 4);
  const OptionView options[] = {{101, big},
                                {102, middle},
                                {103, middle},
                                {104, small},
                                {105, middle},
                                {106, small},
                                {option::relay_agent, circuit}};
  Outgoing outgoing;
  outgoing.options = options;
  unsigned left_out = 0;
  auto bytes = written(outgoing, left_out);
  CHECK(bytes.size() <= kMessageBytesSafe);
  Message message;
  REQUIRE(message.read(bytes) == MessageFault::none);
  CHECK(message.find(101).size() == 200);
  CHECK(message.find(102).size() == 100);  // in file
  CHECK(message.find(104).size() == 50);
  CHECK(message.find(106).size() == 50);  // in sname
  CHECK_FALSE(message.has(103));
  CHECK(left_out == 2);
  auto relay = message.find(option::relay_agent);
  CHECK(std::vector<uint8_t>(relay.begin(), relay.end()) == circuit);
  // It is the last one before the end.
  CHECK(std::equal(circuit.begin(), circuit.end(), bytes.end() - 21));

  outgoing.file = "boot";
  left_out = 0;
  REQUIRE(message.read(written(outgoing, left_out)) == MessageFault::none);
  CHECK(message.file() == "boot");
  CHECK(left_out == 3);
}

}  // namespace postern::dhcp
