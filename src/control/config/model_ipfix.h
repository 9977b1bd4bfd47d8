// SPDX-License-Identifier: BSD-3-Clause
// logging.ipfix as typed data; see model.h for how it comes to be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace postern::config {

enum class IpfixTransport : uint8_t { udp, tcp };
enum class IpfixRecords : uint8_t { sessions, mappings };

struct Ipfix {
  Ipv4Address collector;
  uint16_t port = 4739;
  IpfixTransport transport = IpfixTransport::udp;
  uint32_t domain = 1;                      // RFC 7011 3.1: observation domain
  Duration template_refresh = seconds(60);  // UDP
  std::vector<IpfixRecords> records;        // empty: sessions

  bool exports(IpfixRecords what) const;
  bool operator==(const Ipfix&) const = default;
};

}  // namespace postern::config
