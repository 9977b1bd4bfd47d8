// SPDX-License-Identifier: BSD-3-Clause
// NICs that put frames into the queue of the worker that owns them, and those that cannot: the real
// program on simulated ones (rss_nic.h).
#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/ring_bed.h"
#include "support/packet_builder.h"
#include "support/packet_match.h"

namespace postern::test {
namespace {

constexpr char kOffice[] = R"(
version: 1
system: { limits: { sessions: 16384, mappings: 16384 } }
interfaces:
  lan: { port: "vdev:net_null0", zone: internal, address: 192.168.1.1/22 }
  wan: { port: "vdev:net_null1", zone: external, address: 203.0.113.2/24 }
routes:
  - { to: default, via: 203.0.113.1 }
nat:
  source: [ { out: wan, action: masquerade } ]
  one_to_one: [ { external: 203.0.113.9, internal: 192.168.3.253, on: wan } ]
  port_maps:
    - { name: web, on: wan, service: tcp/80, to: 192.168.1.20, allow_from: any }
filter:
  rules:
    - { name: out, in: lan, out: wan, action: permit }
    - { name: in, in: wan, to: 192.168.3.253, action: permit }
)";

constexpr unsigned kBatch = 200;
const std::string kRemote = "198.51.100.7:443";

std::string host(unsigned number) {
  return "192.168." + std::to_string(number / 250) + "." + std::to_string(2 + number % 250);
}

// Flows of an office: kBatch hosts at a time go to a server outside, which answers.
class Traffic {
 public:
  explicit Traffic(RingBed& bed) : bed_(bed) {}

  // Half of the flows are TCP: SYN, SYN and ACK, ACK, data.
  void run(unsigned batches) {
    for (unsigned batch = 0; batch < batches; ++batch) {
      const auto from = static_cast<uint16_t>(2000 + 37 * batch);
      round(batch, from);
      round(batch, from);
    }
  }
  unsigned wrong() const { return wrong_; }

 private:
  void put(const std::string& interface, PacketBuilder packet) {
    const Frame frame =
        packet.to_mac(bed_.gateway_mac(interface)).from_mac(bed_.neighbor_mac(interface)).build();
    bed_.put(interface, frame.bytes());
  }

  // Everything once out and once in.
  void round(unsigned batch, uint16_t port) {
    for (unsigned i = 0; i < kBatch; ++i) {
      const std::string inside = host(batch * kBatch % 1000 + i) + ":" + std::to_string(port + i);
      const bool is_first = known_.insert(inside).second;
      if (i % 2 == 0) {
        put("lan", udp(inside, kRemote));
      } else {
        put("lan", is_first ? tcp(inside, kRemote).syn() : tcp(inside, kRemote).ack());
      }
    }
    const std::vector<Effect> out = bed_.settle();
    wrong_ += out.size() == kBatch ? 0 : 1;
    for (const Effect& effect : out) {
      const PacketText seen = described(effect, "wan");
      const bool is_right = seen.source == "203.0.113.2";
      wrong_ += is_right ? 0 : 1;
      if (is_right) answer(seen);
    }
    const std::vector<Effect> in = bed_.settle();
    wrong_ += in.size() == kBatch ? 0 : 1;
    for (const Effect& effect : in) {
      const PacketText seen = described(effect, "lan");
      wrong_ += known_.contains(seen.destination + ":" + seen.destination_port) ? 0 : 1;
    }
  }

  void answer(const PacketText& seen) {
    const std::string to = seen.source + ":" + seen.source_port;
    if (seen.protocol == "udp") return put("wan", udp(kRemote, to));
    const bool is_first = answered_.insert(to).second;
    put("wan", is_first ? tcp(kRemote, to).syn_ack() : tcp(kRemote, to).ack());
  }

  PacketText described(const Effect& effect, const std::string& interface) {
    const bool is_out = effect.kind == Effect::Kind::out && effect.interface == interface;
    wrong_ += is_out && broken_checksum(effect.frame).empty() ? 0 : 1;
    return is_out ? describe(effect.frame) : PacketText{};
  }

  RingBed& bed_;
  std::set<std::string> known_, answered_;
  unsigned wrong_ = 0;
};

void begin(RingBed& bed, const std::function<void(RssNic&)>& prepare) {
  bed.be_nics(prepare);
  auto loaded = bed.load(kOffice);
  INFO((loaded ? "" : loaded.error().text));
  REQUIRE(loaded.has_value());
  // So many at once would not all be held until their neighbors are known.
  NeighborTable& neighbors = bed.dataplane().neighbors();
  neighbors.set(bed.id_of("wan"), Ipv4Address(203, 0, 113, 1), bed.neighbor_mac("wan"));
  for (unsigned i = 0; i < 1000; ++i)
    neighbors.set(bed.id_of("lan"), *parse_ipv4(host(i)), bed.neighbor_mac("lan"));
}

PortFacts facts_of(RingBed& bed, const std::string& interface) {
  return bed.dataplane().port(bed.id_of(interface));
}

// Sessions of the worker that has the most, in percent of a fair share.
unsigned largest_share(RingBed& bed, unsigned workers) {
  uint64_t most = 0;
  for (unsigned id = 0; id < workers; ++id) {
    most = std::max(most, bed.dataplane().counters(static_cast<WorkerId>(id)).sessions.read());
  }
  return static_cast<unsigned>(100 * most * workers / bed.counter("sessions"));
}

}  // namespace

