// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/reserve.h"

#include <algorithm>

#include "control/config/dhcp_subnet.h"
#include "control/config/load.h"

namespace postern {
namespace {

// Where a mark is in the text.
size_t place_of(const std::string& text, config::Mark mark) {
  size_t at = 0;
  for (uint32_t line = 1; line < mark.line && at != std::string::npos; ++line) {
    size_t end = text.find('\n', at);
    at = end == std::string::npos ? end : end + 1;
  }
  size_t place = at == std::string::npos ? text.size() : at + mark.column - 1;
  return std::min(place, text.size());
}

std::string hex_of(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    auto byte = static_cast<uint8_t>(c);
    if (!out.empty()) out += ':';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

// One entry in flow style.
std::string entry_of(const dhcp::Lease& lease) {
  std::string entry = "{ ";
  if (!lease.host_name.empty()) entry += "name: \"" + lease.host_name + "\", ";
  bool is_by_mac = !lease.mac.is_zero();
  entry += is_by_mac ? "mac: \"" + to_text(lease.mac) : "client_id: \"" + hex_of(lease.client);
  return entry + "\", address: " + to_text(lease.address) + " }";
}

// What stands before `at` on its line, blanks aside; '\n' when nothing does.
char before(const std::string& text, size_t at) {
  while (at > 0 && text[at - 1] == ' ')
    --at;
  return at == 0 ? '\n' : text[at - 1];
}

std::string inserted(const std::string& text, const config::DhcpScope& scope,
                     const std::string& entry) {
  std::string out = text;
  if (!scope.reservations.empty()) {
    const config::Mark mark = scope.reservations.front().mark;
    size_t at = place_of(text, mark);
    bool is_block = before(text, at) == '-';
    std::string more = entry + ", ";
    if (is_block) {
      size_t dash = text.rfind('-', at == 0 ? 0 : at - 1);
      size_t start = text.rfind('\n', dash);
      start = start == std::string::npos ? 0 : start + 1;
      more = entry + "\n" + std::string(dash - start, ' ') + "- ";
    }
    return out.insert(at, more);
  }
  size_t at = place_of(text, scope.mark);
  std::string key = "reservations: [" + entry + "]";
  if (at < text.size() && text[at] == '{') return out.insert(at + 1, " " + key + ",");
  return out.insert(at, key + "\n" + std::string(scope.mark.column - 1, ' '));
}

// The scope of the address, or nullptr.
const config::DhcpScope* find_scope(const config::Model& model, Ipv4Address address) {
  if (!model.services.dhcp) return nullptr;
  for (const config::DhcpScope& scope : model.services.dhcp->scopes) {
    auto subnet = config::subnet_of(scope, config::server_interface_of(scope, model));
    if (subnet && subnet->contains(address)) return &scope;
  }
  return nullptr;
}

}  // namespace

Result<std::string> with_reservation(const std::string& text, const config::Model& model,
                                     const dhcp::Lease& lease) {
  const config::DhcpScope* scope = find_scope(model, lease.address);
  if (scope == nullptr) {
    return Error{ErrorCode::not_found, "no scope has " + to_text(lease.address)};
  }
  for (const config::DhcpReservation& known : scope->reservations) {
    if (known.address != lease.address) continue;
    return Error{ErrorCode::failed, to_text(lease.address) + " is reserved already"};
  }
  std::string changed = inserted(text, *scope, entry_of(lease));
  config::Loaded loaded = config::load(changed);
  auto index = static_cast<size_t>(scope - model.services.dhcp->scopes.data());
  bool is_there = loaded.ok() && loaded.model.services.dhcp &&
                  loaded.model.services.dhcp->scopes.size() > index;
  if (is_there) {
    // Nothing else may mean something else.
    auto& list = loaded.model.services.dhcp->scopes[index].reservations;
    is_there = !list.empty() && list.front().address == lease.address;
    if (is_there) list.erase(list.begin());
    is_there = is_there && loaded.model == model;
  }
  if (is_there) return changed;
  return Error{ErrorCode::failed,
               "the reservation cannot be put into the configuration by itself; add to the "
               "reservations of the scope: " +
                   entry_of(lease)};
}

}  // namespace postern
