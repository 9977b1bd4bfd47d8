// SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "control/config/validate.h"

namespace postern::config {
namespace {

bool goes_to_syslog(const Logging& logging, LogName log) {
  for (const SyslogTarget& target : logging.syslog) {
    if (target.logs.empty() && log != LogName::debug) return true;
    for (LogName wanted : target.logs) {
      if (wanted == log) return true;
    }
  }
  return false;
}

void validate_sinks(Check& check) {
  const Logging& logging = check.model.logging;
  const std::pair<const LogFile*, LogName> logs[] = {
      {&logging.security, LogName::security}, {&logging.error, LogName::error},
      {&logging.audit, LogName::audit},       {&logging.dial, LogName::dial},
      {&logging.debug.log, LogName::debug},   {&logging.alert.log, LogName::alert}};
  static constexpr const char* kKeys[] = {"logging.security", "logging.error", "logging.audit",
                                          "logging.dial",     "logging.debug", "logging.alert"};
  for (const auto& [log, name] : logs) {
    if (log->file || log->console || log->journal || goes_to_syslog(logging, name)) continue;
    check.report.warning_at(kKeys[static_cast<size_t>(name)],
                            "goes neither to a file nor to the console");
  }
}

void validate_syslog(Check& check, const SyslogTarget& target, const std::string& path) {
  auto fault = target.address.is_loopback() ? std::string_view() : host_fault(target.address);
  if (!fault.empty()) {
    check.report.error_at(path + ".address", std::string(fault));
  }
  if (target.protocol == SyslogProtocol::tls) return;
  if (!target.ca.empty()) check.report.error_at(path + ".ca", "has a meaning with protocol tls");
  if (!target.server_name.empty()) {
    check.report.error_at(path + ".server_name", "has a meaning with protocol tls");
  }
}

}  // namespace

void validate_logging(Check& check) {
  validate_sinks(check);
  const Logging& logging = check.model.logging;
  for (size_t i = 0; i < logging.syslog.size(); ++i) {
    const std::string path = "logging.syslog[" + std::to_string(i) + "]";
    const SyslogTarget& target = logging.syslog[i];
    if (target.address.is_unspecified()) continue;  // reported already
    validate_syslog(check, target, path);
    for (size_t k = 0; k < i; ++k) {
      const SyslogTarget& other = logging.syslog[k];
      if (other.address == target.address && other.port == target.port &&
          other.protocol == target.protocol) {
        check.report.error_at(path,
                              "is the same collector as logging.syslog[" + std::to_string(k) + "]");
      }
    }
  }
  if (!logging.alert.command.empty() && logging.alert.command[0][0] != '/') {
    check.report.error_at("logging.alert.command",
                          "the program must be a path from the root (/usr/local/sbin/alert)");
  }
}

}  // namespace postern::config
