// SPDX-License-Identifier: BSD-3-Clause
// Three ways to a verdict over random rule sets and packets: the list, read naively from the
// model's words; explain; and the pipeline, which is fed the packet and watched. They must agree.
#include "control/explain/explain.h"
#include "control/explain/made_up_frame.h"
#include "dataplane/packet/parse.h"
#include "support/testbed.h"
#include "unit/compile/compiled.h"
#include "unit/compile/naive_filter.h"

namespace postern {
namespace {

constexpr int kRuleSets = 200;
constexpr int kPacketsEach = 50;
constexpr const char* kInterfaces[] = {"wan", "lan", "off", "dmz"};
constexpr InterfaceId kWan = 0, kLan = 1, kDmz = 3;

unsigned below(Random& random, unsigned bound) {
  return static_cast<unsigned>(random() % bound);
}
bool one_in(Random& random, unsigned n) {
  return below(random, n) == 0;
}

config::PortMap port_map(const char* name, const char* service, const char* to) {
  config::PortMap map;
  map.name = name;
  map.on = "wan";
  map.service = {service};
  map.to = *parse_ipv4(to);
  return map;
}

// Each part of NAT is there in one half of the models.
void add_random_nat(Random& random, config::Model& model) {
  model.system.limits.sessions = 1024;
  model.system.limits.mappings = 1024;
  model.system.limits.hosts = 1024;
  model.nat.hairpin = !one_in(random, 4);
  if (one_in(random, 2)) {
    config::SourceNat except;
    except.out = {"external"};
    except.to = {"198.51.100.8/29"};
    except.action = config::SourceAction::none;
    model.nat.source.push_back(except);
  }
  if (one_in(random, 2)) {
    config::SourceNat pool;
    pool.in = {"dmz"};
    pool.out = {"wan"};
    pool.action = config::SourceAction::pool;
    pool.pool = {"203.0.113.6-203.0.113.7"};
    model.nat.source.push_back(pool);
  }
  if (!one_in(random, 4)) {
    config::SourceNat hide;
    hide.out = {"wan"};
    model.nat.source.push_back(hide);
  }
  if (one_in(random, 2)) {
    config::OneToOne pair;
    pair.external = *parse_ipv4("203.0.113.9");
    pair.internal = *parse_ipv4("10.9.0.9");
    pair.on = "wan";
    model.nat.one_to_one.push_back(pair);
  }
  if (one_in(random, 2)) {
    auto map = port_map("web", "tcp/80", "10.9.0.5");
    map.to_port = 90;
    map.allow_from = {one_in(random, 2) ? "any" : "198.51.100.0/29"};
    model.nat.port_maps.push_back(map);
  }
  if (one_in(random, 2)) {
    auto map = port_map("names", "tcp+udp/53", one_in(random, 2) ? "192.168.1.1" : "192.168.1.5");
    map.listen = *parse_ipv4("203.0.113.5");
    if (one_in(random, 2)) map.hairpin_source = config::HairpinSource::keep;
    if (one_in(random, 2)) map.allow_from = {"any"};
    model.nat.port_maps.push_back(map);
  }
}

// Networks behind routers inside, sources accepted beyond the routes, and here and there no way
// out.
void add_random_routes(Random& random, config::Model& model) {
  if (one_in(random, 4)) model.routes.clear();
  if (one_in(random, 2)) {
    model.routes.push_back({*parse_prefix("198.51.100.8/29"), *parse_ipv4("192.168.1.14"), "", {}});
  }
  if (one_in(random, 2)) {
    model.routes.push_back({*parse_prefix("198.51.100.0/30"), *parse_ipv4("10.9.0.14"), "", {}});
  }
  if (one_in(random, 3)) model.interfaces[kLan].spoof_allow = {"198.51.100.4/30"};
}

// Sources are mostly right for their port.
MadeUpPacket random_packet(Random& random) {
  constexpr InterfaceId kPlaces[] = {kWan, kLan, kDmz, kGateway};
  const char* const own[] = {"203.0.113.1", "192.168.1.1", "10.9.0.1"};
  FlowQuery query = random_query(random);
  MadeUpPacket packet;
  packet.in = kPlaces[below(random, 4)];
  packet.protocol = query.protocol;
  packet.source = {query.source, query.source_port};
  packet.destination = {query.destination, query.destination_port};
  if (packet.in == kGateway) packet.source.address = *parse_ipv4(own[below(random, 3)]);
  bool keep = packet.in == kGateway || one_in(random, 5);
  const char* behind = packet.in == kWan   ? "198.51.100.0"
                       : packet.in == kLan ? "192.168.1.0"
                                           : "10.9.0.0";
  if (!keep) {
    packet.source.address = Ipv4Address(parse_ipv4(behind)->number + below(random, 16));
  }
  if (packet.protocol == protocol::icmp) {
    constexpr uint8_t kTypes[] = {0, 3, 8, 8, 8, 13, 14, 42};
    packet.icmp_type = kTypes[below(random, 8)];
    packet.icmp_code = static_cast<uint8_t>(below(random, 3));
    packet.source.port = 7;
  }
  if (packet.protocol == protocol::tcp) {
    packet.tcp_flags = one_in(random, 6) ? static_cast<uint8_t>(below(random, 64)) : tcp_flag::syn;
  }
  return packet;
}

// What the pipeline did with one packet, by its effects and what it counted.
class Observed {
 public:
  Observed(test::Testbed& bed, unsigned workers, const MadeUpPacket& packet,
           const std::string& rule)
      : bed_(bed), workers_(workers) {
    MadeUpFrame frame(packet, bed.policy());
    auto before = drops();
    uint64_t hits = rule.empty() ? 0 : bed.counter("rule." + rule);
    std::vector<uint8_t> bytes(frame.packet().bytes().begin(), frame.packet().bytes().end());
    if (packet.in == kGateway && !frame.packet().to_multicast_mac) {
      MacAddress host = bed.gateway_mac("lan");  // the kernel sends to whoever answers its ARP
      std::copy(host.bytes.begin(), host.bytes.end(), bytes.begin());
    }
    effects = packet.in == kGateway ? bed.inject_from_host("lan", bytes)
                                    : bed.inject(kInterfaces[packet.in], bytes);
    auto after = drops();
    for (unsigned i = 0; i < kDropReasons; ++i) {
      if (after[i] != before[i]) reason = static_cast<DropReason>(i);
      dropped += after[i] - before[i];
    }
    rule_hits = rule.empty() ? 0 : bed.counter("rule." + rule) - hits;
    bed.advance(seconds(9000));  // past every timeout: packets do not know of one another
  }

