// SPDX-License-Identifier: BSD-3-Clause
// The part of the gateway that puts configurations into force.
#include <systemd/sd-daemon.h>

#include "control/gateway.h"

namespace postern {

// Called when nothing runs yet: all of it is asked later.
Changes::World Gateway::changes_world() {
  Changes::World world;
  world.state_dir = options_.state_dir;
  world.config_file = options_.config_file;
  world.put_into_force = [this](std::string text, Standing standing, const std::string& source,
                                const std::string& who) {
    return put_into_force(std::move(text), standing, source, who);
  };
  world.settle = [this] { return reload_->settle(); };
  world.text = [this]() -> const std::string& { return reload_->text(); };
  world.now = [this] { return dataplane_->now(); };
  world.log = [this](config::LogLevel level, const std::string& line) { log_.write(level, line); };
  world.note = [this](const std::string& about, const Result<void>& outcome) {
    note(about, outcome);
  };
  return world;
}

ReloadReport Gateway::put_into_force(std::string text, Standing standing, const std::string& source,
                                     const std::string& who) {
  sd_notify(0, "RELOADING=1");
  ReloadReport report = reload_->apply(std::move(text), standing);
  if (report.done) {
    if (report.changed) status_.source = source;
    status_.warnings.erase("configuration");
  }
  tell(report, source == "file" ? options_.config_file : source, who);
  sd_notify(0, "READY=1");
  return report;
}

}  // namespace postern
