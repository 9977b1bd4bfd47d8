// SPDX-License-Identifier: BSD-3-Clause
// The forms of the logs: any bytes are a line with fields or text, and a segment of a backlog as
// far as it is whole; what is written from either is read again.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "control/log/backlog.h"
#include "control/log/log_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postern;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto fields = read_log_line(bytes);
  POSTERN_ASSERT(!fields.empty() && fields.size() <= kFieldsMax);
  LineText line(0, "gw1", "fuzz");
  line.text("value", bytes).word("word", bytes);
  POSTERN_ASSERT(line.line().size() > kLineMax || read_log_line(line.line()).size() == 5);
  const SpoolSegment segment = read_spool(bytes);
  std::string again(kSpoolMagic);
  for (const std::string& message : segment.messages)
    again += spool_record(message);
  POSTERN_ASSERT(segment.messages.empty() || bytes.compare(0, again.size(), again) == 0);
  POSTERN_ASSERT(read_spool(again).messages == segment.messages);
  return 0;
}
