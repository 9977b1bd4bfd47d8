// SPDX-License-Identifier: BSD-3-Clause
// Text form of a KernelRecord: one "key value" a line, messages in hexadecimal.
#include <charconv>
#include <sstream>

#include "dataplane/runtime/kernel_port.h"

namespace postern {
namespace {

constexpr char kFirstLine[] = "postern-kernel-record 1";
constexpr char kLastLine[] = "end";

std::string to_hex(const NetlinkMessage& message) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : message) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// Empty: no message.
NetlinkMessage from_hex(const std::string& text) {
  NetlinkMessage message;
  if (text.size() % 2 != 0) return {};
  for (size_t i = 0; i < text.size(); i += 2) {
    uint8_t byte = 0;
    const char* end = text.data() + i + 2;
    if (std::from_chars(text.data() + i, end, byte, 16).ptr != end) return {};
    message.push_back(byte);
  }
  // As long as it says itself to be.
  if (message.size() < sizeof(nlmsghdr)) return {};
  const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
  return header->nlmsg_len == message.size() ? message : NetlinkMessage{};
}

// 0 for what is no number: nothing then is switched on again.
template <typename T>
T number(const std::string& text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// False: a line that no record has.
bool read_line(const std::string& key, const std::string& value, KernelRecord& record) {
  if (key == "interface")
    record.interface = value;
  else if (key == "up")
    record.was_up = value == "1";
  else if (key == "promiscuous")
    record.was_promiscuous = value == "1";
  else if (key == "made_hook")
    record.made_hook = value == "1";
  else if (key == "mtu")
    record.mtu = number<uint16_t>(value);
  else if (key == "merging")
    record.merging = number<uint32_t>(value);
  else if (key == "ipv6_mode")
    record.ipv6_mode = number<uint8_t>(value);
  else if (key == "address")
    record.addresses.push_back(from_hex(value));
  else if (key == "route")
    record.routes.push_back(from_hex(value));
  else
    return false;
  return true;
}

}  // namespace

std::string to_text(const KernelRecord& record) {
  std::ostringstream text;
  text << kFirstLine << "\ninterface " << record.interface << "\nup " << record.was_up
       << "\npromiscuous " << record.was_promiscuous << "\nmade_hook " << record.made_hook
       << "\nmtu " << record.mtu << "\nmerging " << record.merging << '\n';
  if (record.ipv6_mode) text << "ipv6_mode " << unsigned{*record.ipv6_mode} << '\n';
  for (const NetlinkMessage& address : record.addresses)
    text << "address " << to_hex(address) << '\n';
  for (const NetlinkMessage& route : record.routes)
    text << "route " << to_hex(route) << '\n';
  text << kLastLine << '\n';
  return text.str();
}

std::optional<KernelRecord> parse_kernel_record(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine) return std::nullopt;
  KernelRecord record;
  while (std::getline(lines, line)) {
    if (line == kLastLine) break;
    const size_t space = line.find(' ');
    if (space == std::string::npos) return std::nullopt;
    if (!read_line(line.substr(0, space), line.substr(space + 1), record)) return std::nullopt;
  }
  const auto is_empty = [](const NetlinkMessage& message) { return message.empty(); };
  if (line != kLastLine || record.interface.empty()) return std::nullopt;
  std::erase_if(record.addresses, is_empty);
  std::erase_if(record.routes, is_empty);
  return record;
}

}  // namespace postern
