// SPDX-License-Identifier: BSD-3-Clause
// postern capture: frames as the packet path sees them, as lines, JSON or pcapng; and
// postern show captures.
// Files are written here, with the rights of whoever asks.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "cli/capture_session.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/show.h"

namespace postern::cli {
namespace {

struct Options {
  std::string interface, at, where;
  std::string out;
  uint32_t count = 0, seconds = 0, snap_length = 256;
  bool dropped = false;
};

// Frames, up to a number of them.
class Counted : public CaptureSink {
 public:
  Counted(std::unique_ptr<CaptureSink> to, uint32_t count) : to_(std::move(to)), count_(count) {}

  bool wants_bytes() const override { return to_->wants_bytes(); }
  bool has_enough() const override { return count_ != 0 && taken_ >= count_; }
  void begin(const Json& interfaces) override { to_->begin(interfaces); }
  void take(const Json& frame) override {
    to_->take(frame);
    ++taken_;
  }
  Result<void> flush() override { return to_->flush(); }
  Result<void> end(const Json& interfaces) override { return to_->end(interfaces); }

 private:
  std::unique_ptr<CaptureSink> to_;
  uint64_t count_, taken_ = 0;
};

int capture(const Options& options, const Globals& globals) {
  if (options.dropped && !options.at.empty()) {
    report({ErrorCode::invalid, "--dropped is --at dropped; give one of them"}, globals);
    return kUsage;
  }
  if (globals.json && !options.out.empty()) {
    report({ErrorCode::invalid, "--out: a file is pcapng; leave out --json"}, globals);
    return kUsage;
  }
  std::string at = options.at;
  if (options.dropped) at = "dropped";
  auto file = make_capture_sink({options.out, globals.json, options.snap_length});
  if (!file) return report(file.error(), globals);
  Counted sink(std::move(*file), options.count);
  const Json start = {{"command", "capture start"},
                      {"interface", options.interface},
                      {"at", at},
                      {"where", options.where},
                      {"snap_length", options.snap_length}};
  CaptureRun run;
  const int code = run_capture(globals, start, options.seconds, sink, run);
  if (run.was_started && !globals.json && !globals.no_header) {
    fmt::print(stderr, "{} frames, {} more lost\n", run.frames, run.lost);
  }
  return code;
}

void print_captures(const Json& result, const Globals& globals) {
  Table table({{"CAPTURE", Align::right},
               {"WHO"},
               {"WHAT"},
               {"STARTED"},
               {"MATCHED", Align::right},
               {"LOST", Align::right}});
  for (const Json& row : result.value("captures", Json::array())) {
    table.add({cell(row, "capture"), cell(row, "who"), cell(row, "what"),
               local_time(row, "started"), cell(row, "matched"), cell(row, "lost")});
  }
  std::fputs(table.to_text(!globals.no_header).c_str(), stdout);
}

}  // namespace

void add_show_captures(Command& show, const Globals& globals) {
  show.add("captures", "captures that run, and who runs them").runs([&globals] {
    return ask_and_show(globals, {{"command", "show captures"}},
                        [&](const Json& result) { print_captures(result, globals); });
  });
}

void add_capture(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command =
      root.add("capture", "frames as they come, go and are dropped, with reason and rule");
  command.option("-i,--interface", options->interface,
                 "only there: names with commas, a zone, or gateway for the kernel's side");
  command.option("--at", options->at, "received, sent, dropped, several with commas, or all");
  command.flag("--dropped", options->dropped, "what is dropped, as --at dropped");
  command.option("-f,--where", options->where,
                 "conditions, such as \"tcp and host 192.0.2.1 and not port 22\"");
  command.option("-n,--count", options->count, "end after so many frames");
  command.option("--seconds", options->seconds, "end after so many seconds");
  command.option("--snaplen", options->snap_length, "bytes kept of each frame (256)");
  command.option("-w,--out", options->out, "write pcapng to this file, - for standard output");
  command.runs([options, &globals] { return capture(*options, globals); });
}

}  // namespace postern::cli
