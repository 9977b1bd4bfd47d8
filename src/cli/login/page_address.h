// SPDX-License-Identifier: BSD-3-Clause
// Where a log-in page is: "https://gateway.office/", "gateway.office:4443". There is one page a
// host and port, at its root, and only over TLS. Pure; thread: any.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace postern::cli {

constexpr uint16_t kPagePort = 443;

struct PageAddress {
  std::string host;  // a name in lower case, or an IPv4 address
  uint16_t port = kPagePort;

  // "gateway.office:443", as the file of known pages has it.
  std::string key() const;
  // "gateway.office", "gateway.office:4443": the Host header (RFC 9110 section 7.2).
  std::string authority() const;
  std::string url() const;
};
// A name and a password stand in no address: they would be seen by every process.
Result<PageAddress> parse_page_address(const std::string& text);

}  // namespace postern::cli
