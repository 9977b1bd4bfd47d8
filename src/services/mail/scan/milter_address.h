// SPDX-License-Identifier: BSD-3-Clause
// MilterAddress: where a milter hears, as the configuration writes it. Thread: any.
//
//   unix:/run/clamav/milter.sock    inet:127.0.0.1:7357
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace postern::mail {

struct MilterAddress {
  std::string path;  // of the socket; empty: by TCP
  Ipv4Address address;
  uint16_t port = 0;
  friend bool operator==(const MilterAddress&, const MilterAddress&) = default;
};

// The path is absolute and as long as a socket's may be.
Result<MilterAddress> parse_milter_address(std::string_view text);

}  // namespace postern::mail
