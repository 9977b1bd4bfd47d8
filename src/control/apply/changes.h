// SPDX-License-Identifier: BSD-3-Clause
// Changes: the life of configurations on a running gateway (C01, P14).
//
//   apply -> in force, recorded in the history
//   apply on trial -> in force -> confirm -> recorded
//                              -> take_back, or the deadline -> the text before is in force again
//
// While one is on trial no other is taken. A trial that is refused sets no clock. What was on trial
// when the daemon ended, or was taken back, is not what it starts with (start_up.h) until somebody
// applies it without a trial or confirms it. Thread: control.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "control/apply/history.h"
#include "control/apply/reload.h"
#include "control/apply/trial.h"

namespace postern {

struct Change {
  std::string text;
  std::string source = "apply";  // see Revision
  std::string who;
  std::string comment;
  std::string base;   // digest of the text that it was made from; empty: of whatever is in force
  bool save = false;  // make it the configuration file, when it is confirmed
  Duration trial;     // 0: none; else at most kTrialMax
};

class Changes {
 public:
  static constexpr Duration kTrialMin = seconds(5), kTrialMax = seconds(24 * 3600);
  static constexpr size_t kCommentMax = 400;  // bytes

  struct World {
    std::string state_dir;
    std::string config_file;
    // Puts a text into force or changes nothing. On trial the last good configuration stays, and
    // connections that the text does not allow are kept, though nothing of them passes.
    std::function<ReloadReport(const std::string& text, Standing standing,
                               const std::string& source, const std::string& who)>
        put_into_force;
    std::function<ReloadReport()> settle;      // what is in force on trial is from now on settled
    std::function<const std::string&()> text;  // in force
    std::function<Instant()> now;
    std::function<void(config::LogLevel level, const std::string& line)> log;
    // Keeps a warning for `postern status` as long as something does not work.
    std::function<void(const std::string& about, const Result<void>& outcome)> note;
  };
  explicit Changes(World world) : world_(std::move(world)), history_(world_.state_dir) {}

  // The configuration that the daemon has started with is a revision, too, if it is not the newest.
  void begin(const std::string& source);
  ReloadReport apply(Change change);
  ReloadReport confirm(const std::string& who);
  ReloadReport take_back(const std::string& who);
  // Takes back what was not confirmed in time, and reports that. Call it every second.
  std::optional<ReloadReport> tick();

  struct Trial {
    Change change;
    std::string digest;         // of its text
    std::string before;         // the text to go back to
    std::string before_source;  // and where that came from
    std::string file_digest;    // of the configuration file as it began; empty: there was none
    std::time_t until = 0;      // for people; the clock that counts is `deadline`
    Instant deadline;
    bool is_late = false;  // the deadline has passed, going back did not work yet
  };
  const std::optional<Trial>& trial() const { return trial_; }
  Duration time_left() const;  // of the trial
  const History& history() const { return history_; }
  // Whether a start of the daemon refuses a text as a change that nobody has confirmed.
  bool is_refused_at_start(const std::string& text) const;

 private:
  ReloadReport begin_trial(Change change);
  std::optional<std::string> stale_base(const Change& change) const;
  std::string file_digest() const;
  void record(const Change& change);
  void save(const Change& change, ReloadReport& report);
  void settled(const Change& change, ReloadReport& report);
  void clear_record(const std::string& settled_text);
  Result<void> keep_record();
  ReloadReport go_back(const std::string& who, const std::string& why);

  World world_;
  History history_;
  std::optional<Trial> trial_;
  TrialRecord record_;            // as on disk, unless that is stale
  bool is_record_stale_ = false;  // or is not understood
  std::string source_ = "file";   // of the text in force
};

}  // namespace postern
