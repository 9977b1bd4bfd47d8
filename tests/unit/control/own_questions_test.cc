// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/own_questions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
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
  std::unique_ptr<OwnQuestions> own = std::make_unique<OwnQuestions>(context, service);
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
  // What is ready on the loop by now.
  void turn() {
    context.restart();
    context.poll();
  }
  // The server answers what it was asked with `address`, for some seconds or until `is_over`.
  template <typename IsOver>
  void serve(uint32_t address, const IsOver& is_over) {
    for (int i = 0; i < 500 && !is_over(); ++i) {
      context.restart();
      context.run_for(std::chrono::milliseconds(5));
      while (answer_one(address)) {
      }
    }
  }
  bool answer_one(uint32_t address) const {
    std::vector<uint8_t> message(1500);
    sockaddr_in from = {};
    socklen_t from_size = sizeof from;
    auto* const at = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size =
        recvfrom(silent, message.data(), message.size(), MSG_DONTWAIT, at, &from_size);
    if (size < static_cast<ssize_t>(dns::kHeaderBytes)) return false;
    const auto name_end =
        dns::skip_name(dns::Bytes(message).first(static_cast<size_t>(size)), dns::kHeaderBytes);
    REQUIRE(name_end);
    message.resize(*name_end + 4);  // header and question; what is behind is EDNS
    message[2] |= 0x80;             // QR
    message[7] = 1;                 // an answer
    message[11] = 0;                // no EDNS
    const uint8_t record[] = {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
    message.insert(message.end(), std::begin(record), std::end(record));
    for (const int shift : {24, 16, 8, 0})
      message.push_back(static_cast<uint8_t>(address >> shift));
    return sendto(silent, message.data(), message.size(), 0, at, from_size) > 0;
  }
};

}  // namespace

