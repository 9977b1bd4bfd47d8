// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "control/config/validate.h"

namespace postern::config {
namespace {

void validate_sinks(Check& check) {
  const Logging& logging = check.model.logging;
  for (const LogFacts& log : kLogTable) {
    const LogFile& file = logging.file(log.name);
    const bool is_sent =
        std::any_of(logging.syslog.begin(), logging.syslog.end(),
                    [&](const SyslogTarget& target) { return target.wants(log.name); });
    if (file.file || file.console || file.journal || is_sent) continue;
    check.report.warning_at(std::string("logging.") + log.word,
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
