// SPDX-License-Identifier: BSD-3-Clause
// The logging part of the model, see model.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/logs.h"
#include "control/config/model_ipfix.h"
#include "control/config/model_mark.h"

namespace postern::config {

enum class LogLevel { debug, info, warning, error };
constexpr size_t kSyslogTargetsMax = 4;
constexpr size_t kDebugClassesMax = 16;

struct LogFile {
  bool file = true;       // in the state directory under log/
  bool console = false;   // to standard error as well
  bool journal = false;   // to the journal of systemd, with its fields
  uint32_t max_mib = 64;  // a file is rotated at this size
  uint32_t keep = 8;      // rotated files kept
  bool operator==(const LogFile&) const = default;
};

// By LogName, with the defaults of each.
using LogFiles = std::array<LogFile, kLogs>;
constexpr LogFiles default_log_files() {
  LogFiles files;
  for (const LogFacts& log : kLogTable)
    files[static_cast<size_t>(log.name)].console = log.on_console;
  return files;
}

struct DebugClass {
  std::string interface;  // as `postern capture --interface`; empty: any
  std::string packets;    // as `postern capture --where`, or dns
  Mark mark;
  bool operator==(const DebugClass&) const = default;
};

// What these have beside their files.
struct DebugLog {
  std::vector<DebugClass> packets;  // empty: off
  uint32_t lines_per_second = 1000;
  bool operator==(const DebugLog&) const = default;
};

struct AlertLog {
  Duration window = seconds(60);     // one alert of a kind in that time
  std::vector<std::string> command;  // program and arguments; empty: none
  Duration timeout = seconds(10);    // of the command
  uint32_t parallel = 2;             // commands at once
  bool operator==(const AlertLog&) const = default;
};

enum class SyslogProtocol : uint8_t { udp, tcp, tls };
enum class SyslogFacility : uint8_t {
  local0,
  local1,
  local2,
  local3,
  local4,
  local5,
  local6,
  local7
};

struct SyslogTarget {
  Ipv4Address address;
  uint16_t port = 0;  // 0: 514, or 6514 with TLS
  SyslogProtocol protocol = SyslogProtocol::udp;
  std::vector<LogName> logs;  // empty: those that are forwarded (logs.def)
  SyslogFacility facility = SyslogFacility::local0;
  uint32_t queue_mib = 16;  // on disk, while the collector is away
  std::string ca;           // file of certificates, TLS; empty: those of the system
  std::string server_name;  // in its certificate, TLS; empty: the address
  Mark mark;

  bool wants(LogName log) const {
    if (logs.empty()) return facts_of(log).is_forwarded;
    return std::find(logs.begin(), logs.end(), log) != logs.end();
  }
  bool operator==(const SyslogTarget&) const = default;
};

struct Logging {
  LogLevel level = LogLevel::info;  // of the error log
  LogFiles files = default_log_files();
  DebugLog debug;
  AlertLog alert;
  std::vector<SyslogTarget> syslog;
  std::optional<Ipfix> ipfix;

  const LogFile& file(LogName log) const { return files[static_cast<size_t>(log)]; }
  LogFile& file(LogName log) { return files[static_cast<size_t>(log)]; }
  bool operator==(const Logging&) const = default;
};

}  // namespace postern::config
