// SPDX-License-Identifier: BSD-3-Clause
// Client messages as bytes, option by option; also broken ones.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "services/dhcp/message.h"

namespace postern::dhcp::test {

inline MacAddress mac_of(unsigned number) {
  return {{2, 0, 0, static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8),
           static_cast<uint8_t>(number)}};
}

class Built {
 public:
  explicit Built(MessageType type = MessageType::none, unsigned client = 1) {
    bytes_.resize(kHeaderBytes);
    bytes_[0] = kBootRequest;
    bytes_[1] = kEthernet;
    bytes_[2] = 6;
    bytes_[7] = static_cast<uint8_t>(client);
    MacAddress mac = mac_of(client);
    std::copy(mac.bytes.begin(), mac.bytes.end(), bytes_.begin() + 28);
    add({99, 130, 83, 99});
    if (type != MessageType::none) option(option::message_type, {static_cast<uint8_t>(type)});
  }
  Built& option(uint8_t code, std::vector<uint8_t> value) {
    add({code, static_cast<uint8_t>(value.size())});
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  Built& text(uint8_t code, std::string_view value) {
    return option(code, std::vector<uint8_t>(value.begin(), value.end()));
  }
  Built& address(uint8_t code, Ipv4Address value) { return option(code, bytes_of(value)); }
  Built& add(std::initializer_list<int> bytes) {
    for (int byte : bytes)
      bytes_.push_back(static_cast<uint8_t>(byte));
    return *this;
  }
  Built& at(size_t place, std::vector<uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<ptrdiff_t>(place));
    return *this;
  }
  Built& ciaddr(Ipv4Address address) { return at(12, bytes_of(address)); }
  Built& giaddr(Ipv4Address address) { return at(24, bytes_of(address)); }
  Built& broadcast() { return at(10, {0x80, 0}); }

  std::vector<uint8_t> unended() const { return bytes_; }
  std::vector<uint8_t> done() const {
    std::vector<uint8_t> all = bytes_;
    all.push_back(option::end);
    return all;
  }

  static std::vector<uint8_t> bytes_of(Ipv4Address address) {
    be32 wire = address.wire();
    const auto* first = reinterpret_cast<const uint8_t*>(&wire);
    return {first, first + 4};
  }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace postern::dhcp::test
