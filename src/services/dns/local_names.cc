// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/local_names.h"

#include <algorithm>

namespace postern::dns {
namespace {

// Names that software looks for by itself: who has one is obeyed, so no client gets one.
constexpr std::string_view kNotForClients[] = {"wpad",    "isatap", "localhost", "local",
                                               "invalid", "test",   "onion"};

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kBlank = " \t\r\v\f";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

void read_line(std::string_view line, HostsText& hosts) {
  line = line.substr(0, line.find('#'));
  std::string_view first = next_word(line);
  if (first.empty()) return;
  auto address = parse_ipv4(first);
  if (!address) {
    ++hosts.skipped;
    return;
  }
  bool is_first = true;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    auto name = parse_name(word);
    if (!name || name->is_root() || hosts.names.size() >= kFixedNamesMax) {
      ++hosts.skipped;
      continue;
    }
    hosts.names.push_back({*address, *name, is_first});
    is_first = false;
  }
}

}  // namespace

HostsText parse_hosts(std::string_view text) {
  HostsText hosts;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    read_line(text.substr(0, end), hosts);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return hosts;
}

void LocalNames::Layer::add(const Name& name, Ipv4Address address) {
  std::vector<Ipv4Address>& list = names[std::string(name.key())];
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
}

void LocalNames::Layer::remove(const Name& name, Ipv4Address address) {
  auto found = names.find(name.key());
  if (found == names.end()) return;
  std::erase(found->second, address);
  if (found->second.empty()) names.erase(found);
}

Name LocalNames::long_form(const Name& name) const {
  Name whole = name;
  if (count_labels(name.key()) == 1 && !domain_.is_root()) whole.append(domain_);
  return whole;
}

void LocalNames::set_fixed(const std::vector<HostName>& names, const Name& domain) {
  domain_ = domain;
  fixed_ = {};
  for (const HostName& host : names) {
    Name whole = long_form(host.name);
    fixed_.add(host.name, host.address);
    fixed_.add(whole, host.address);
    if (host.is_first && !host.address.is_unspecified()) {
      fixed_.addresses.emplace(host.address.number, whole);
    }
  }
  leases_ = {};
  for (const auto& [address, label] : labels_)
    add_lease(Ipv4Address(address), label);
}

void LocalNames::add_lease(Ipv4Address address, const Name& name) {
  Name whole = long_form(name);
  leases_.add(name, address);
  leases_.add(whole, address);
  leases_.addresses.insert_or_assign(address.number, whole);
}

bool LocalNames::set_lease(Ipv4Address address, std::string_view label) {
  erase_lease(address);
  label = label.substr(0, label.find('.'));  // a client may send its whole name
  auto name = parse_name(label);
  if (!name || count_labels(name->key()) != 1) return false;
  std::string_view lowered = name->key().substr(1, name->size() - 2);
  if (std::find(std::begin(kNotForClients), std::end(kNotForClients), lowered) !=
          std::end(kNotForClients) ||
      fixed_.names.contains(name->key()) || fixed_.names.contains(long_form(*name).key())) {
    return false;
  }
  if (auto holder = holders_.find(name->key()); holder != holders_.end()) {
    erase_lease(Ipv4Address(holder->second));
  }
  holders_.emplace(name->key(), address.number);
  labels_.emplace(address.number, *name);
  add_lease(address, *name);
  return true;
}

void LocalNames::erase_lease(Ipv4Address address) {
  auto found = labels_.find(address.number);
  if (found == labels_.end()) return;
  leases_.remove(found->second, address);
  leases_.remove(long_form(found->second), address);
  leases_.addresses.erase(address.number);
  holders_.erase(holders_.find(found->second.key()));
  labels_.erase(found);
}

std::span<const Ipv4Address> LocalNames::find(const Name& name) const {
  auto found = fixed_.names.find(name.key());
  if (found != fixed_.names.end()) return found->second;
  found = leases_.names.find(name.key());
  if (found != leases_.names.end()) return found->second;
  return {};
}

const Name* LocalNames::find(Ipv4Address address) const {
  auto found = fixed_.addresses.find(address.number);
  if (found != fixed_.addresses.end()) return &found->second;
  found = leases_.addresses.find(address.number);
  return found != leases_.addresses.end() ? &found->second : nullptr;
}

}  // namespace postern::dns
