// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/tcp_tracker.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "dataplane/packet/flow_key.h"

namespace postern {
namespace {

constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kEce = 0x40,
                  kCwr = 0x80;

// Walks a story: ">" original and "<" reply, S syn, A ack, F fin, R rst, D data with ack; one word
// a segment, as in ">S <SA >A".
TcpState after(const std::string& story) {
  TcpState state = TcpState::none;
  Direction direction = Direction::original;
  uint8_t flags = 0;
  for (char c : story + " ") {
    switch (c) {
      case '>':
        direction = Direction::original;
        break;
      case '<':
        direction = Direction::reply;
        break;
      case 'S':
        flags |= kSyn;
        break;
      case 'A':
        flags |= kAck;
        break;
      case 'F':
        flags |= kFin | kAck;
        break;
      case 'R':
        flags |= kRst;
        break;
      case 'D':
        flags |= kAck | kPsh;
        break;
      default:
        if (flags != 0) state = advance(state, flags, direction);
        flags = 0;
    }
  }
  return state;
}

struct Story {
  const char* segments;
  TcpState state;
};

}  // namespace

TEST_CASE("nat/tcp_tracker: established takes a SYN from both and an ACK of the opener",
          "[RFC5382-REQ5]") {
  auto story = GENERATE(values<Story>({
      {">S", TcpState::syn_sent},
      {">S >S", TcpState::syn_sent},
      {">S >A", TcpState::syn_sent},
      {">S <A", TcpState::syn_sent},
      {">S <SA", TcpState::syn_received},
      {">S <SA <D", TcpState::syn_received},
      {">S <SA >S", TcpState::syn_received},
      {">S <SA >A", TcpState::established},
      {">S <SA >D <D", TcpState::established},
      {">S <SA >A >S", TcpState::established},
      {">S <SA >A <SA", TcpState::established},
  }));
  CAPTURE(story.segments);
  CHECK(after(story.segments) == story.state);
}

TEST_CASE("nat/tcp_tracker: a simultaneous open becomes established", "[RFC5382-REQ2]") {
  CHECK(after(">S <S") == TcpState::syn_received);
  CHECK(after(">S <S >SA") == TcpState::syn_received);
  CHECK(after(">S <S >SA <SA >A") == TcpState::established);
}

TEST_CASE("nat/tcp_tracker: one FIN leaves a connection established, both make it closing",
          "[RFC5382-REQ5]") {
  auto story = GENERATE(values<Story>({
      {">S <SA >A >F", TcpState::fin_original},
      {">S <SA >A >F <A <D <D", TcpState::fin_original},
      {">S <SA >A <F", TcpState::fin_reply},
      {">S <SA >A <F >D", TcpState::fin_reply},
      {">S <SA >A >F <F", TcpState::closing},
      {">S <SA >A <F >F <A", TcpState::closing},
      {">S <SA >F", TcpState::fin_original},
      {">S <SA <F", TcpState::closing},
  }));
  CAPTURE(story.segments);
  CHECK(after(story.segments) == story.state);
}

TEST_CASE("nat/tcp_tracker: a reset from either side makes any session transitory",
          "[RFC7857-2.2]") {
  auto before = GENERATE(as<std::string>{}, ">S", ">S <SA", ">S <SA >A", ">S <SA >A >F",
                         ">S <SA >A <F", ">S <SA >A >F <F");
  CAPTURE(before);
  for (const char* reset : {" >R", " <R", " <RA"}) {
    TcpState state = after(before + reset);
    CHECK(state == TcpState::reset);
    CHECK(timeout_class_of(protocol::tcp, state) == TimeoutClass::tcp_transitory);
    CHECK(timeout_class_of(protocol::tcp, after(before + reset + " >D >D")) ==
          TimeoutClass::tcp_transitory);
    CHECK(after(before + reset + " >D >F") == TcpState::reset);
  }
}

TEST_CASE("nat/tcp_tracker: a reset that both sides ignore was a forged one", "[RFC7857-2.2]") {
  CHECK(after(">S <SA >A <R >D") == TcpState::resumed_original);
  CHECK(after(">S <SA >A <R >D <D") == TcpState::established);
  CHECK(after(">S <SA >A >R <D") == TcpState::resumed_reply);
  CHECK(after(">S <SA >A >R <D <D >R") == TcpState::reset);
  CHECK(after(">S <SA >A >R <D >A") == TcpState::established);
  CHECK(after(">S <SA >A <R >D <R <D") == TcpState::resumed_reply);
}

TEST_CASE("nat/tcp_tracker: only the opener opens a closed session again") {
  CHECK(after(">S <SA >A >F <F >S") == TcpState::syn_sent);
  CHECK(after(">S <SA >A <R >S <SA >A") == TcpState::established);
  CHECK(after(">S <SA >A >F <F <S") == TcpState::closing);
  CHECK(after(">S <SA >A <R <S") == TcpState::reset);
}

TEST_CASE("nat/tcp_tracker: no sequence of segments from outside alone establishes a session",
          "[RFC5382-REQ5]") {
  std::vector<TcpState> reached = {TcpState::syn_sent};
  for (size_t i = 0; i < reached.size(); ++i) {
    for (unsigned flags = 0; flags < 256; ++flags) {
      TcpState next = advance(reached[i], static_cast<uint8_t>(flags), Direction::reply);
      CHECK(timeout_class_of(protocol::tcp, next) == TimeoutClass::tcp_transitory);
      if (std::find(reached.begin(), reached.end(), next) == reached.end()) reached.push_back(next);
    }
  }
}

TEST_CASE("nat/tcp_tracker: a session opens with a SYN alone", "[RFC5382-REQ2]") {
  CHECK(opens_session(kSyn));
  CHECK(opens_session(kSyn | kEce | kCwr));
  for (uint8_t flags : {kSyn | kAck, int{kAck}, kSyn | kRst, int{kRst}, kFin | kAck, 0})
    CHECK_FALSE(opens_session(flags));
}

TEST_CASE("nat/tcp_tracker: every protocol has its timeout class", "[RFC4787-REQ5]") {
  CHECK(timeout_class_of(protocol::udp, TcpState::none) == TimeoutClass::udp);
  CHECK(timeout_class_of(protocol::icmp, TcpState::none) == TimeoutClass::icmp_query);
  CHECK(timeout_class_of(protocol::gre, TcpState::none) == TimeoutClass::other);
  CHECK(timeout_class_of(protocol::tcp, TcpState::syn_received) == TimeoutClass::tcp_transitory);
  CHECK(timeout_class_of(protocol::tcp, TcpState::established) == TimeoutClass::tcp_established);
  CHECK(timeout_class_of(protocol::tcp, TcpState::fin_original) == TimeoutClass::tcp_established);
  CHECK(timeout_class_of(protocol::tcp, TcpState::fin_reply) == TimeoutClass::tcp_established);
  CHECK(timeout_class_of(protocol::tcp, TcpState::closing) == TimeoutClass::tcp_transitory);
}

}  // namespace postern
