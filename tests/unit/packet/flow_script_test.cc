// SPDX-License-Identifier: BSD-3-Clause
// The script engine itself, on a bed that behaves as told.
#include "support/flow_script.h"

#include <catch2/catch.hpp>

#include "dataplane/wire/headers.h"
#include "support/flow_runner.h"
#include "support/reassembly.h"

namespace postern::test {
namespace {

// Sends whatever comes in out by "wan", unchanged but for the MAC addresses; drops what comes by
// "wan".
class MirrorBed : public FlowBed {
 public:
  Result<void> load(const std::string& yaml) override {
    config = yaml;
    return {};
  }
  std::vector<Effect> inject(const std::string& interface,
                             std::span<const uint8_t> frame) override {
    ++packets;
    Effect effect;
    if (interface == "wan") {
      effect.interface = "wan";
      effect.reason = DropReason::no_mapping;
      return {effect};
    }
    if (interface == "slow") return {};
    effect.kind = Effect::Kind::out;
    effect.interface = "wan";
    effect.frame.assign(frame.begin(), frame.end());
    ethernet_at(effect.frame.data()).source = gateway_mac("wan");
    ethernet_at(effect.frame.data()).destination = neighbor_mac("wan");
    effect.frame.back() ^= damage;
    return {effect};
  }
  std::vector<Effect> inject_from_host(const std::string&,
                                       std::span<const uint8_t> frame) override {
    return inject("lan", frame);
  }
  std::vector<Effect> advance(Duration duration) override {
    elapsed = elapsed + duration;
    return {};
  }
  std::vector<Effect> log_in(Ipv4Address, const std::vector<std::string>& who) override {
    user = who.empty() ? "" : who[0];
    return {};
  }
  uint64_t counter(const std::string& name) override { return name == "packets" ? packets : 0; }
  MacAddress gateway_mac(const std::string&) override { return kPortMac; }
  MacAddress neighbor_mac(const std::string&) override { return {{2, 0, 0, 0, 0, 2}}; }

