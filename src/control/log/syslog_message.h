// SPDX-License-Identifier: BSD-3-Clause
// A log line -> a syslog message (RFC 5424), and its frame on a stream (RFC 6587 3.4.1).
//
//   <133>1 2026-03-01T08:00:00.123456Z gw1 postern 812 security
//     [security@32473 rule="cleanup" action="drop" ...] module=filter rule="cleanup" ...
//   (one line)
//
// MSGID and the structured data are named after the log; fields of the line are its parameters, and
// the message is the line without time and host, which the header has. Pure; thread: any. Bounds:
// kSyslogMessageMax bytes; fields that do not fit are left out, then the end of the message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/log/log_output.h"

namespace postern {

constexpr size_t kSyslogMessageMax = 8192;  // bytes; RFC 5425 4.3.1 asks receivers for that

struct SyslogOrigin {
  std::string host;
  uint32_t process = 0;
  uint8_t facility = 16;  // local0
};

std::string syslog_message(const LogEntry& entry, const SyslogOrigin& origin);
// Octet counting.
std::string syslog_frame(std::string_view message);

}  // namespace postern
