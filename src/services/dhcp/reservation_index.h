// SPDX-License-Identifier: BSD-3-Clause
// ReservationIndex: finds the reservation of a client or of an address in one look. It points into
// the settings that it was made from. Thread: control.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "services/dhcp/settings.h"

namespace postern::dhcp {

class ReservationIndex {
 public:
  explicit ReservationIndex(const std::vector<Reservation>& reservations) {
    for (const Reservation& r : reservations) {
      by_address_.emplace(r.address.number, &r);
      if (r.mac) by_mac_.emplace(key_of(*r.mac), &r);
      if (!r.client_id.empty()) by_client_id_.emplace(text_of(r.client_id), &r);
      if (!r.host_name.empty()) by_host_name_.emplace(r.host_name, &r);
    }
  }
  ReservationIndex(ReservationIndex&&) = default;
  ReservationIndex& operator=(ReservationIndex&&) = default;

  const Reservation* find(Ipv4Address address) const { return find(by_address_, address.number); }
  const Reservation* find(const MacAddress& mac) const { return find(by_mac_, key_of(mac)); }
  const Reservation* find_client_id(std::span<const uint8_t> id) const {
    return find(by_client_id_, text_of(id));
  }
  const Reservation* find_host_name(std::string_view name) const {
    return find(by_host_name_, name);
  }

 private:
  static uint64_t key_of(const MacAddress& mac) {
    uint64_t key = 0;
    for (uint8_t byte : mac.bytes)
      key = key << 8 | byte;
    return key;
  }
  static std::string_view text_of(std::span<const uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  template <typename Map, typename Key>
  static const Reservation* find(const Map& map, const Key& key) {
    auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
  }

  std::unordered_map<uint32_t, const Reservation*> by_address_;
  std::unordered_map<uint64_t, const Reservation*> by_mac_;
  std::unordered_map<std::string_view, const Reservation*> by_client_id_;
  std::unordered_map<std::string_view, const Reservation*> by_host_name_;
};

}  // namespace postern::dhcp
