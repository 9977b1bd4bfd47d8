// SPDX-License-Identifier: BSD-3-Clause
// F53: the DNS service never listens on external interfaces. But an interface that leads out may
// have been called internal.
#include "control/analysis/findings.h"
#include "control/analysis/lists.h"
#include "control/config/listening.h"

namespace postern::analysis {
namespace {

constexpr uint16_t kDnsPort = 53;

// Any address of the internet shows where the default route leads.
constexpr Ipv4Address kSomewhere(1, 0, 0, 1);

// Who is not of this house: no private address, no network of ours.
RangeSet strangers(const Policy& policy) {
  constexpr Prefix kNobody[] = {{Ipv4Address(0, 0, 0, 0), 8},      {Ipv4Address(10, 0, 0, 0), 8},
                                {Ipv4Address(100, 64, 0, 0), 10},  {Ipv4Address(127, 0, 0, 0), 8},
                                {Ipv4Address(169, 254, 0, 0), 16}, {Ipv4Address(172, 16, 0, 0), 12},
                                {Ipv4Address(192, 168, 0, 0), 16}, {Ipv4Address(224, 0, 0, 0), 3}};
  std::vector<Range> known;
  for (const Prefix& prefix : kNobody)
    known.push_back({prefix.network().number, prefix.last().number});
  for (const PolicyInterface& interface : policy.interfaces) {
    for (const Prefix& own : interface.addresses)
      known.push_back({own.network().number, own.last().number});
  }
  return RangeSet().without(RangeSet(std::move(known)));
}

Region questions_by(InterfaceId id, uint8_t proto, const Policy& policy) {
  Region region = region_of(set_of(id), set_of(kGateway), policy);
  std::vector<Range> own;
  for (const Prefix& address : policy.interfaces[id].addresses)
    own.push_back({address.address.number, address.address.number});
  region[Number::to] = RangeSet(own);
  region[Number::original] = region[Number::to];
  region[Number::from] = strangers(policy);
  region[Number::protocol] = {proto, proto};
  region[Number::port] = {kDnsPort, kDnsPort};
  region[Choice::tcp] = kOpening;
  region[Choice::mapped] = kPlain;
  region[Choice::posture] = kNormal;
  return region;
}

}  // namespace

void judge_resolver(const config::Model& model, const Policy& policy,
                    const std::vector<Item>& rules, Budget& budget, Findings& findings) {
  if (!model.services.dns || !model.services.dns->enabled) return;
  const Route* out = policy.routes.find(kSomewhere);
  if (out == nullptr || out->to.length != 0 || out->interface >= model.interfaces.size()) return;
  const config::Interface& leading = model.interfaces[out->interface];
  const bool is_listening = config::listens_on(config::listening_of(*model.services.dns), leading);
  if (!is_listening || policy.interfaces[out->interface].addresses.empty()) return;
  for (uint8_t proto : {protocol::udp, protocol::tcp}) {
    const size_t permit =
        find_permit(questions_by(out->interface, proto, policy), policy, rules, budget, nullptr);
    if (permit == kRefused || permit == kUndecided) continue;
    if (permit != kPasses && rules[permit].is_for_some) continue;  // no stranger is logged in
    Subject subject{"services.dns", leading.mark};
    std::vector<config::Cause> causes;
    if (permit != kPasses) causes = causes_of(rules, {permit});
    std::string who = causes.empty() ? "posture open" : named(causes);
    findings.push_back(finding(
        "open-resolver", subject,
        who + " lets strangers ask it by " + leading.name +
            ", where the default route leads out; name the sources in `from` there, or call " +
            leading.name + " external",
        causes));
    return;
  }
}

}  // namespace postern::analysis
