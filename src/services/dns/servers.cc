// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/servers.h"

#include <algorithm>

namespace postern::dns {

std::string to_text(const ServerAddress& server) {
  std::string text = postern::to_text(server.address);
  uint16_t usual = server.tls_name.empty() ? 53 : 853;
  if (server.port != usual) text += ":" + std::to_string(server.port);
  return server.tls_name.empty() ? text : text + "#" + server.tls_name;
}

void Servers::begin() {
  groups_.clear();
  is_named_.assign(servers_.size(), false);
}

uint16_t Servers::add_group(const std::vector<ServerAddress>& addresses) {
  ServerGroup group;
  for (const ServerAddress& address : addresses) {
    auto found = std::find_if(servers_.begin(), servers_.end(),
                              [&](const Server& s) { return s.address == address; });
    if (found == servers_.end()) {
      if (servers_.size() >= 2 * kServersMax) continue;  // old and new ones together
      servers_.emplace_back().address = address;
      is_named_.push_back(true);
      found = servers_.end() - 1;
    }
    auto number = static_cast<uint16_t>(found - servers_.begin());
    is_named_[number] = true;
    if (group.servers.size() < 64) group.servers.push_back(number);
  }
  groups_.push_back(std::move(group));
  return static_cast<uint16_t>(groups_.size() - 1);
}

std::vector<uint16_t> Servers::finish() {
  std::vector<uint16_t> old_to_new(servers_.size(), kNone);
  std::vector<Server> kept;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (!is_named_[i]) continue;
    old_to_new[i] = static_cast<uint16_t>(kept.size());
    kept.push_back(std::move(servers_[i]));
  }
  servers_ = std::move(kept);
  for (ServerGroup& group : groups_) {
    for (uint16_t& number : group.servers)
      number = old_to_new[number];
  }
  return old_to_new;
}

bool Servers::all_down(uint16_t group) const {
  const auto& numbers = groups_[group].servers;
  return std::all_of(numbers.begin(), numbers.end(), [this](uint16_t n) { return is_down(n); });
}

uint16_t Servers::choose(uint16_t group, uint64_t& was_asked) const {
  const auto& numbers = groups_[group].servers;
  for (bool down : {false, true}) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      uint64_t bit = uint64_t{1} << i;
      if ((was_asked & bit) != 0 || is_down(numbers[i]) != down) continue;
      was_asked |= bit;
      return numbers[i];
    }
  }
  return kNone;
}

uint16_t Servers::choose_probe(uint16_t group, Instant now) {
  for (uint16_t number : groups_[group].servers) {
    if (!is_down(number) || now < servers_[number].probe_at) continue;
    servers_[number].probe_at = now + kProbeEvery;
    return number;
  }
  return kNone;
}

void Servers::note_answer(uint16_t number, Duration took) {
  Server& server = servers_[number];
  ++server.answers;
  latency_.note(took);
  server.failures = 0;
  int64_t before = server.round_trip.ns;
  server.round_trip.ns = before == 0 ? took.ns : before + (took.ns - before) / 8;
}

void Servers::note_silence(uint16_t number, Instant now) {
  Server& server = servers_[number];
  ++server.timeouts;
  if (++server.failures == kFailuresMax) server.probe_at = now + kProbeEvery;
}

}  // namespace postern::dns
