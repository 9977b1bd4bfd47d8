// SPDX-License-Identifier: BSD-3-Clause
// One capture or trace from its start to its end: the daemon catches, this asks for what was caught
// until the sink has enough, the time is over, a signal comes or the daemon ends it.
#pragma once

#include "cli/capture_sink.h"

namespace postern::cli {

// What the daemon answers, its refusals as errors.
Result<Json> ask(const Globals& globals, const Json& request);

struct CaptureRun {
  bool was_started = false;
  uint64_t frames = 0, lost = 0;
};

// `start` is the request "capture start". Ends after `seconds`; 0: without an end of its own.
// Returns the exit code; errors were reported.
int run_capture(const Globals& globals, const Json& start, uint32_t seconds, CaptureSink& sink,
                CaptureRun& run);

}  // namespace postern::cli
