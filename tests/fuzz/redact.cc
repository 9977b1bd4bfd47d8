// SPDX-License-Identifier: BSD-3-Clause
// Any bytes through the redaction: it ends, and what it made has nothing left to redact.
#include "cli/support/redact.h"

#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string told = postern::cli::redact_configuration(text);
  POSTERN_ASSERT(told.find("-----BEGIN") == std::string::npos);
  postern::cli::redact_lines(text);
  return 0;
}
