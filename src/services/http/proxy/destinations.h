// SPDX-License-Identifier: BSD-3-Clause
// Which addresses the proxy may connect to at all: it stands in two networks, and must not be the
// way from one to the other (server-side request forgery). What is asked about is the address that
// a connection is made to, never a name: a name that changes its address between the question and
// the connection gains nothing.
//
// Thread: control.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/public_address.h"

namespace postern::http {

enum class Barrier : uint8_t {
  none,
  not_public,  // private, loopback, link-local, shared, reserved, multicast or broadcast
  own,         // the gateway itself
  port,        // a port that HTTP is not spoken on
};

// Ports of old services whose protocol a forged request can speak.
std::vector<uint16_t> ports_of_other_protocols();

struct DestinationRules {
  // Permitted although they are not public. One of our own, too, where it stands here alone: a
  // range of other servers is not meant to open the gateway, which trusts what it hears from
  // itself.
  std::vector<AddressRange> allowed;
  std::vector<AddressRange> own;  // the gateway's addresses, beside loopback
  std::vector<uint16_t> refused_ports = ports_of_other_protocols();
  std::vector<uint16_t> connect_ports = {443};
};

using postern::is_public;

Barrier judge_address(const DestinationRules& rules, Ipv4Address address);
bool may_connect_port(const DestinationRules& rules, uint16_t port);
bool may_fetch_port(const DestinationRules& rules, uint16_t port);

}  // namespace postern::http
