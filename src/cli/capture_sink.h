// SPDX-License-Identifier: BSD-3-Clause
// CaptureSink: what becomes of captured frames: lines for people, JSON lines, or a pcapng file.
// Frames and interfaces are the objects of "capture read" (control/admin/capture.h).
#pragma once

#include <memory>
#include <string>

#include "cli/client.h"

namespace postern::cli {

class CaptureSink {
 public:
  CaptureSink() = default;
  virtual ~CaptureSink() = default;
  CaptureSink(const CaptureSink&) = delete;
  CaptureSink& operator=(const CaptureSink&) = delete;

  virtual bool wants_bytes() const { return true; }
  // Whether no further frame is wanted.
  virtual bool has_enough() const { return false; }
  // The interfaces there are; before each batch of frames.
  virtual void begin(const Json& interfaces) { static_cast<void>(interfaces); }
  virtual void take(const Json& frame) = 0;
  // An Error when what was taken cannot be written.
  virtual Result<void> flush() = 0;
  // After the last frame, with the counts of each interface.
  virtual Result<void> end(const Json& interfaces) {
    static_cast<void>(interfaces);
    return flush();
  }
};

struct SinkChoice {
  std::string out;  // a path, "-" for standard output; empty: lines on standard output
  bool json = false;
  uint32_t snap_length = 0;
};
Result<std::unique_ptr<CaptureSink>> make_capture_sink(const SinkChoice& choice);

// "09:00:00.123456 lan dropped tcp 192.168.1.10:5000 > 198.51.100.7:80 SYN length 74 reason
// filter_drop rule no-games", local time, no end of line.
std::string line_of(const Json& frame);
// What the frame is: "tcp 192.168.1.10:5000 > 198.51.100.7:80 SYN length 74".
std::string facts_of(const Json& frame);
// "09:00:00.123456", local time.
std::string clock_text(int64_t time_ns);
// "dropped: filter_drop, rule no-games"
std::string comment_of(const Json& frame);

}  // namespace postern::cli