TEST_CASE("control/own_questions: a question is answered once, to the one who asked", "[F56]") {
  Bed bed;
  bed.ask("away.example");
  CHECK(bed.own->under_way() == 1);
  bed.ask("here.example");
  CHECK(bed.told.empty());  // not from within
  bed.turn();
  CHECK(bed.told == std::vector<std::string>{"198.51.100.7"});
  // A number that nobody asked under, or that was answered already.
  bed.own->take(OwnQuestions::kFirstNumber + 1'000, answer(0, {1}));
  bed.own->take(OwnQuestions::kFirstNumber + 1, answer(0, {0xC6336450}));
  bed.own->take(OwnQuestions::kFirstNumber + 1, answer(0, {2}));
  CHECK(bed.told.size() == 1);
  bed.turn();
  CHECK(bed.told == std::vector<std::string>{"198.51.100.7", "198.51.100.80"});
  CHECK(bed.own->under_way() == 0);
  CHECK(bed.others.empty());
}

TEST_CASE("control/own_questions: a quarter of all questions is ours; further ones fail",
          "[F53][F56]") {
  Bed bed;
  for (size_t i = 0; i < dns::kPendingMax; ++i)
    bed.ask("n" + std::to_string(i) + ".away.example");
  CHECK(bed.own->under_way() == OwnQuestions::kQuestionsMax);
  CHECK(bed.service.forwarder().pending().size() == dns::kPendingMax / 4);
  CHECK(bed.service.forwarder().counters().busy == 0);  // others are still heard
  CHECK(bed.told.empty());
  bed.turn();
  REQUIRE(bed.told.size() >= dns::kPendingMax - OwnQuestions::kQuestionsMax);
  CHECK(bed.told.front() == "too many names are asked for at once");
}

TEST_CASE("control/own_questions: what is open when the service ends fails", "[F56]") {
  Bed bed;
  bed.ask("away.example");
  bed.ask("b.away.example");
  bed.own.reset();
  CHECK(bed.told.empty());
  bed.turn();
  CHECK(bed.told == std::vector<std::string>(2, "the DNS service ends"));
}

// As the proxy does with the next request of a connection. An answer that the rebind guard refuses
// is not kept, so each time the server is asked anew.
TEST_CASE("control/own_questions: who is told may ask for the same name again", "[F53][F56]") {
  Bed bed;
  const dns::Name name = *dns::parse_name("x.evil.example");
  constexpr size_t kAskers = 3;
  constexpr size_t kEach = 4;
  size_t told = 0;
  OwnQuestions::Found again = [&](const Result<OwnQuestions::Addresses>& addresses) {
    CHECK_FALSE(addresses);
    if (++told <= kAskers * (kEach - 1)) bed.own->ask(name, again);
  };
  for (size_t i = 0; i < kAskers; ++i)
    bed.own->ask(name, again);
  bed.serve(0x0A000001, [&] { return bed.own->under_way() == 0 && told >= kAskers * kEach; });
  CHECK(told == kAskers * kEach);
  CHECK(bed.own->under_way() == 0);
  CHECK(bed.service.forwarder().pending().size() == 0);
  CHECK(bed.service.forwarder().counters().rebind >= kEach);
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

namespace {

// An answer with the mail hosts of www.example, by names that are compressed or not.
std::vector<uint8_t> mail_answer(uint16_t rcode,
                                 const std::vector<std::pair<uint16_t, std::string>>& hosts) {
  std::vector<uint8_t> room(2048);
  dns::Writer writer(room);
  dns::Header header;
  header.flags = static_cast<uint16_t>(dns::flag::qr | rcode);
  header.questions = 1;
  header.answers = static_cast<uint16_t>(hosts.size());
  writer.header(header);
  writer.bytes(dns::parse_name("www.example")->wire());
  writer.u16(dns::type::mx);
  writer.u16(dns::kClassIn);
  for (const auto& [preference, name] : hosts) {
    writer.u16(0xC00C);
    writer.u16(dns::type::mx);
    writer.u16(dns::kClassIn);
    writer.u32(60);
    if (name == "@") {
      writer.u16(4);
      writer.u16(preference);
      writer.u16(0xC00C);
      continue;
    }
    const dns::Name host = *dns::parse_name(name);
    writer.u16(static_cast<uint16_t>(2 + host.wire().size()));
    writer.u16(preference);
    writer.bytes(host.wire());
  }
  room.resize(writer.size());
  return room;
}

}  // namespace

TEST_CASE("control/own_questions: mail hosts come with their preference", "[F49]") {
  const auto hosts = mail_hosts_of_answer(
      mail_answer(0, {{20, "mx2.example"}, {10, "@"}, {65535, "mx3.b.example"}}));
  REQUIRE(hosts);
  REQUIRE(hosts->size() == 3);
  CHECK((*hosts)[0].name == "mx2.example");
  CHECK((*hosts)[0].preference == 20);
  CHECK((*hosts)[1].name == "www.example");
  CHECK((*hosts)[2].preference == 65535);
  const auto none = mail_hosts_of_answer(mail_answer(0, {}));
  REQUIRE(none);
  CHECK(none->empty());
  // RFC 7505: it takes no mail.
  const auto refuses = mail_hosts_of_answer(mail_answer(0, {{0, "."}}));
  REQUIRE(refuses);
  CHECK((*refuses)[0].name.empty());
}

TEST_CASE("control/own_questions: no mail hosts are made of what is none", "[F49]") {
  CHECK(mail_hosts_of_answer(mail_answer(dns::rcode::name_error, {})).error().code ==
        ErrorCode::not_found);
  CHECK(mail_hosts_of_answer(mail_answer(dns::rcode::server_failure, {})).error().code ==
        ErrorCode::failed);
  CHECK_FALSE(mail_hosts_of_answer(dns::Bytes()));
  std::vector<uint8_t> whole = mail_answer(0, {{10, "mx.example"}});
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto hosts = mail_hosts_of_answer(dns::Bytes(whole).first(size));
    CHECK((!hosts || hosts->empty()));
  }
  std::vector<std::pair<uint16_t, std::string>> many(OwnQuestions::kMailHostsMax + 5,
                                                     {10, "mx.example"});
  const auto bounded = mail_hosts_of_answer(mail_answer(0, many));
  REQUIRE(bounded);
  CHECK(bounded->size() == OwnQuestions::kMailHostsMax);
}

TEST_CASE("control/own_questions: addresses and mail hosts are asked for side by side", "[F49]") {
  Bed bed;
  std::vector<std::string> mail;
  bed.ask("www.example");
  bed.own->ask_mail_hosts(*dns::parse_name("www.example"),
                          [&mail](const Result<OwnQuestions::MailHosts>& hosts) {
                            mail.push_back(hosts ? hosts->front().name : hosts.error().text);
                          });
  CHECK(bed.own->under_way() == 2);
  bed.own->take(OwnQuestions::kFirstNumber + 2, mail_answer(0, {{10, "mx.example"}}));
  bed.own->take(OwnQuestions::kFirstNumber + 1, answer(0, {0xC6336450}));
  CHECK(mail.empty());  // on a later turn
  bed.turn();
  CHECK(mail == std::vector<std::string>{"mx.example"});
  CHECK(bed.told == std::vector<std::string>{"198.51.100.80"});
}

}  // namespace postern