TEST_CASE("runtime/spread: a NIC that hashes one field leaves nothing to hand off", "[F06][P02]") {
  struct Case {
    unsigned workers, lan_table, wan_table;
    bool by_rules;
  };
  const Case with =
      GENERATE(Case{1, 128, 128, false}, Case{2, 128, 128, false}, Case{4, 512, 512, true},
               Case{8, 128, 2048, false}, Case{8, 64, 512, true}, Case{3, 512, 64, false});
  CAPTURE(with.workers, with.lan_table, with.wan_table);
  RingBed bed(with.workers);
  begin(bed, [&](RssNic& nic) {
    nic.table_size = nic.device.ends_with("lan") ? with.lan_table : with.wan_table;
    nic.takes_fields = !with.by_rules;
    nic.takes_rules = with.by_rules;
    nic.key_size = with.by_rules ? 52 : 40;
  });
  Traffic traffic(bed);
  traffic.run(10);
  CHECK(traffic.wrong() == 0);
  CHECK(bed.counter("sessions") == 10 * kBatch);
  CHECK(bed.counter("handed_off") == 0);
  CHECK(largest_share(bed, with.workers) <= 110);
  const bool is_alone = with.workers == 1;
  CHECK(facts_of(bed, "lan").spread == (is_alone ? Spread::alone : Spread::by_source_address));
  CHECK(facts_of(bed, "wan").spread == (is_alone ? Spread::alone : Spread::by_destination_port));
}

TEST_CASE("runtime/spread: where a NIC has the one field does not matter") {
  RingBed bed(4);
  begin(bed, [](RssNic& nic) { nic.compacts_fields = true; });
  Traffic traffic(bed);
  traffic.run(2);
  CHECK(traffic.wrong() == 0);
  CHECK(bed.counter("handed_off") == 0);
}

TEST_CASE("runtime/spread: a port that cannot hands over, with the same result") {
  struct Case {
    const char* text;
    void (*spoil)(RssNic&);
  };
  const Case with = GENERATE(
      Case{"the device does not hash the destination port alone",
           [](RssNic& nic) { nic.takes_fields = false; }},
      Case{"the device refuses to hash one field alone",
           [](RssNic& nic) { nic.refuses_fields = true; }},
      Case{"the device refuses the table of queues", [](RssNic& nic) { nic.refuses_table = true; }},
      Case{"the device refuses the table of queues", [](RssNic& nic) { nic.forgets_table = true; }},
      Case{"the device's table has 32 entries", [](RssNic& nic) { nic.table_size = 32; }},
      Case{"the device takes no hash key", [](RssNic& nic) { nic.key_size = 0; }},
      Case{"2 receive queues for 4 workers", [](RssNic& nic) { nic.queues_max = 2; }},
      Case{"1 receive queue for 4 workers", [](RssNic& nic) { nic.queues_max = 1; }});
  CAPTURE(with.text);
  RingBed bed(4);
  begin(bed, [&](RssNic& nic) {
    if (nic.device.ends_with("wan")) with.spoil(nic);
  });
  Traffic traffic(bed);
  traffic.run(2);
  CHECK(traffic.wrong() == 0);
  CHECK(bed.counter("sessions") == 2 * kBatch);
  // Nothing that came from inside, and most of what came from outside.
  CHECK(bed.counter("handed_off") > kBatch);
  CHECK(bed.counter("handed_off") <= 4 * kBatch);
  CHECK(facts_of(bed, "lan").spread == Spread::by_source_address);
  CHECK(facts_of(bed, "wan").spread == Spread::hand_off);
  CHECK(facts_of(bed, "wan").spread_text ==
        std::string("handed over between workers: ") + with.text);
  CHECK(bed.dataplane().spread_lines() ==
        std::vector<std::string>{"lan: the device deals out by source address",
                                 "wan: handed over between workers: " + std::string(with.text)});
}

TEST_CASE("runtime/spread: what a NIC cannot know crosses a ring and is counted", "[F08][F10]") {
  RingBed bed(4);
  begin(bed, [](RssNic&) {});
  const auto send = [&](const std::string& interface, PacketBuilder packet) {
    const Frame frame =
        packet.to_mac(bed.gateway_mac(interface)).from_mac(bed.neighbor_mac(interface)).build();
    auto effects = bed.inject(interface, frame.bytes());
    REQUIRE(effects.size() == 1);
    REQUIRE(effects[0].kind == Effect::Kind::out);
    return describe(effects[0].frame);
  };
  // To a port map and to a one-to-one host: the owner is that of the host inside.
  unsigned maps = 0;
  for (int remote = 1; remote <= 8; ++remote) {
    const std::string client = "198.51.100." + std::to_string(remote) + ":1234";
    CHECK(send("wan", tcp(client, "203.0.113.2:80").syn()).destination == "192.168.1.20");
    CHECK(send("wan", udp(client, "203.0.113.9:" + std::to_string(1024 * remote))).destination ==
          "192.168.3.253");
    maps = static_cast<unsigned>(bed.counter("handed_off"));
    // Their answers come in at the right place.
    CHECK(send("lan", tcp("192.168.1.20:80", client).syn_ack()).source == "203.0.113.2");
    CHECK(bed.counter("handed_off") == maps);
  }
  CHECK(maps > 4);
  // Pings leave from the owner; the answer's identifier is no port to the NIC.
  for (int number = 30; number < 38; ++number) {
    const std::string inside = "192.168.1." + std::to_string(number);
    const auto before = bed.counter("handed_off");
    const PacketText out =
        send("lan", echo_request(inside, "198.51.100.7", static_cast<uint16_t>(number)));
    CHECK(out.source == "203.0.113.2");
    CHECK(bed.counter("handed_off") == before);
  }
}

}  // namespace postern::test
