// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/validate.h"

namespace postern::config {

void validate_ipfix(Check& check) {
  const auto& ipfix = check.model.logging.ipfix;
  if (!ipfix || ipfix->collector.is_unspecified() || ipfix->collector.is_loopback()) return;
  const std::string_view fault = host_fault(ipfix->collector);
  if (!fault.empty()) check.report.error_at("logging.ipfix.collector", std::string(fault));
}

}  // namespace postern::config
