// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/own_questions.h"

#include <catch2/catch.hpp>
#include <vector>

namespace postern {
namespace {

// An answer with the given rcode, and one record of each address and of another type.
std::vector<uint8_t> answer(uint16_t rcode, const std::vector<uint32_t>& addresses) {
  std::vector<uint8_t> room(512);
  dns::Writer writer(room);
  dns::Header header;
  header.flags = static_cast<uint16_t>(dns::flag::qr | rcode);
  header.questions = 1;
  header.answers = static_cast<uint16_t>(addresses.size() + 1);
  writer.header(header);
  const dns::Name name = *dns::parse_name("www.example");
  writer.bytes(name.wire());
  writer.u16(dns::type::a);
  writer.u16(dns::kClassIn);
  auto record = [&](uint16_t type, uint32_t value) {
    writer.u16(0xC00C);
    writer.u16(type);
    writer.u16(dns::kClassIn);
    writer.u32(60);
    writer.u16(4);
    writer.u32(value);
  };
  record(dns::type::txt, 0x03616263);
  for (const uint32_t address : addresses)
    record(dns::type::a, address);
  room.resize(writer.size());
  return room;
}

}  // namespace

TEST_CASE("control/own_questions: addresses are read off an answer, in its order", "[F56]") {
  const auto found = addresses_of_answer(answer(0, {0xC6336450, 0xC6336401}));
  REQUIRE(found);
  CHECK(*found == std::vector{Ipv4Address(0xC6336450), Ipv4Address(0xC6336401)});
  const auto many = addresses_of_answer(answer(0, std::vector<uint32_t>(24, 1)));
  CHECK(many->size() == OwnQuestions::kAddressesMax);
}

TEST_CASE("control/own_questions: anything else is told in words", "[F56]") {
  CHECK(addresses_of_answer(answer(3, {})).error().text == "there is no such name");
  CHECK(addresses_of_answer(answer(0, {})).error().text == "the name has no IPv4 address");
  CHECK_FALSE(addresses_of_answer(answer(2, {1})));
  std::vector<uint8_t> cut = answer(0, {1});
  for (size_t size = 0; size < 29; ++size)
    CHECK_FALSE(addresses_of_answer(dns::Bytes(cut).first(size)));
}

}  // namespace postern
