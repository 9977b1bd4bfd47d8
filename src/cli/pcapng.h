// SPDX-License-Identifier: BSD-3-Clause
// Pcapng: frames as a pcapng file (draft-ietf-opsawg-pcapng), for tcpdump, tshark and their kin.
//
//   Section Header, Interface Description..., Enhanced Packet..., Interface Statistics...
//
// Each function gives one block, in this machine's byte order, which the section header tells.
// Interfaces are numbered in the order of their blocks, from 0. Times are nanoseconds since 1970.
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postern::cli::pcapng {

std::string section_header(std::string_view application);

std::string interface_description(std::string_view name, uint32_t snap_length);

struct Frame {
  uint32_t interface = 0;
  int64_t time_ns = 0;
  std::span<const uint8_t> bytes;  // what was captured
  uint32_t length = 0;             // of the frame on the wire
  bool is_outbound = false;
  std::string_view comment;
};
std::string enhanced_packet(const Frame& frame);

// `matched` frames in all, `lost` of them without being captured.
std::string interface_statistics(uint32_t interface, int64_t time_ns, uint64_t matched,
                                 uint64_t lost);

}  // namespace postern::cli::pcapng
