// SPDX-License-Identifier: BSD-3-Clause
// cold: built with a policy, off the packet path.
#include "dataplane/filter/context_index.h"

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "dataplane/filter/ruleset.h"

namespace postern {
namespace {

constexpr size_t kWorkMax = size_t{1} << 29;  // bits set in all: below a second

// Rules with the same of these are asked once.
auto context_of(const Rule& rule) {
  return std::tuple(rule.in, rule.out, rule.scope, rule.tcp, rule.mapped_only);
}

// Ids that are in the same ones of `sets` get the same class; the gateway is one for itself. One id
// of each class is returned.
std::vector<InterfaceId> classify(const std::set<InterfaceSet>& sets,
                                  std::array<uint8_t, 256>& class_of) {
  std::map<std::string, uint8_t> known;
  std::vector<InterfaceId> members;
  for (unsigned id = 0; id < class_of.size(); ++id) {
    std::string held(1, id == kGateway ? 'g' : '-');
    for (InterfaceSet set : sets)
      held += set == kAnyInterface || (id < 64 && (set >> id & 1) != 0) ? '1' : '0';
    auto [it, is_new] = known.emplace(held, static_cast<uint8_t>(known.size()));
    if (is_new) members.push_back(static_cast<InterfaceId>(id));
    class_of[id] = it->second;
  }
  return members;
}

}  // namespace

ContextIndex::ContextIndex(RowPool& pool, std::span<const Rule> rules,
                           std::span<const uint16_t> order) {
  std::set<InterfaceSet> in_sets, out_sets;
  std::map<decltype(context_of(rules[0])), std::vector<size_t>> alike;
  for (size_t position = 0; position < order.size(); ++position) {
    const Rule& rule = rules[order[position]];
    in_sets.insert(rule.in);
    out_sets.insert(rule.out);
    alike[context_of(rule)].push_back(position);
  }
  auto ins = classify(in_sets, in_class_), outs = classify(out_sets, out_class_);
  outs_ = outs.size();
  size_t contexts = ins.size() * outs.size() * 2 * kTcpStates;
  if (contexts * (order.size() + 1) > kWorkMax) return;
  FlowQuery query;
  std::vector<uint64_t> bits(pool.clusters());
  for (size_t i = 0; i < contexts; ++i) {
    query.in = ins[i / (outs.size() * 2 * kTcpStates)];
    query.out = outs[i / (2 * kTcpStates) % outs.size()];
    query.translated = i / kTcpStates % 2 != 0;
    query.protocol = i % kTcpStates == 0 ? uint8_t{0} : protocol::tcp;
    query.established = i % kTcpStates == 2;
    bits.assign(bits.size(), 0);
    for (const auto& [context, positions] : alike) {
      if (!matches_context(rules[order[positions[0]]], query)) continue;
      for (size_t position : positions)
        set_bit(bits, position);
    }
    rows_.push_back(pool.intern(bits));
  }
}

}  // namespace postern
