// SPDX-License-Identifier: BSD-3-Clause
#include "unit/filter/rule_sets.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "unit/filter/classbench_seeds.h"

namespace postern::test {
namespace {

double fraction(Random& random) {
  return static_cast<double>(random()) / 4294967296.0;
}

// An element of `list`, by its weight.
template <class List>
const auto& drawn(const List& list, Random& random) {
  double sum = 0;
  for (const auto& item : list)
    sum += item.weight;
  double rest = fraction(random) * sum;
  for (const auto& item : list) {
    rest -= item.weight;
    if (rest < 0) return item;
  }
  return list.back();
}

// The prefixes of one side, as a tree that grows where a prefix is drawn.
class PrefixTree {
 public:
  PrefixTree(std::span<const Branching, 33> figures, Random& random)
      : figures_(figures), random_(random) {}

  // A prefix; bit for bit like `twin` as long as `correlation` has it so. With `fresh` it leaves
  // the tree as it is at one node: the trees of small sets cannot hold large ones.
  Prefix draw(uint8_t length, const Prefix* twin, std::span<const double, 32> correlation,
              bool fresh) {
    uint32_t bits = 0;
    unsigned leaves_at = fresh && length > 0 ? random_() % length : 32;
    for (unsigned level = 0; level < length; ++level) {
      Node& node = nodes_[{level, bits}];
      if (node.first > 1) create(node, level);
      bool bit = fraction(random_) < node.weight_of_one;
      if (level == leaves_at) bit = random_() % 2 != 0;
      bool follows = twin != nullptr && level < twin->length && bits == top(*twin, level) &&
                     fraction(random_) < correlation[level];
      if (follows) bit = (twin->address.number >> (31 - level) & 1) != 0;
      bits = bits << 1 | (bit ? 1 : 0);
    }
    return {Ipv4Address(length == 0 ? 0 : bits << (32 - length)), length};
  }

