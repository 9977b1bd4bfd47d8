// SPDX-License-Identifier: BSD-3-Clause
// deliver_locally(): the kernel takes what comes in by these devices for its own, whomever it is
// for. That is how it answers connections that the packet path hands it unchanged, on their way to
// somebody else (services.http.transparent; dataplane/policy/interception.h): nothing else for
// others ever comes in by our devices.
//
//   rule   iif DEVICE lookup kDeliveryTable   for each device, before the main table
//   route  local default dev lo               in that table
//
// Both carry HostPath::kRouteProtocol; rules and routes of others are not touched. Rules outlive
// their device: call it with none at the end. Thread: control.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

struct nl_sock;

namespace postern {

constexpr uint32_t kDeliveryTable = 80'080;  // no other program's, see /etc/iproute2/rt_tables
constexpr uint32_t kDeliveryPriority = 80;   // behind the table of our own addresses alone

// Adds what is missing and removes what is ours and not wanted. Goes on after an error, and returns
// the first one.
Result<void> deliver_locally(nl_sock& socket, const std::vector<std::string>& devices);

}  // namespace postern
