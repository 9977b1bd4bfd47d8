// SPDX-License-Identifier: BSD-3-Clause
#include "cli/capture_session.h"

#include <atomic>
#include <chrono>
#include <csignal>

#include "cli/exit_code.h"
#include "control/admin/protocol.h"

namespace postern::cli {
namespace {

std::atomic<bool> is_interrupted{false};

void interrupt(int) {
  is_interrupted = true;
}

using Clock = std::chrono::steady_clock;

class Session {
 public:
  Session(const Globals& globals, CaptureSink& sink, CaptureRun& run)
      : globals_(globals), sink_(sink), run_(run) {}

  Result<void> start(const Json& request) {
    auto started = ask(globals_, request);
    if (!started) return std::move(started).error();
    id_ = started->value("capture", Json());
    run_.was_started = true;
    return {};
  }

  Result<void> run(uint32_t seconds) {
    const auto end = Clock::now() + std::chrono::seconds(seconds);
    Json last = Json::object();
    while (!last.value("ended", false)) {
      const bool is_over = seconds != 0 && Clock::now() >= end;
      if (is_over || is_interrupted || sink_.has_enough()) {
        if (auto stopped = stop(); !stopped) return stopped;
      }
      auto batch =
          ask(globals_,
              {{"command", "capture read"}, {"capture", id_}, {"frames", sink_.wants_bytes()}});
      if (!batch) return std::move(batch).error();
      if (auto taken = take(*batch); !taken) return taken;
      last = std::move(*batch);
    }
    return sink_.end(last.value("interfaces", Json::array()));
  }

 private:
  Result<void> stop() {
    if (is_stopped_) return {};
    is_stopped_ = true;
    auto stopped = ask(globals_, {{"command", "capture stop"}, {"capture", id_}});
    if (!stopped) return std::move(stopped).error();
    return {};
  }

  Result<void> take(const Json& batch) {
    const Json interfaces = batch.value("interfaces", Json::array());
    run_.lost = 0;
    for (const Json& interface : interfaces)
      run_.lost += interface.value("lost", uint64_t{0});
    sink_.begin(interfaces);
    for (const Json& frame : batch.value("frames", Json::array())) {
      if (sink_.has_enough()) break;
      sink_.take(frame);
      ++run_.frames;
    }
    return sink_.flush();
  }

  const Globals& globals_;
  CaptureSink& sink_;
  CaptureRun& run_;
  Json id_;
  bool is_stopped_ = false;
};

}  // namespace

Result<Json> ask(const Globals& globals, const Json& request) {
  auto response = call(globals, request);
  if (!response) return std::move(response).error();
  if (response->value("ok", false)) return response->value("result", Json::object());
  return error_of(*response);
}

int run_capture(const Globals& globals, const Json& start, uint32_t seconds, CaptureSink& sink,
                CaptureRun& run) {
  struct sigaction on_signal = {};
  on_signal.sa_handler = interrupt;
  sigaction(SIGINT, &on_signal, nullptr);
  sigaction(SIGTERM, &on_signal, nullptr);
  Session session(globals, sink, run);
  if (auto started = session.start(start); !started) {
    // What the daemon finds invalid came from the command line.
    const int code = report(started.error(), globals);
    return code == kInvalid ? kUsage : code;
  }
  auto outcome = session.run(seconds);
  return outcome ? static_cast<int>(kDone) : report(outcome.error(), globals);
}

}  // namespace postern::cli
