// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/channel/handshake.h"

#include <catch2/catch.hpp>

#include "unit/remote/two_sides.h"

using namespace postern;
using namespace postern::remote;
using test::TwoSides;

namespace {

bool contains(const Buffer& where, std::string_view what) {
  return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

// Where the octets of the client's log-in begin and end on the wire.
constexpr size_t kLogInBegin = kClientHello + kStreamHeader;
constexpr size_t kLogInEnd = kLogInBegin + 1 + kSizeClasses[kLogInClass] + kSealing;
// The verdict is a record of the smallest class.
constexpr size_t kVerdictEnd = kServerHello + kStreamHeader + 1 + kSizeClasses[0] + kSealing;

void flip(test::Way& way, size_t bit) {
  way.change = [bit](Buffer& octets, size_t at) {
    if (bit / 8 >= at && bit / 8 < at + octets.size()) {
      octets[bit / 8 - at] ^= static_cast<uint8_t>(1u << bit % 8);
    }
  };
}

}  // namespace

TEST_CASE("remote/handshake: a key or a password opens a session", "[F59]") {
  TwoSides bed;
  if (GENERATE(false, true)) bed.password = "correct horse 7!";
  bed.run();
  CHECK(bed.is_known);
  CHECK(bed.is_whole());
  CHECK_FALSE(bed.is_broken());
  CHECK(bed.client.server_key() == bed.server_key.public_key());
}

TEST_CASE("remote/handshake: who is not welcome hears nothing but that", "[F59][F61]") {
  TwoSides bed;
  bed.verdict = GENERATE(Verdict::denied, Verdict::later);
  bed.run();
  CHECK(bed.client.verdict() == bed.verdict);
  CHECK(bed.heard_request.empty());
  CHECK(bed.server.wanted() == 0);
  bed.server.send("secret", true);
  CHECK(bed.server.out().empty());
}

TEST_CASE("remote/handshake: the wire shows no name, rule or password", "[F59]") {
  TwoSides bed;
  if (GENERATE(false, true)) bed.password = "correct horse 7!";
  bed.run();
  REQUIRE(bed.is_whole());
  for (const Buffer* way : {&bed.to_server.sent, &bed.to_client.sent}) {
    for (const std::string& word : {bed.name, bed.request, bed.response, std::string("horse"),
                                    std::string("alic"), std::string("trojan")}) {
      CHECK_FALSE(contains(*way, word));
    }
    // Nor who it is by a key.
    const PublicKey& key = bed.admin_key.public_key();
    CHECK(std::search(way->begin(), way->end(), key.begin(), key.end()) == way->end());
  }
}

TEST_CASE("remote/handshake: both ways to log in, and all names, have one size", "[F59]") {
  TwoSides by_key, by_password;
  by_key.name = "a";
  by_password.name = std::string(kNameMax, 'b');
  by_password.password = std::string(kPasswordMax, 'p');
  by_key.run();
  by_password.run();
  REQUIRE((by_key.is_whole() && by_password.is_whole()));
  CHECK(by_key.to_server.sent.size() == by_password.to_server.sent.size());
  CHECK(by_key.to_client.sent.size() == by_password.to_client.sent.size());
}

TEST_CASE("remote/handshake: two sessions have nothing in common on the wire", "[F59]") {
  TwoSides one, two;
  two.server_key = std::move(one.server_key);
  one.server_key = SigningKey::generate();
  one.run();
  two.run();
  for (size_t i = kHelloHead; i + 16 < one.to_server.sent.size(); i += 16) {
    CHECK_FALSE(std::equal(one.to_server.sent.begin() + static_cast<std::ptrdiff_t>(i),
                           one.to_server.sent.begin() + static_cast<std::ptrdiff_t>(i + 16),
                           two.to_server.sent.begin() + static_cast<std::ptrdiff_t>(i)));
  }
}

TEST_CASE("remote/handshake: no flipped bit of the hellos leads to a log-in", "[F59]") {
  const bool is_to_server = GENERATE(true, false);
  const size_t octets = is_to_server ? kClientHello : kServerHello + kStreamHeader;
  for (size_t bit = 0; bit < octets * 8; ++bit) {
    TwoSides bed;
    flip(is_to_server ? bed.to_server : bed.to_client, bit);
    bed.run();
    // The stream header of the server is seen to be wrong with the verdict.
    const bool is_header = !is_to_server && bit / 8 >= kServerHello;
    if (!bed.is_broken() || (bed.is_known && !is_header)) FAIL("bit " << bit);
    if (!bed.heard_request.empty()) FAIL("bit " << bit);
  }
}

TEST_CASE("remote/handshake: no changed octet of the log-in is accepted", "[F59]") {
  for (size_t octet = kClientHello; octet < kLogInEnd; ++octet) {
    TwoSides bed;
    flip(bed.to_server, octet * 8 + octet % 8);
    bed.run();
    // A size class that promises more waits for it.
    const bool waits = octet == kLogInBegin && !bed.is_broken();
    if ((!bed.is_server_broken && !waits) || bed.is_known) FAIL("octet " << octet);
  }
}

TEST_CASE("remote/handshake: no changed octet of the verdict is believed", "[F59]") {
  for (size_t octet = kServerHello; octet < kVerdictEnd; ++octet) {
    TwoSides bed;
    flip(bed.to_client, octet * 8 + octet % 8);
    bed.run();
    if (!bed.is_client_broken || !bed.heard_request.empty()) FAIL("octet " << octet);
  }
}

TEST_CASE("remote/handshake: cut anywhere, nobody is logged in and nothing has ended", "[F59]") {
  TwoSides whole;
  whole.run();
  REQUIRE(whole.is_whole());
  const size_t total = whole.to_server.sent.size();
  for (size_t cut = 0; cut < total; ++cut) {
    if (cut > kLogInEnd + 8 && cut + 8 < total) continue;  // records_test.cc has the rest
    TwoSides bed;
    bed.to_server.change = [cut](Buffer& octets, size_t at) {
      if (at + octets.size() > cut) octets.resize(cut > at ? cut - at : 0);
    };
    bed.run();
    if (bed.is_known != (cut >= kLogInEnd) || bed.has_server_ended) FAIL("cut at " << cut);
  }
}

TEST_CASE("remote/handshake: a recorded session is of no use a second time", "[F59]") {
  TwoSides recorded;
  if (GENERATE(false, true)) recorded.password = "correct horse 7!";
  recorded.run();
  REQUIRE(recorded.is_whole());
  // To the server, whose key is the same.
  ServerSide server(recorded.server_key);
  test::Way way;
  way.waiting = recorded.to_server.sent;
  ServerSide::Step step = {};
  while (way.deliver(server, step))
    CHECK((step == ServerSide::Step::more || step == ServerSide::Step::broken));
  CHECK(step == ServerSide::Step::broken);
  // To a client.
  ClientSide client;
  test::Way back;
  back.waiting = recorded.to_client.sent;
  ClientSide::Step said = {};
  while (back.deliver(client, said))
    CHECK((said == ClientSide::Step::more || said == ClientSide::Step::broken));
  CHECK(said == ClientSide::Step::broken);
}

TEST_CASE("remote/handshake: a log-in of one session is refused in another", "[F59]") {
  TwoSides recorded;
  recorded.run();
  REQUIRE(recorded.is_whole());
  TwoSides bed;
  bed.server_key = SigningKey::generate();
  bed.to_server.change = [&recorded](Buffer& octets, size_t at) {
    if (at == 0) return;  // the hello is this session's own
    octets.assign(recorded.to_server.sent.begin() + kClientHello, recorded.to_server.sent.end());
  };
  bed.run();
  CHECK(bed.is_server_broken);
  CHECK_FALSE(bed.is_known);
}

TEST_CASE("remote/handshake: what a side sent is refused when it comes back to it", "[F59]") {
  ClientSide client;
  Buffer hello = client.out();
  CHECK(client.take(Bytes(hello).first(kHelloHead)) == ClientSide::Step::more);
  hello.resize(kServerHello);
  CHECK(client.take(Bytes(hello).subspan(kHelloHead)) == ClientSide::Step::broken);
  // Records of the server, sent back to it: the keys of the directions differ.
  TwoSides bed;
  bed.to_server.change = [&bed](Buffer& octets, size_t at) {
    if (at != 0) octets.assign(bed.to_client.sent.begin() + kServerHello, bed.to_client.sent.end());
  };
  bed.run();
  CHECK_FALSE(bed.is_known);
}

// The man in the middle has a key of his own, and else passes on what he likes.
TEST_CASE("remote/handshake: another server's key in the hello is not proved by it", "[F59]") {
  TwoSides bed;
  const SigningKey other = SigningKey::generate();
  bed.to_client.change = [&other](Buffer& octets, size_t at) {
    if (at != 0) return;
    std::copy(other.public_key().begin(), other.public_key().end(),
              octets.begin() + kHelloHead + 32);
  };
  bed.run();
  CHECK(bed.is_client_broken);
  CHECK(bed.client.why() == "it does not prove that its key is its own");
}

TEST_CASE("remote/handshake: a log-in that is passed on to another server fails there", "[F59]") {
  // The client believes in the middle's key; what it signs there is not of the other session.
  const SigningKey middle_key = SigningKey::generate(), server_key = SigningKey::generate();
  const SigningKey admin_key = SigningKey::generate();
  ServerSide middle(middle_key), server(server_key);
  ClientSide client;
  test::Way way;
  way.waiting = client.out();
  const Buffer hello = client.out();
  client.out().clear();
  REQUIRE(middle.take(hello) == ServerSide::Step::more);
  REQUIRE(server.take(hello) == ServerSide::Step::more);
  Buffer answer = middle.out();
  REQUIRE(client.take(Bytes(answer).first(kHelloHead)) == ClientSide::Step::more);
  REQUIRE(client.take(Bytes(answer).subspan(kHelloHead, kServerHello - kHelloHead)) ==
          ClientSide::Step::hello);
  client.log_in(admin_key, "alice");
  test::Way to_server;
  to_server.waiting = client.out();
  ServerSide::Step step = {};
  while (to_server.deliver(server, step)) {
  }
  CHECK(step == ServerSide::Step::broken);
}

TEST_CASE("remote/handshake: other versions are told ours and refused", "[F59]") {
  TwoSides bed;
  const auto version = static_cast<uint8_t>(GENERATE(0, 2, 255));
  bed.to_server.change = [version](Buffer& octets, size_t at) {
    if (at == 0) octets[kHelloHead - 1] = version;
  };
  bed.run();
  CHECK(bed.is_server_broken);
  CHECK(bed.to_client.sent.size() == kHelloHead);
  CHECK(bed.server.wanted() == 0);
  // A client does not follow a server to another version.
  ClientSide client;
  Buffer head = client.out();
  head.resize(kHelloHead);
  head.back() = version;
  CHECK(client.take(head) == ClientSide::Step::broken);
  CHECK(client.why().find("version " + std::to_string(version)) != std::string::npos);
}

TEST_CASE("remote/handshake: points that leave no choice are refused", "[F59]") {
  TwoSides bed;
  const bool is_one = GENERATE(false, true);
  bed.to_server.change = [is_one](Buffer& octets, size_t at) {
    if (at != 0) return;
    std::fill(octets.begin() + kHelloHead, octets.end(), uint8_t{0});
    octets[kHelloHead] = is_one ? 1 : 0;
  };
  bed.run();
  CHECK(bed.is_server_broken);
  CHECK(bed.to_client.sent.empty());
}

TEST_CASE("remote/handshake: before the log-in there is room for one record only", "[F59][F61]") {
  TwoSides bed;
  const auto size_class = static_cast<uint8_t>(GENERATE(2, 3, 4, 255));
  bed.to_server.change = [size_class](Buffer& octets, size_t at) {
    if (at != 0) octets[kStreamHeader] = size_class;
  };
  bed.run();
  CHECK(bed.is_server_broken);
  CHECK(bed.server.wanted() == 0);
}
