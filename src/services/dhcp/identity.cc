// SPDX-License-Identifier: BSD-3-Clause
// Who a client is and what it says of itself.
#include <algorithm>

#include "services/dhcp/engine.h"

namespace postern::dhcp {
namespace {

constexpr size_t kLabelMax = 63;

bool is_label_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

std::string_view chars(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool begins(std::span<const uint8_t> bytes, std::span<const uint8_t> with) {
  return bytes.size() >= with.size() && std::equal(with.begin(), with.end(), bytes.begin());
}

}  // namespace

std::string client_key(const Message& message) {
  auto id = message.find(option::client_id);
  if (id.size() >= 2) return std::string(chars(id));
  std::string key(1, static_cast<char>(message.header.htype));
  key += chars(message.header.hardware());
  return key;
}

// FNV-1a with a final mix. Where it is no secret is of no use to an attacker: the pool looks for
// the next free place in a bitmap.
uint64_t client_hash(std::string_view client) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : client)
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}

std::string clean_host_name(std::string_view text) {
  std::string name;
  for (char c : text.substr(0, text.find('.')))
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  bool is_sound = !name.empty() && name.size() <= kLabelMax && name.front() != '-' &&
                  name.back() != '-' && std::all_of(name.begin(), name.end(), is_label_char);
  return is_sound ? name : std::string();
}

std::string client_host_name(const Message& message) {
  auto sent = message.find(option::client_fqdn);
  if (sent.size() > fqdn::head_bytes) {
    std::string_view name = chars(sent.subspan(fqdn::head_bytes));
    if ((sent[0] & fqdn::wire_form) != 0) {
      size_t length = static_cast<uint8_t>(name[0]);
      name = length < name.size() ? name.substr(1, length) : std::string_view();
    }
    if (std::string clean = clean_host_name(name); !clean.empty()) return clean;
  }
  return clean_host_name(message.text(option::host_name));
}

std::span<const uint8_t> relay_suboption(const Message& message, uint8_t code) {
  auto left = message.find(option::relay_agent);
  while (left.size() >= 2 && left.size() - 2 >= left[1]) {
    if (left[0] == code) return left.subspan(2, left[1]);
    left = left.subspan(size_t{2} + left[1]);
  }
  return {};
}

bool belongs_to(const Message& message, const ClientClass& client_class) {
  if (!message.text(option::vendor_class).starts_with(client_class.vendor_class)) return false;
  if (!client_class.user_class.empty() &&
      chars(message.find(option::user_class)).find(client_class.user_class) ==
          std::string_view::npos) {
    return false;
  }
  if (!begins(message.header.hardware(), client_class.mac_prefix)) return false;
  auto relay_says = [&](uint8_t code, const std::string& expected) {
    return expected.empty() || chars(relay_suboption(message, code)) == expected;
  };
  if (!relay_says(1, client_class.circuit_id) || !relay_says(2, client_class.remote_id)) {
    return false;
  }
  if (client_class.architectures.empty()) return true;
  auto offered = message.find(option::architecture);
  for (size_t i = 0; i + 1 < offered.size(); i += 2) {
    auto architecture = static_cast<uint16_t>(offered[i] << 8 | offered[i + 1]);
    const auto& wanted = client_class.architectures;
    if (std::find(wanted.begin(), wanted.end(), architecture) != wanted.end()) return true;
  }
  return false;
}

std::string client_text(const Lease& lease) {
  if (!lease.mac.is_zero()) return to_text(lease.mac);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (char c : lease.client) {
    auto byte = static_cast<uint8_t>(c);
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace postern::dhcp
