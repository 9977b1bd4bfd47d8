// SPDX-License-Identifier: BSD-3-Clause
// The part of the gateway that puts configurations into force.
#include <systemd/sd-daemon.h>

#include "control/admin/audit.h"
#include "control/gateway.h"
#include "control/text_file.h"

namespace postern {

// Called when nothing runs yet: all of it is asked later.
Changes::World Gateway::changes_world() {
  Changes::World world;
  world.state_dir = options_.state_dir;
  world.config_file = options_.config_file;
  world.put_into_force = [this](const std::string& text, Standing standing,
                                const std::string& source, const std::string& who) {
    return put_into_force(text, standing, source, who);
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

ReloadReport Gateway::put_into_force(const std::string& text, Standing standing,
                                     const std::string& source, const std::string& who) {
  sd_notify(0, "RELOADING=1");
  ReloadReport report = reload_->apply(text, standing);
  if (report.done) {
    if (report.changed) status_.source = source;
    status_.warnings.erase("configuration");
  }
  tell(report, source == "file" ? options_.config_file : source, who);
  sd_notify(0, "READY=1");
  return report;
}

void Gateway::judge(const std::string& text, admin::Effect effect,
                    const std::function<void(const Result<void>& judged)>& then) {
  if (reload_->knows(text) || text.size() > kTextFileMax) return then({});
  const bool is_free = effect == admin::Effect::changes || judges_.waiting() == 0;
  auto judged = std::make_shared<Judged>();
  auto work = [text, judged] { *judged = judge_text(text); };
  auto finish = [this, judged, then] {
    reload_->remember(std::move(*judged));
    then({});
  };
  if (is_free && judges_.run(work, finish)) return;
  then(Error{ErrorCode::failed, "other configurations are being judged; try again in a moment"});
}

// The configuration file again, for SIGHUP.
void Gateway::reload_file() {
  auto file = read_text_file(options_.config_file);
  auto refuse = [this](const Error& error) {
    ReloadReport report;
    report.code = error.code;
    report.text = error.text;
    tell(report, options_.config_file, "SIGHUP");
    audit_.record(admin::audit_entry("SIGHUP", "reload", report));
  };
  if (!file) return refuse(file.error());
  judge(*file, admin::Effect::changes, [this, refuse, text = *file](const Result<void>& judged) {
    if (!judged) return refuse(judged.error());
    apply_file(text);
  });
}

void Gateway::apply_file(std::string text) {
  Change change;
  change.text = std::move(text);
  change.source = "file";
  change.who = "SIGHUP";
  ReloadReport report = changes_.apply(std::move(change));
  audit_.record(admin::audit_entry("SIGHUP", "reload", report));
  if (changes_.trial()) tell(report, options_.config_file, "SIGHUP");
}

}  // namespace postern
