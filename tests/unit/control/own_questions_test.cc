// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/own_questions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <memory>
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

// A DNS service whose only server is a socket that nobody reads.
struct Bed {
  boost::asio::io_context context;
  const int silent = socket(AF_INET, SOCK_DGRAM, 0);
  std::vector<uint32_t> others;  // numbers of answers that are not ours
  dns::Service service{context, {}};
  std::unique_ptr<OwnQuestions> own = std::make_unique<OwnQuestions>(service);
  std::vector<std::string> told;

  Bed() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(silent, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    dns::Settings settings;
    settings.servers = {{Ipv4Address(127, 0, 0, 1), ntohs(address.sin_port), {}}};
    settings.records = {{Ipv4Address(198, 51, 100, 7), *dns::parse_name("here.example")}};
    REQUIRE(service.apply(settings, {}));
    service.set_own_reply([this](uint32_t number, dns::Bytes message) {
      if (number < OwnQuestions::kFirstNumber) return others.push_back(number);
      own->take(number, message);
    });
  }
  ~Bed() {
    own.reset();
    close(silent);
  }
  void ask(const std::string& name) {
    own->ask(*dns::parse_name(name), [this](const Result<OwnQuestions::Addresses>& addresses) {
      told.push_back(addresses ? to_text(addresses->front()) : addresses.error().text);
    });
  }
};

}  // namespace

TEST_CASE("control/own_questions: a question is answered once, to the one who asked", "[F56]") {
  Bed bed;
  bed.ask("away.example");
  CHECK(bed.own->under_way() == 1);
  bed.ask("here.example");
  CHECK(bed.told == std::vector<std::string>{"198.51.100.7"});
  // A number that nobody asked under, or that was answered already.
  bed.own->take(OwnQuestions::kFirstNumber + 1'000, answer(0, {1}));
  bed.own->take(OwnQuestions::kFirstNumber + 1, answer(0, {0xC6336450}));
  bed.own->take(OwnQuestions::kFirstNumber + 1, answer(0, {2}));
  CHECK(bed.told == std::vector<std::string>{"198.51.100.7", "198.51.100.80"});
  CHECK(bed.own->under_way() == 0);
  CHECK(bed.others.empty());
}

TEST_CASE("control/own_questions: so many are under way; further ones fail at once", "[F56]") {
  Bed bed;
  for (size_t i = 0; i < OwnQuestions::kQuestionsMax; ++i)
    bed.ask("away.example");
  CHECK(bed.told.empty());
  CHECK(bed.own->under_way() == OwnQuestions::kQuestionsMax);
  bed.ask("here.example");
  CHECK(bed.told == std::vector<std::string>{"too many names are asked for at once"});
}

TEST_CASE("control/own_questions: what is open when the service ends fails", "[F56]") {
  Bed bed;
  bed.ask("away.example");
  bed.ask("b.away.example");
  bed.own.reset();
  CHECK(bed.told == std::vector<std::string>(2, "the DNS service ends"));
}

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
