// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/route.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <string_view>
#include <utility>

#include "base/glob.h"
#include "base/public_address.h"
#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

constexpr std::string_view kRelayHop = "relay";
constexpr std::string_view kSenderHop = "sender ";
constexpr std::string_view kMxHop = "mx ";

std::string without_dot(std::string name) {
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return to_lower(name);
}

bool contains(const std::vector<AddressRange>& ranges, Ipv4Address address) {
  return std::ranges::any_of(
      ranges, [address](const AddressRange& range) { return range.contains(address); });
}

}  // namespace

std::string find_hop(const RelaySettings& settings, const Address& sender,
                     const Address& recipient) {
  const std::string text = to_text(sender);
  for (size_t i = 0; i < settings.by_sender.size(); ++i) {
    const auto& patterns = settings.by_sender[i].senders;
    const bool matches = std::ranges::any_of(
        patterns, [&text](const std::string& pattern) { return matches_glob(pattern, text); });
    if (matches) return std::string(kSenderHop) + std::to_string(i);
  }
  if (!settings.hosts.empty()) return std::string(kRelayHop);
  if (!settings.has_mx || recipient.domain.empty()) return "";
  return std::string(kMxHop) + recipient.domain;
}

const std::vector<RelayHost>* find_hosts(const RelaySettings& settings, const std::string& hop) {
  if (hop == kRelayHop) return settings.hosts.empty() ? nullptr : &settings.hosts;
  if (!hop.starts_with(kSenderHop)) return nullptr;
  size_t place = settings.by_sender.size();
  std::from_chars(hop.data() + kSenderHop.size(), hop.data() + hop.size(), place);
  return place < settings.by_sender.size() ? &settings.by_sender[place].hosts : nullptr;
}

std::string domain_of(const std::string& hop) {
  return hop.starts_with(kMxHop) ? hop.substr(kMxHop.size()) : std::string();
}

MailHostChoice choose_mail_hosts(const std::string& domain, std::vector<MailHost> found,
                                 const std::string& own, uint64_t random) {
  MailHostChoice choice;
  for (MailHost& host : found)
    host.name = without_dot(host.name);
  const auto is_null = [](const MailHost& host) { return host.name.empty() || host.name == "."; };
  if (!found.empty() && std::ranges::all_of(found, is_null)) {
    choice.refusal = {556, "5.1.10", domain + " takes no mail"};  // RFC7505-4
    return choice;
  }
  std::erase_if(found, is_null);
  if (found.empty()) {
    choice.names.push_back(domain);  // RFC5321-5.1: no MX is one that names the domain itself
    return choice;
  }
  // RFC5321-5.1: equal ones in any order, so that the load is spread.
  std::mt19937_64 shuffler(random);
  std::ranges::shuffle(found, shuffler);
  std::ranges::stable_sort(found, {}, &MailHost::preference);
  const auto self = std::ranges::find(found, to_lower(own), &MailHost::name);
  if (self != found.end()) {
    const uint16_t ours = self->preference;
    std::erase_if(found, [ours](const MailHost& host) { return host.preference >= ours; });
  }
  if (found.empty()) {
    choice.refusal = {554, "5.4.6", "Mail for " + domain + " would come back to us"};
    return choice;
  }
  choice.names.reserve(kMailHostsMax);
  for (size_t i = 0; i < std::min(found.size(), kMailHostsMax); ++i)
    choice.names.push_back(found[i].name);
  return choice;
}

// RFC5321-5.1: where an address is ours the mail would go in a circle.
MailAddressChoice choose_mail_addresses(const RelaySettings& settings, const std::string& host,
                                        std::vector<Ipv4Address> found) {
  MailAddressChoice choice;
  const bool has_own = std::ranges::any_of(
      found, [&](Ipv4Address address) { return contains(settings.own, address); });
  std::erase_if(found, [&](Ipv4Address address) {
    const bool is_allowed = is_public(address) || contains(settings.mx_allowed, address);
    return !is_allowed || contains(settings.own, address);
  });
  if (found.empty() && has_own) {
    choice.refusal = {554, "5.4.6", "Mail for " + host + " would come back to us"};
  } else if (found.empty()) {
    choice.refusal = {554, "5.4.4", host + " has no address of the public internet"};
  }
  choice.addresses = std::move(found);
  return choice;
}

}  // namespace postern::mail
