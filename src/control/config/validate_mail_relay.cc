// SPDX-License-Identifier: BSD-3-Clause
// services.mail: who may send to anywhere, and by whom (F53).
//
// The proof that this is no open relay. Mail for others is taken
//   - from addresses of relay_networks: each of them has to be one that routes lead to by an
//     interface that is not external, and no external interface may let packets with such a source
//     in (spoof_allow);
//   - from who logs in: that is for the accounts to judge;
//   - from nobody else: what comes by the external interfaces meets the same rules, and is none of
//     both (submission and POP3 are not open there at all).
#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "control/config/listening.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.mail";

// Behind which interface an address is: that of the longest prefix, of own networks and routes.
class Sides {
 public:
  explicit Sides(const Check& check) {
    std::vector<std::pair<Prefix, const Interface*>> all;
    for (const Interface& interface : check.model.interfaces) {
      if (!interface.enabled) continue;
      for (const Prefix& own : interface.addresses)
        all.emplace_back(own, &interface);
    }
    for (const Route& route : check.model.routes) {
      const Interface* by = route.interface.empty() ? check.network_of(route.via)
                                                    : check.find_interface(route.interface);
      // A default route says nothing about who is there.
      if (by != nullptr && route.to.length > 0) all.emplace_back(route.to, by);
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.first.length < b.first.length; });
    for (const auto& [prefix, by] : all)
      paint({prefix.network(), prefix.last()}, by);
  }

  // The first address of the range that is not inside, and whose it is: nullptr: nobody knows.
  struct Outsider {
    Ipv4Address address;
    const Interface* by;
  };
  std::optional<Outsider> find_outsider(const AddressRange& range) const {
    auto at = std::prev(begins_.upper_bound(range.first.number));
    for (; at != begins_.end() && at->first <= range.last.number; ++at) {
      if (at->second != nullptr && at->second->zone != Zone::external) continue;
      const auto number = static_cast<uint32_t>(std::max<uint64_t>(at->first, range.first.number));
      return Outsider{Ipv4Address(number), at->second};
    }
    return std::nullopt;
  }

 private:
  // Prefixes nest, and come with the longer ones later: none begins within.
  void paint(const AddressRange& range, const Interface* by) {
    const uint64_t first = range.first.number, end = uint64_t{range.last.number} + 1;
    const Interface* behind = std::prev(begins_.upper_bound(end))->second;
    begins_.erase(begins_.lower_bound(first), begins_.lower_bound(end));
    begins_[first] = by;
    begins_.emplace(end, behind);
  }

  std::map<uint64_t, const Interface*> begins_ = {{0, nullptr}};  // each up to the next
};

// nullopt: reported already.
std::optional<std::vector<AddressRange>> relay_ranges(Check& check, const Mail& mail,
                                                      const std::string& path) {
  if (mail.relay_networks) {
    check.require_items(ItemKind::address, *mail.relay_networks, path);
    auto ranges = check.resolver.addresses(*mail.relay_networks);
    if (!ranges) return std::nullopt;
    return std::move(*ranges);
  }
  std::vector<AddressRange> ranges;
  for (const Interface& interface : check.model.interfaces) {
    if (!listens_on(listening_of(mail), interface)) continue;
    for (const Prefix& own : interface.addresses)
      ranges.push_back({own.network(), own.last()});
  }
  return ranges;
}

bool overlap(const AddressRange& a, const AddressRange& b) {
  return a.first <= b.last && b.first <= a.last;
}

void require_no_spoofing(Check& check, const std::vector<AddressRange>& ranges,
                         const std::string& path) {
  for (const Interface& interface : check.model.interfaces) {
    if (interface.zone != Zone::external || interface.spoof_allow.empty()) continue;
    const auto allowed = check.resolver.addresses(interface.spoof_allow);
    if (!allowed) continue;
    for (const AddressRange& range : ranges) {
      const auto one = std::find_if(allowed->begin(), allowed->end(),
                                    [&](const auto& other) { return overlap(range, other); });
      if (one == allowed->end()) continue;
      check.report.error_at(path, "spoof_allow of " + quote(interface.name) +
                                      " lets packets with source " +
                                      to_text(std::max(range.first, one->first)) +
                                      " in from outside: whoever sends them could relay");
      return;
    }
  }
}

void prove_closed(Check& check, const Mail& mail) {
  const std::string path = join(kPath, "relay_networks");
  const auto ranges = relay_ranges(check, mail, path);
  if (!ranges || !check.parsed.interfaces_sound) return;
  const Sides sides(check);
  for (const AddressRange& range : *ranges) {
    const auto outsider = sides.find_outsider(range);
    if (!outsider) continue;
    const std::string address = to_text(outsider->address);
    check.report.error_at(
        path, address +
                  (outsider->by != nullptr
                       ? " is behind " + quote(outsider->by->name) + ", which is external"
                       : " is behind no inside interface") +
                  ": that would be an open relay. Name addresses inside alone; submission and POP3 "
                  "are not offered outside");
    return;
  }
  require_no_spoofing(check, *ranges, path);
}

}  // namespace

void validate_mail_relay(Check& check, const Mail& mail) {
  prove_closed(check, mail);
  if (mail.pop3) check.require_items(ItemKind::address, mail.pop3->from, "services.mail.pop3.from");
  if (!mail.enabled || check.report.errors() > 0 || mail.relay) return;
  check.report.warning_at(std::string(kPath),
                          "mail for other domains is refused: there is no relay; add "
                          "services.mail.relay with hosts, or mx: true");
}

}  // namespace postern::config
