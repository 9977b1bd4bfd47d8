// SPDX-License-Identifier: BSD-3-Clause
// postern trace: real packets on their way through the gateway, from where they come in to where
// they leave or end, with the session, the rule and the decision (C04, C07).
//
// The daemon follows packets and tells what it sees of them; here that is put together. Of a packet
// that opened a session or was refused, the stages of the decision are added by asking `explain`
// about the same packet, where the policy and the outcome are still those of the packet.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/capture_session.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/trace_book.h"

namespace postern::cli {
namespace {

struct Options {
  std::string where;
  std::string interface;
  uint32_t count = 10, seconds = 0;
  bool dropped = false, brief = false;
};

Instant steady_now() {
  return Instant{
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count()};
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// The packet as it came in, in the words of `postern explain`.
Json question_about(const Json& received) {
  Json question = {{"command", "explain"},
                   {"in", received.value("interface", "")},
                   {"src", received.value("source", "")},
                   {"dst", received.value("destination", "")},
                   {"proto", received.value("protocol", "")}};
  if (received.contains("icmp")) question["icmp"] = received["icmp"];
  const std::string flags = received.value("flags", "-");
  if (flags != "-") question["tcp_flags"] = lower(flags);
  return question;
}

// Whether the decision is worth telling: of other packets the session had decided before.
bool was_decided(const Json& packet) {
  if (packet.contains("reason")) return true;
  for (const Json& stage : packet["stages"]) {
    if (stage.value("session", "") == "opened") return true;
  }
  return false;
}

class TraceSink : public CaptureSink {
 public:
  TraceSink(const Options& options, const Globals& globals)
      : options_(options), globals_(globals) {}

  bool wants_bytes() const override { return false; }
  bool has_enough() const override { return options_.count != 0 && shown_ >= options_.count; }
  void take(const Json& row) override { book_.add(row, now_); }
  Result<void> flush() override {
    show(false);
    now_ = steady_now();
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
    return Error{ErrorCode::failed, "standard output cannot be written"};
  }
  Result<void> end(const Json&) override {
    show(true);
    return flush();
  }

 private:
  void show(bool is_last) {
    for (Json& packet : book_.take(now_, is_last)) {
      if (has_enough()) return;
      const std::string verdict = packet.value("verdict", "");
      if (options_.dropped && verdict != "dropped" && verdict != "answered") continue;
      packet["packet"] = ++shown_;
      if (!options_.brief && was_decided(packet)) add_decision(packet);
      if (globals_.json) {
        std::puts(packet.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
      } else {
        std::fputs(text_of_trace(packet).c_str(), stdout);
      }
    }
  }

  void add_decision(Json& packet) const {
    const Json& received = packet["stages"].front();
    if (received.value("stage", "") != "received") return;
    auto told = ask(globals_, question_about(received));
    if (!told || told->value("generation", Json()) != packet.value("generation", Json())) return;
    const bool is_same = told->value("reason", "") == packet.value("reason", "");
    if (is_same) packet["decision"] = told->value("stages", Json::array());
  }

  const Options& options_;
  const Globals& globals_;
  TraceBook book_;
  Instant now_ = steady_now();  // of the batch that comes
  uint64_t shown_ = 0;
};

int trace(const Options& options, const Globals& globals) {
  TraceSink sink(options, globals);
  const Json start = {{"command", "capture start"},
                      {"interface", options.interface},
                      {"at", "received"},
                      {"where", options.where},
                      {"follow", true}};
  CaptureRun run;
  const int code = run_capture(globals, start, options.seconds, sink, run);
  if (run.lost != 0 && !globals.json && !globals.no_header) {
    fmt::print(stderr, "{} more packets were not followed\n", run.lost);
  }
  return code;
}

}  // namespace

void add_trace(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command command =
      root.add("trace", "real packets from where they come in to where they leave or end, and why");
  command.optional_argument("CONDITIONS", options->where,
                            "of packets as they come in: \"tcp and host 192.0.2.1\"");
  command.option("-i,--interface", options->interface,
                 "come in only there: names with commas, a zone, or gateway");
  command.option("-n,--count", options->count, "end after so many packets (10); 0: go on");
  command.option("--seconds", options->seconds, "end after so many seconds");
  command.flag("--dropped", options->dropped, "only packets that are refused");
  command.flag("--brief", options->brief, "without the stages of the decision");
  command.runs([options, &globals] { return trace(*options, globals); });
}

}  // namespace postern::cli
