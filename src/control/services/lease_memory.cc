// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/lease_memory.h"

#include <nlohmann/json.hpp>

namespace postern {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kItemsMax = 256;  // of one list in the file

std::string text_of(const Json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

uint32_t number_of(const Json& object, const char* key) {
  auto found = object.find(key);
  bool fits = found != object.end() && found->is_number_unsigned() &&
              found->get<uint64_t>() <= dhcp::kLeaseForever;
  return fits ? found->get<uint32_t>() : 0;
}

Ipv4Address address_of(const std::string& text) {
  return parse_ipv4(text).value_or(Ipv4Address());
}

// Calls `take` with the items of a list, as many as are taken at all.
template <typename Take>
void for_each(const Json& object, const char* key, const Take& take) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return;
  for (size_t i = 0; i < found->size() && i < kItemsMax; ++i)
    take((*found)[i]);
}

Json json_of(const KeptLease& kept) {
  Json routes = Json::array();
  for (const dhcp::ClasslessRoute& route : kept.lease.routes) {
    routes.push_back({{"to", to_text(Prefix{Ipv4Address(route.network), route.length})},
                      {"via", to_text(Ipv4Address(route.via))}});
  }
  Json servers = Json::array();
  for (Ipv4Address server : kept.lease.dns_servers)
    servers.push_back(to_text(server));
  return {{"mac", to_text(kept.mac)},
          {"asked_at", kept.asked_at},
          {"address", to_text(kept.lease.address)},
          {"server", to_text(kept.lease.server)},
          {"routes", routes},
          {"dns_servers", servers},
          {"lease_s", kept.lease.lease_s},
          {"renew_s", kept.lease.renew_s},
          {"rebind_s", kept.lease.rebind_s}};
}

bool read(const Json& object, KeptLease& kept) {
  if (!object.is_object()) return false;
  auto mac = parse_mac(text_of(object, "mac"));
  auto address = parse_prefix(text_of(object, "address"));
  if (!mac || !address) return false;
  kept.mac = *mac;
  auto asked = object.find("asked_at");
  if (asked != object.end() && asked->is_number_unsigned()) {
    kept.asked_at = asked->get<std::time_t>();
  }
  dhcp::ClientLease lease;
  lease.address = *address;
  lease.server = address_of(text_of(object, "server"));
  for_each(object, "routes", [&](const Json& item) {
    if (!item.is_object()) return;
    auto to = parse_prefix(text_of(item, "to"));
    auto via = parse_ipv4(text_of(item, "via"));
    if (to && via) lease.routes.push_back({to->network().number, to->length, via->number});
  });
  for_each(object, "dns_servers", [&](const Json& item) {
    if (item.is_string()) lease.dns_servers.push_back(address_of(item.get<std::string>()));
  });
  lease.lease_s = number_of(object, "lease_s");
  lease.renew_s = number_of(object, "renew_s");
  lease.rebind_s = number_of(object, "rebind_s");
  auto good = dhcp::checked(std::move(lease));
  if (!good) return false;
  kept.lease = std::move(*good);
  return true;
}

}  // namespace

uint32_t KeptLease::left_s(std::time_t now) const {
  if (asked_at <= 0 || now < asked_at) return 0;
  if (lease.lease_s == dhcp::kLeaseForever) return dhcp::kLeaseForever;
  const auto gone = static_cast<uint64_t>(now - asked_at);
  return gone >= lease.lease_s ? 0 : lease.lease_s - static_cast<uint32_t>(gone);
}

std::string to_text(const KeptLeases& leases) {
  Json object = Json::object();
  for (const auto& [name, kept] : leases)
    object[name] = json_of(kept);
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

KeptLeases read_kept_leases(std::string_view text) {
  KeptLeases leases;
  const Json all = Json::parse(text, nullptr, false);
  if (!all.is_object()) return leases;
  for (const auto& [name, object] : all.items()) {
    KeptLease kept;
    if (read(object, kept)) leases[name] = std::move(kept);
  }
  return leases;
}

}  // namespace postern
