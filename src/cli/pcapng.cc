// SPDX-License-Identifier: BSD-3-Clause
#include "cli/pcapng.h"

#include <algorithm>

namespace postern::cli::pcapng {
namespace {

constexpr uint32_t kSectionHeader = 0x0A0D0D0A, kByteOrder = 0x1A2B3C4D;
constexpr uint32_t kInterfaceDescription = 1, kInterfaceStatistics = 5, kEnhancedPacket = 6;
constexpr uint16_t kLinkEthernet = 1;
constexpr uint16_t kOptEnd = 0, kOptComment = 1;
constexpr uint16_t kIfName = 2, kIfResolution = 9;
constexpr uint16_t kShbApplication = 4;
constexpr uint16_t kEpbFlags = 2;
constexpr uint16_t kIsbReceived = 4, kIsbDropped = 5;
constexpr uint8_t kNanoseconds = 9;  // 10^-9
constexpr uint32_t kInbound = 1, kOutbound = 2;
constexpr size_t kOptionMax = 0xFFFF;

template <typename T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_padded(std::string& to, std::string_view bytes) {
  to += bytes;
  to.append((4 - bytes.size() % 4) % 4, '\0');
}

void put_option(std::string& to, uint16_t code, std::string_view value) {
  value = value.substr(0, std::min(value.size(), kOptionMax));
  put(to, code);
  put(to, static_cast<uint16_t>(value.size()));
  put_padded(to, value);
}

template <typename T>
void put_number(std::string& to, uint16_t code, T value) {
  put_option(to, code, {reinterpret_cast<const char*>(&value), sizeof value});
}

void put_time(std::string& to, int64_t time_ns) {
  const auto time = static_cast<uint64_t>(time_ns);
  put(to, static_cast<uint32_t>(time >> 32));
  put(to, static_cast<uint32_t>(time));
}

std::string block(uint32_t type, const std::string& body) {
  const auto length = static_cast<uint32_t>(body.size() + 12);
  std::string whole;
  put(whole, type);
  put(whole, length);
  whole += body;
  put(whole, length);
  return whole;
}

void end_options(std::string& body) {
  put(body, kOptEnd);
  put(body, uint16_t{0});
}

}  // namespace

std::string section_header(std::string_view application) {
  std::string body;
  put(body, kByteOrder);
  put(body, uint16_t{1});  // version 1.0
  put(body, uint16_t{0});
  put(body, int64_t{-1});  // the section's length is not known
  put_option(body, kShbApplication, application);
  end_options(body);
  return block(kSectionHeader, body);
}

std::string interface_description(std::string_view name, uint32_t snap_length) {
  std::string body;
  put(body, kLinkEthernet);
  put(body, uint16_t{0});
  put(body, snap_length);
  put_option(body, kIfName, name);
  put_number(body, kIfResolution, kNanoseconds);
  end_options(body);
  return block(kInterfaceDescription, body);
}

std::string enhanced_packet(const Frame& frame) {
  std::string body;
  put(body, frame.interface);
  put_time(body, frame.time_ns);
  put(body, static_cast<uint32_t>(frame.bytes.size()));
  put(body, frame.length);
  put_padded(body, {reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()});
  put_number(body, kEpbFlags, frame.is_outbound ? kOutbound : kInbound);
  if (!frame.comment.empty()) put_option(body, kOptComment, frame.comment);
  end_options(body);
  return block(kEnhancedPacket, body);
}

std::string interface_statistics(uint32_t interface, int64_t time_ns, uint64_t matched,
                                 uint64_t lost) {
  std::string body;
  put(body, interface);
  put_time(body, time_ns);
  put_number(body, kIsbReceived, matched);
  put_number(body, kIsbDropped, lost);
  end_options(body);
  return block(kInterfaceStatistics, body);
}

}  // namespace postern::cli::pcapng