  std::vector<test::Effect> effects;
  DropReason reason = DropReason::none;
  uint64_t dropped = 0;
  uint64_t rule_hits = 0;

 private:
  std::vector<uint64_t> drops() {
    std::vector<uint64_t> all(kDropReasons);
    for (unsigned worker = 0; worker < workers_; ++worker) {
      auto& counters = bed_.counters(static_cast<WorkerId>(worker)).drops;
      for (unsigned i = 0; i < kDropReasons; ++i)
        all[i] += counters[i].read();
    }
    return all;
  }
  test::Testbed& bed_;
  unsigned workers_;
};

// Empty: the pipeline did what explain said.
std::string difference(const Explanation& told, const Observed& seen) {
  if (told.outcome == Outcome::drop || told.outcome == Outcome::deny) {
    if (seen.dropped != 1 || seen.reason != told.reason) return "another reason";
    return "";
  }
  if (seen.dropped != 0) return "dropped";
  if (seen.effects.size() != 1) return "not one packet";
  const test::Effect& effect = seen.effects[0];
  if (told.outcome == Outcome::host) {
    return effect.kind == test::Effect::Kind::host ? "" : "not for the gateway";
  }
  if (effect.kind != test::Effect::Kind::out || effect.interface != told.out) return "another way";
  Packet packet;
  std::vector<uint8_t> frame = effect.frame;
  packet.frame = frame.data();
  packet.length = static_cast<uint16_t>(frame.size());
  packet.l3_offset = 14;
  packet.from_host = true;
  if (parse_ipv4(packet) != DropReason::none) return "malformed";
  if (packet.key.source != told.source.address.wire()) return "another source";
  if (packet.key.destination != told.destination.address.wire()) return "another destination";
  if (!has_ports(told.packet.protocol)) return "";
  uint16_t source_port = packet.key.source_port.value();
  if (told.source.port != 0 && source_port != told.source.port) return "another source port";
  return packet.key.destination_port.value() == told.destination.port ? "" : "another port";
}

// The decision of the list about what decide() asks the filter, as rule names.
bool list_agrees(const config::Model& model, const Policy& policy, const MadeUpPacket& packet,
                 const Explanation& told) {
  MadeUpFrame frame(packet, policy);
  if (frame.reason() != DropReason::none || frame.packet().is_icmp_error) return true;
  Decision decision = decide(policy, frame.first(), nullptr);
  if (!decision.filtered) return told.rule.empty();
  NaiveAnswer naive = ask_naively(model, decision.query, 0);
  std::string rule = told.rule.starts_with("guard/") ? "guard" : told.rule;
  bool refused = told.reason == DropReason::filter_drop || told.reason == DropReason::filter_deny ||
                 told.reason == DropReason::filter_default ||
                 told.reason == DropReason::posture_cut_off;
  return naive.rule == rule && (naive.action == config::RuleAction::permit) != refused &&
         (naive.action == config::RuleAction::deny) == (told.outcome == Outcome::deny);
}

}  // namespace

TEST_CASE("explain/agreement: list, explain and pipeline give one verdict", "[C04][F21][F26]") {
  Random random(4711);
  std::map<std::string, int> verdicts;
  for (int i = 0; i < kRuleSets; ++i) {
    config::Model model = random_model(random);
    add_random_nat(random, model);
    add_random_routes(random, model);
    unsigned workers = 1 + static_cast<unsigned>(i % 3);
    test::Testbed bed(workers);
    auto loaded = bed.load(model);
    INFO((loaded ? "" : loaded.error().text));
    REQUIRE(loaded);
    for (int j = 0; j < kPacketsEach; ++j) {
      MadeUpPacket packet = random_packet(random);
      Explanation told = explain(bed.policy(), packet);
      Observed seen(bed, workers, packet, told.rule);
      std::string wrong = difference(told, seen);
      // A rule that permits what then finds nobody is not counted.
      bool permitted_in_vain =
          told.outcome == Outcome::drop && told.reason != DropReason::filter_drop;
      bool counted = told.rule.empty() || permitted_in_vain || seen.rule_hits == 1;
      if (!wrong.empty() || !counted || !list_agrees(model, bed.policy(), packet, told)) {
        INFO("rule set " << i << " packet " << j << ": " << to_text(packet) << " from " << told.in
                         << "\nexplain: " << to_word(told.reason) << " rule " << told.rule
                         << " hit " << seen.rule_hits << "\npipeline: " << to_word(seen.reason)
                         << " " << wrong);
        REQUIRE(wrong == "");
        REQUIRE(counted);
        REQUIRE(list_agrees(model, bed.policy(), packet, told));
      }
      ++verdicts[to_word(told.reason)];
    }
  }
  // Enough of every kind was there to agree upon.
  for (const char* word :
       {"none", "filter_drop", "filter_deny", "filter_default", "spoofed_source", "no_session",
        "no_mapping", "no_route", "posture_cut_off", "icmp_error_unrelated"}) {
    INFO(word);
    CHECK(verdicts[word] > 20);
  }
}

}  // namespace postern
