// SPDX-License-Identifier: BSD-3-Clause
// Three readings of the same policy and packet: the ordered list straight from the configuration's
// words, `explain`, and the running pipeline.
#include <catch2/catch.hpp>

#include "control/explain/explain.h"
#include "control/explain/made_up_frame.h"
#include "support/testbed.h"
#include "unit/compile/naive_filter.h"

namespace postern::test {
namespace {

constexpr int kModels = 200;
constexpr int kPacketsPerModel = 50;

MadeUpPacket random_packet(Random& random) {
  for (;;) {
    FlowQuery query = random_query(random);
    // Errors are about sessions; the list alone says nothing of them.
    bool is_error =
        query.protocol == protocol::icmp && query.icmp_type != 0 && query.icmp_type != 8;
    if (is_error) continue;
    MadeUpPacket packet;
    packet.in = query.in;
    packet.protocol = query.protocol;
    packet.source = {query.source, query.source_port};
    packet.destination = {query.destination, query.destination_port};
    packet.tcp_flags = query.tcp_flags;
    packet.icmp_type = query.icmp_type;
    if (query.protocol == protocol::icmp) {
      packet.source.port = 7;
      packet.icmp_code = query.icmp_code;
    }
    return packet;
  }
}

// What the list makes of a packet that reaches it.
void check_list(const config::Model& model, const Policy& policy, const MadeUpPacket& packet,
                const Explanation& explained) {
  MadeUpFrame frame(packet, policy);
  if (frame.reason() != DropReason::none) return;
  Decision decision = decide(policy, frame.first(), nullptr);
  if (!decision.filtered) return;
  NaiveAnswer naive = ask_naively(model, decision.query, 0);
  bool is_guard = explained.rule.rfind("guard/", 0) == 0;
  CHECK((is_guard ? "guard" : explained.rule) == naive.rule);
  bool passed_filter = explained.outcome == Outcome::forward ||
                       explained.outcome == Outcome::host ||
                       explained.reason == DropReason::no_session;
  CHECK(passed_filter == (naive.action == config::RuleAction::permit));
  CHECK((explained.outcome == Outcome::deny) == (naive.action == config::RuleAction::deny));
}

void check_pipeline(Testbed& bed, const MadeUpPacket& packet, const Explanation& explained) {
  MadeUpFrame frame(packet, bed.policy());
  const Packet& made = frame.packet();
  const bool own = packet.in == kGateway;
  // The kernel sends its own by any of our devices, addressed to that.
  const PolicyInterface& port = bed.policy().interfaces[own ? 0 : packet.in];
  std::vector<uint8_t> bytes(made.bytes().begin(), made.bytes().end());
  if (!made.to_multicast_mac)
    std::copy(port.mac.bytes.begin(), port.mac.bytes.end(), bytes.begin());
  auto effects = own ? bed.inject_from_host(port.name, bytes) : bed.inject(port.name, bytes);
  REQUIRE(effects.size() == 1);
  const Effect& effect = effects[0];
  switch (explained.outcome) {
    case Outcome::forward:
      CHECK(effect.kind == Effect::Kind::out);
      CHECK(effect.interface == explained.out);
      break;
    case Outcome::host:
    case Outcome::host_broadcast:
      CHECK(effect.kind == Effect::Kind::host);
      break;
    case Outcome::deny: {
      bool is_answer = effect.kind == (own ? Effect::Kind::host : Effect::Kind::out);
      CHECK((is_answer || effect.reason == DropReason::filter_deny));
      CHECK(bed.counter("drop.filter_deny") > 0);
      break;
    }
    default:
      // Where there is no way the sender is told, and the reason is counted.
      if (effect.kind == Effect::Kind::drop) {
        CHECK(std::string(to_word(effect.reason)) == to_word(explained.reason));
      } else {
        CHECK(bed.counter(std::string("drop.") + to_word(explained.reason)) > 0);
        CHECK(explained.reason == DropReason::no_route);
      }
  }
}

}  // namespace

TEST_CASE("pipeline: list, explain and pipeline agree on 10,000 random packets", "[C04][F21]") {
  Random random(20'000);
  int permitted = 0, denied = 0;
  for (int m = 0; m < kModels; ++m) {
    config::Model model = random_model(random);
    Testbed bed(1 + static_cast<unsigned>(m % 3));
    auto loaded = bed.load(model);
    INFO((loaded ? "" : loaded.error().text));
    REQUIRE(loaded.has_value());
    for (int p = 0; p < kPacketsPerModel; ++p) {
      MadeUpPacket packet = random_packet(random);
      Explanation explained = explain(bed.policy(), packet);
      CAPTURE(m, p, packet.in, to_text(packet), explained.rule, to_word(explained.reason));
      check_list(model, bed.policy(), packet, explained);
      check_pipeline(bed, packet, explained);
      permitted += explained.outcome == Outcome::forward || explained.outcome == Outcome::host;
      denied += explained.outcome == Outcome::deny;
      bed.advance(seconds(700));  // no packet meets the session of another
    }
  }
  // The sets are worth asking: neither everything passes nor nothing.
  CHECK(permitted > kModels * kPacketsPerModel / 20);
  CHECK(denied > kModels * kPacketsPerModel / 50);
}

}  // namespace postern::test
