// SPDX-License-Identifier: BSD-3-Clause
// DebugLog: a line for each packet of the classes that are configured (F63, F65);
// STATE_DIR/log/debug.log. The classes are captures like those of administrators, so nothing is
// done for packets while there are none, and a full ring leaves packets out and counts them.
//
//   time=... host=gw1 module=debug interface=lan at=received protocol=udp
//     source=192.168.1.10:40000 destination=192.168.1.1:53 length=72 query="www.example.com 1"
//
// Lines beyond lines_per_second, and what the rings lost, are counted and told once a second
// ("module=log action=lost records=N"). Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/capture/captures.h"
#include "control/log/log_output.h"

namespace postern {

class DebugLog {
 public:
  struct World {
    std::function<Instant()> now;
    std::function<std::string(InterfaceId)> interface;
    std::function<std::string(uint32_t generation, uint16_t rule)> rule;
  };
  DebugLog(Loop& loop, Captures& captures, World world)
      : loop_(loop),
        captures_(captures),
        world_(std::move(world)),
        output_(config::LogName::debug) {}

  // On an error packets are not watched; try_again() is the same once more.
  Result<void> configure(const config::Model& model, const std::string& state_dir);
  bool is_failing() const { return failed_.has_value(); }
  Result<void> try_again();
  LogOutput& output() { return output_; }
  // Tells what was left out. Call it every second.
  void tick();

 private:
  Result<void> follow(const config::Model& model, const std::string& state_dir);
  Result<void> start(const config::Model& model);
  void stop();
  void read(Captures::Id id);
  void take(Captures::Id id, const Captures::Batch& batch);
  void write(const Captures::Seen& seen, int64_t offset_ns);

  Loop& loop_;
  Captures& captures_;
  World world_;
  LogOutput output_;
  struct Wanted {
    config::Model model;
    std::string state_dir;
  };
  std::optional<Wanted> failed_;  // what did not come about
  bool is_configured_ = false;
  config::DebugLog settings_;  // in force, as the next
  config::LogFile file_;
  config::Objects objects_;  // that the classes in force were made from
  std::string host_ = "postern";
  struct Running {
    Captures::Id id = 0;
    uint64_t lost = 0;  // told of already, or to be told
  };
  std::vector<Running> running_;
  uint32_t lines_ = 0;  // in this second
  uint64_t left_out_ = 0;
};

// The captures that the classes come to: one for each set of interfaces.
struct DebugCapture {
  std::string interface, where;
};
constexpr size_t kDebugCapturesMax = 2;  // the others are left to administrators
std::vector<DebugCapture> debug_captures(const std::vector<config::DebugClass>& classes);
// An error when a class is not understood.
Result<void> check_debug_classes(const std::vector<config::DebugClass>& classes,
                                 const config::Model& model);

}  // namespace postern