 private:
  struct Node {
    uint8_t first = 2;  // the heavier child; 2: not made yet
    double weight_of_one = 0;
  };
  static uint32_t top(const Prefix& prefix, unsigned length) {
    return length == 0 ? 0 : prefix.address.number >> (32 - length);
  }
  void create(Node& node, unsigned level) {
    const Branching& here = figures_[level];
    node.first = static_cast<uint8_t>(random_() % 2);
    double heavier = 1;
    if (fraction(random_) < here.two_children) heavier = 1 / (2 - here.skew);
    node.weight_of_one = node.first == 1 ? heavier : 1 - heavier;
  }
  std::span<const Branching, 33> figures_;
  Random& random_;
  std::map<std::pair<unsigned, uint32_t>, Node> nodes_;  // by level and the bits above
};

Port port_of(PortClass of, std::span<const Port> exact, std::span<const Port> ranges,
             Random& random) {
  switch (of) {
    case PortClass::high:
      return {1, 1024, 65535};
    case PortClass::range:
      return drawn(ranges, random);
    case PortClass::exact:
      return drawn(exact, random);
    case PortClass::any:
      break;
  }
  return {1, 0, 65535};
}

AddressSet set_of_prefix(const Prefix& prefix) {
  if (prefix.length == 0) return {};
  return {{{prefix.network(), prefix.last()}}, false};
}

AddressSet random_set(Random& random) {
  AddressSet set;
  if (random() % 3 == 0) return set;
  set.any = false;
  bool is_negation = random() % 6 == 0;
  uint32_t at = is_negation ? 0 : 0x0A000000 + static_cast<uint32_t>(random() % 40);
  for (unsigned i = random() % 4 + (is_negation ? 1 : 0); i > 0; --i) {
    uint32_t last = is_negation ? 0x0A000000 + static_cast<uint32_t>(random() % 40)
                                : at + static_cast<uint32_t>(random() % 5);
    if (last < at) break;
    set.ranges.push_back({Ipv4Address(at), Ipv4Address(last)});
    at = last + 1 + static_cast<uint32_t>(random() % 6);
    if (is_negation) {
      set.ranges.push_back({Ipv4Address(at + 40), Ipv4Address(0xFFFFFFFF)});
      break;
    }
  }
  return set;
}

ServiceSpec random_service(Random& random) {
  constexpr uint8_t kProtocols[] = {protocol::tcp,  protocol::tcp, protocol::udp, protocol::udp,
                                    protocol::icmp, protocol::gre, protocol::esp};
  ServiceSpec spec;
  spec.any_protocol = random() % 20 == 0;
  spec.protocol = kProtocols[random() % 7];
  auto ports = [&](uint16_t& first, uint16_t& last) {
    if (random() % 3 == 0) return;
    first = static_cast<uint16_t>(random() % 30);
    last = static_cast<uint16_t>(first + random() % 8);
    if (random() % 4 == 0) last = 65535;
    if (random() % 30 == 0) std::swap(first, last);  // nothing, or one
  };
  ports(spec.first_destination, spec.last_destination);
  if (random() % 3 == 0) ports(spec.first_source, spec.last_source);
  if (random() % 2 == 0) spec.icmp_type = static_cast<int16_t>(random() % 5 * 4);
  if (random() % 4 == 0) spec.icmp_code = static_cast<int16_t>(random() % 3);
  return spec;
}

InterfaceSet random_interfaces(Random& random) {
  switch (random() % 6) {
    case 0:
      return random() % 2 == 0 ? set_of(kGateway) : ~set_of(kGateway);
    case 1:
    case 2:
      return random() % 16;
    default:
      return kAnyInterface;
  }
}

uint32_t near(const AddressSet& set, uint32_t other, Random& random) {
  if (set.any || set.ranges.empty()) return random() % 2 == 0 ? other : random();
  const AddressRange& range = set.ranges[random() % set.ranges.size()];
  switch (random() % 8) {
    case 0:
      return range.first.number - 1;
    case 1:
      return range.last.number + 1;
    case 2:
    case 3:
    case 4:
      return range.first.number;
    default:
      return range.last.number;
  }
}

uint16_t near(uint16_t first, uint16_t last, Random& random) {
  unsigned corner = random() % 8;
  if (corner == 0) return static_cast<uint16_t>(first - 1);
  if (corner == 1) return static_cast<uint16_t>(last + 1);
  return corner < 5 ? first : last;
}

InterfaceId near(InterfaceSet set, Random& random) {
  constexpr InterfaceId kOthers[] = {0, 1, kGateway, kNoInterface, 40};
  if (set == kAnyInterface || set == 0 || random() % 8 == 0) return kOthers[random() % 5];
  auto id = static_cast<unsigned>(random() % 64);
  while ((set >> id & 1) == 0)
    id = (id + 1) % 64;
  return static_cast<InterfaceId>(id);
}

}  // namespace

std::vector<Rule> classbench_rules(ClassBenchSeed seed, size_t count, Random& random) {
  const SeedFigures& figures = seed == ClassBenchSeed::fw1 ? kFw1 : kAcl1;
  PrefixTree sources(figures.source, random), destinations(figures.destination, random);
  std::set<std::tuple<Prefix, Prefix, uint8_t, uint32_t, uint32_t>> known;
  std::multimap<unsigned, Rule> by_length;  // of both prefixes, negative
  bool fresh = false;
  while (by_length.size() < count) {
    const PortPair& pair = drawn(figures.pairs, random);
    const PrefixLengths& lengths = drawn(pair.lengths, random);
    Prefix from = sources.draw(lengths.source, nullptr, figures.correlation, fresh);
    Prefix to = destinations.draw(lengths.destination, &from, figures.correlation, fresh);
    Port source = port_of(pair.source, figures.source_ports, figures.ranges, random);
    Port destination = port_of(pair.destination, figures.destination_ports, figures.ranges, random);
    fresh = !known
                 .emplace(from, to, pair.protocol, uint32_t{source.first} << 16 | source.last,
                          uint32_t{destination.first} << 16 | destination.last)
                 .second;
    if (fresh) continue;
    Rule rule;
    rule.action = random() % 2 == 0 ? Action::permit : Action::drop;
    rule.from = set_of_prefix(from);
    rule.to = set_of_prefix(to);
    if (pair.protocol != 0) {
      ServiceSpec spec;
      spec.protocol = pair.protocol;
      spec.first_source = source.first;
      spec.last_source = source.last;
      spec.first_destination = destination.first;
      spec.last_destination = destination.last;
      rule.services = {spec};
    }
    if (pair.protocol == protocol::tcp) {
      double state = fraction(random);
      if (state < figures.opening) rule.tcp = TcpQualifier::opening;
      if (state > 1 - figures.established) rule.tcp = TcpQualifier::established;
    }
    by_length.emplace(64u - from.length - to.length, std::move(rule));
  }
  std::vector<Rule> rules;
  for (auto& [length, rule] : by_length)
    rules.push_back(std::move(rule));
  return rules;
}

std::vector<Rule> last_permits(size_t count) {
  std::vector<Rule> rules(count);
  for (size_t i = 0; i + 1 < count; ++i) {
    Rule& rule = rules[i];
    rule.out = set_of(1);
    Ipv4Address host(static_cast<uint32_t>(0xC6120000 + i));
    rule.to = {{{host, host}}, false};
    ServiceSpec spec;
    spec.protocol = protocol::tcp;
    spec.first_destination = spec.last_destination = static_cast<uint16_t>(1 + i % 1000);
    rule.services = {spec};
  }
  if (count == 0) return rules;
  rules.back().in = set_of(0);
  rules.back().out = set_of(1);
  rules.back().action = Action::permit;
  return rules;
}

std::vector<Rule> random_rules(size_t count, Random& random) {
  std::vector<Rule> rules(count);
  for (Rule& rule : rules) {
    rule.in = random_interfaces(random);
    rule.out = random_interfaces(random);
    rule.from = random_set(random);
    rule.to = random_set(random);
    if (random() % 6 == 0) rule.to_original = random_set(random);
    for (unsigned i = random() % 4; i > 0; --i)
      rule.services.push_back(random_service(random));
    if (random() % 6 == 0) rule.tcp = static_cast<TcpQualifier>(random() % 3);
    if (random() % 8 == 0) rule.scope = static_cast<Scope>(random() % 3);
    rule.mapped_only = random() % 12 == 0;
    rule.enabled = random() % 10 != 0;
    rule.emergency = random() % 3 == 0;
    rule.action = static_cast<Action>(random() % 4);
  }
  return rules;
}

FlowQuery query_near(const std::vector<Rule>& rules, Random& random) {
  FlowQuery query;
  static const Rule kNone;
  const Rule& rule = rules.empty() ? kNone : rules[random() % rules.size()];
  query.in = near(rule.in, random);
  query.out = near(rule.out, random);
  query.source = Ipv4Address(near(rule.from, 0x0A000000 + random() % 64, random));
  query.destination = Ipv4Address(near(rule.to, 0x0A000000 + random() % 64, random));
  query.original_destination =
      rule.to_original.any ? query.destination
                           : Ipv4Address(near(rule.to_original, query.destination.number, random));
  ServiceSpec spec;
  spec.protocol = random() % 2 == 0 ? protocol::tcp : protocol::udp;
  if (!rule.services.empty()) spec = rule.services[random() % rule.services.size()];
  query.protocol = random() % 16 == 0 ? static_cast<uint8_t>(random() % 20) : spec.protocol;
  if (has_ports(query.protocol)) {
    query.destination_port = near(spec.first_destination, spec.last_destination, random);
    query.source_port = near(spec.first_source, spec.last_source, random);
  }
  query.icmp_type = static_cast<uint8_t>(spec.icmp_type < 0 ? random() % 20 : spec.icmp_type);
  query.icmp_code = static_cast<uint8_t>(spec.icmp_code < 0 ? random() % 3 : spec.icmp_code);
  query.established = rule.tcp == TcpQualifier::established || random() % 8 == 0;
  query.translated = rule.mapped_only || random() % 8 == 0;
  return query;
}

}  // namespace postern::test