  std::string config, user;
  uint64_t packets = 0;
  Duration elapsed;
  uint8_t damage = 0;
};

std::string run_on(MirrorBed& bed, const std::string& text) {
  auto script = read_flow_script("x.flow", text);
  if (!script) return script.error().text;
  return run_flow_script(*script, ".", bed);
}

std::string run(const std::string& text) {
  MirrorBed bed;
  return run_on(bed, text);
}

const std::string kStep = "@0s in lan udp 10.0.0.1:5 -> 198.51.100.7:53\n";

}  // namespace

TEST_CASE("support/flow_script: what comes true passes") {
  MirrorBed bed;
  CHECK(run_on(bed,
               "# covers nothing\n"
               "config:\n"
               "  version: 1\n"
               "@0s   in   lan udp 10.0.0.1:5 -> 198.51.100.7:53 ttl=9\n"
               "      out  wan udp 10.0.0.1:$x -> 198.51.100.7:53 ttl=9   # bound\n"
               "      expect packets = 1\n"
               "@2h4m in   wan udp 198.51.100.7:53 -> 10.0.0.1:$x\n"
               "      drop no_mapping\n"
               "@2h5m in   slow udp 10.0.0.1:5 -> 198.51.100.7:53\n"
               "      hold\n"
               "@3h   send wan tcp 10.0.0.1:$x -> 198.51.100.7:53 syn\n"
               "      out  wan tcp 10.0.0.1:5 -> 198.51.100.7:53 syn\n"
               "@4h   tick\n"
               "      expect packets = $n, nothing = 0, $n != 7, $n < 9, $x is odd\n") == "");
  CHECK(bed.config == "version: 1\n");
  CHECK(bed.elapsed == seconds(4 * 3600));
}

TEST_CASE("support/flow_script: a failure tells file, line, expected and got") {
  CHECK(run(kStep + "  out wan udp 10.0.0.2:5 -> 198.51.100.7:53\n") ==
        "x.flow:2: expected out wan udp 10.0.0.2:5 -> 198.51.100.7:53\n"
        "  (source is 10.0.0.1, not 10.0.0.2)\n"
        "  got out wan udp 10.0.0.1:5 -> 198.51.100.7:53 len=36 ttl=64");
  CHECK(run(kStep + "  drop no_route\n").find("x.flow:2: expected drop no_route") == 0);
  CHECK(run(kStep + "  hold\n").find("x.flow:1: not expected\n  got out wan udp") == 0);
  CHECK(run(kStep + "  out wan udp *:5 -> 198.51.100.7:53\n  out wan udp *:5 -> *:53\n")
            .find("x.flow:3: expected") == 0);
  CHECK(run(kStep + "  out wan udp *:5 -> *:53\n  expect packets = 7\n") ==
        "x.flow:3: packets is 1, not = 7");
  CHECK(run("@0s in lan udp 10.0.0.1:$y -> 198.51.100.7:53\n  hold\n") ==
        "x.flow:1: $y has no value yet");
}

TEST_CASE("support/flow_script: broken frames fail, whatever the script expects") {
  MirrorBed bed;
  bed.damage = 1;
  CHECK(
      run_on(bed, kStep + "  out wan udp *:5 -> *:53\n").find("x.flow:1: UDP checksum is wrong") ==
      0);
}

TEST_CASE("support/flow_script: what cannot be read is refused with its line") {
  CHECK(run("") == "1: no step");
  CHECK(run("nonsense\n").find("1: 'nonsense'") == 0);
  CHECK(run("  hold\n") == "1: an expectation before the first step");
  CHECK(run("@5 tick\n") == "1: '5' is no time");
  CHECK(run("@5s tick\n@4s tick\n") == "2: time goes back");
  CHECK(run("@0s go\n").find("1: 'go'") == 0);
  CHECK(run(kStep) == "1: it is not said what comes of it");
  CHECK(run(kStep + "  drop why\n") == "2: 'why' is no drop reason");
  CHECK(run(kStep + "  expect x 5\n") == "2: expect NAME = VALUE, ...");
  CHECK(run("@0s in lan udp 10.0.0.1:5\n").find("1: PROTOCOL") == 0);
}

TEST_CASE("support/flow_script: a reload replaces whole top-level keys") {
  MirrorBed bed;
  CHECK(run_on(bed,
               "config:\n"
               "  version: 1\n"
               "  nat:\n"
               "    hairpin: true\n"
               "\n"
               "  filter:\n"
               "    posture: open\n"
               "@1s reload:\n"
               "        nat:\n"
               "          hairpin: false\n"
               "        objects: {}\n"
               "    expect packets = 0\n") == "");
  CHECK(bed.config ==
        "version: 1\nnat:\n  hairpin: false\nfilter:\n  posture: open\nobjects: {}\n");
}

TEST_CASE("support/reassembly: a datagram is judged when its last missing piece is there") {
  auto piece = [](uint16_t offset, bool more, uint16_t length, const char* to) {
    return udp("10.0.0.1:5", to).fragment(offset, more, 3000).length(length).build();
  };
  const char* to = "198.51.100.7:53";
  Reassembly good, bad;
  CHECK(good.add(piece(2960, false, 60, to).bytes()) == "");
  CHECK(good.add(piece(0, true, 1500, to).bytes()) == "");
  CHECK(good.add(piece(1480, true, 1500, to).bytes()) == "");
  CHECK(bad.add(piece(2960, false, 60, to).bytes()) == "");
  Frame wrong = piece(0, true, 1500, to);
  udp_at(wrong.bytes().data() + 34).destination_port = be16(54);
  CHECK(bad.add(wrong.bytes()) == "");
  CHECK(bad.add(piece(1480, true, 1500, to).bytes()) ==
        "in the datagram that the pieces make, UDP checksum");
}

}  // namespace postern::test
