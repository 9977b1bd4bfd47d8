// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/changes.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "control/apply/last_good.h"
#include "control/text_file.h"

namespace postern {
namespace {

constexpr Duration kTryAgain = seconds(1);

ReloadReport refusal(ErrorCode code, std::string text) {
  ReloadReport report;
  report.code = code;
  report.text = std::move(text);
  return report;
}

// A symbolic link stays one: into a checkout, say.
Result<void> write_through_links(const std::string& path, const std::string& text) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return write_text_file(path, text);
  const auto target = std::filesystem::weakly_canonical(path, error);
  if (error) return Error{ErrorCode::failed, path + ": " + error.message()};
  return write_text_file(target.string(), text);
}

std::string clock_text(std::time_t at) {
  std::tm parts = {};
  localtime_r(&at, &parts);
  return fmt::format("{:%H:%M:%S}", parts);
}

}  // namespace

void Changes::begin(const std::string& source) {
  source_ = source;
  world_.note("history", history_.open());
  auto record_before = read_trial(world_.state_dir);
  world_.note("trial", record_before ? Result<void>() : record_before.error());
  is_record_stale_ = !record_before;
  if (record_before) {
    record_ = std::move(*record_before);
  } else if (auto file = read_text_file(world_.config_file); file && *file != world_.text()) {
    record_.refuse({digest_of(*file), "unknown", std::time(nullptr)});  // as the start did
  }
  Change change;
  change.source = source;
  change.who = "posternd";
  change.comment = "in force since the start of the daemon";
  record(change);
}

Duration Changes::time_left() const {
  if (!trial_) return {};
  return std::max(trial_->deadline - world_.now(), Duration{});
}

ReloadReport Changes::apply(Change change) {
  if (trial_) {
    return refusal(ErrorCode::failed,
                   fmt::format("a change by {} is on trial until {}; `postern confirm` keeps it, "
                               "`postern revert` takes it back; nothing was changed",
                               trial_->change.who, clock_text(trial_->until)));
  }
  if (change.comment.size() > kCommentMax) {
    return refusal(ErrorCode::failed, "the comment is longer than 400 bytes; nothing was changed");
  }
  if (auto stale = stale_base(change)) return refusal(ErrorCode::failed, *stale);
  if (change.trial.ns != 0) {
    if (change.trial < kTrialMin || change.trial > kTrialMax) {
      return refusal(ErrorCode::failed, "a trial takes 5 s to 24 h; nothing was changed");
    }
    // Without a change there is nothing to try.
    if (change.text != world_.text()) return begin_trial(std::move(change));
  }
  ReloadReport report =
      world_.put_into_force(change.text, Standing::settled, change.source, change.who);
  if (report.done) settled(change, report);
  return report;
}

// Why a change does not fit what is in force: somebody else was faster.
std::optional<std::string> Changes::stale_base(const Change& change) const {
  if (change.base.empty() || change.base == digest_of(world_.text())) return std::nullopt;
  const auto& revisions = history_.revisions();
  return fmt::format(
      "what is in force is not what the change was made from: it is by {} now, since {}; see "
      "`postern diff FILE`, then apply it again; nothing was changed",
      revisions.empty() ? "somebody else" : revisions.back().who,
      clock_text(revisions.empty() ? std::time(nullptr) : revisions.back().time));
}

std::string Changes::file_digest() const {
  auto text = read_text_file(world_.config_file);
  return text ? digest_of(*text) : std::string();
}

ReloadReport Changes::begin_trial(Change change) {
  Trial trial;
  trial.before = world_.text();
  trial.before_source = source_;
  trial.digest = digest_of(change.text);
  trial.file_digest = file_digest();
  const std::time_t since = std::time(nullptr);
  trial.until = since + static_cast<std::time_t>(change.trial.ns / seconds(1).ns);
  // First on disk: whatever happens from here on, a start of the daemon uses the text before.
  auto kept = write_last_good(world_.state_dir, trial.before);
  if (kept) {
    record_.on_trial = {trial.digest, change.who, since, trial.until};
    kept = keep_record();
  }
  if (!kept) {
    record_.on_trial.reset();
    return refusal(kept.error().code,
                   "a trial must be noted on disk: " + kept.error().text + "; nothing was changed");
  }
  ReloadReport report =
      world_.put_into_force(change.text, Standing::on_trial, change.source, change.who);
  if (!report.done) {
    record_.on_trial.reset();
    world_.note("trial", keep_record());
    return report;
  }
  trial.deadline = world_.now() + change.trial;
  source_ = change.source;
  report.text +=
      fmt::format(", on trial until {}: `postern confirm` keeps it", clock_text(trial.until));
  trial.change = std::move(change);
  trial_ = std::move(trial);
  world_.log(config::LogLevel::warning,
             fmt::format("the change by {} is taken back at {} unless it is confirmed",
                         trial_->change.who, clock_text(trial_->until)));
  return report;
}

ReloadReport Changes::confirm(const std::string& who) {
  if (!trial_) return refusal(ErrorCode::not_found, "no change is on trial");
  ReloadReport report = world_.settle();
  if (!report.done) return report;  // the clock goes on
  Change change = std::move(trial_->change);
  const std::string file = file_digest();
  const bool is_edited = file != trial_->file_digest && file != trial_->digest;
  const bool is_file_lost = change.save && is_edited;
  if (is_file_lost) change.save = false;
  trial_.reset();
  report.text = "confirmed; " + report.text;
  settled(change, report);
  if (is_file_lost) {
    report.saved = false;
    report.text += fmt::format(
        ", but not saved: {0} was edited meanwhile; see `postern diff {0}`, and apply with --save "
        "what is to stay",
        world_.config_file);
  }
  world_.log(config::LogLevel::info,
             fmt::format("the change by {} was confirmed by {}", change.who, who));
  return report;
}

ReloadReport Changes::take_back(const std::string& who) {
  if (!trial_) return refusal(ErrorCode::not_found, "no change is on trial");
  return go_back(who, "was taken back by " + who);
}

std::optional<ReloadReport> Changes::tick() {
  if (!trial_ || world_.now() < trial_->deadline) return std::nullopt;
  return go_back("posternd", "was not confirmed in time");
}

ReloadReport Changes::go_back(const std::string& who, const std::string& why) {
  ReloadReport report =
      world_.put_into_force(trial_->before, Standing::settled, trial_->before_source, who);
  if (!report.done) {
    trial_->is_late = true;
    trial_->deadline = world_.now() + kTryAgain;
    world_.log(config::LogLevel::error,
               fmt::format("the change by {} {}, but going back failed: {}; trying again",
                           trial_->change.who, why, report.text));
    return report;
  }
  source_ = trial_->before_source;
  record_.end_trial(std::time(nullptr));
  world_.note("trial", keep_record());
  world_.log(config::LogLevel::warning,
             fmt::format("the change by {} {}; what was in force before is in force again",
                         trial_->change.who, why));
  report.text = fmt::format("the change by {} {}; {}", trial_->change.who, why, report.text);
  trial_.reset();
  return report;
}

// From here on it is the configuration: of the file, if asked, of the next start and the history.
// In this order, so that no start in between uses a file that says something else.
void Changes::settled(const Change& change, ReloadReport& report) {
  if (change.save) save(change, report);
  clear_record(change.text);
  if (!report.changed) return;
  source_ = change.source;
  record(change);
}

// Nothing is on trial, and what is settled is refused no more.
void Changes::clear_record(const std::string& settled_text) {
  const bool was_refused = record_.forgive(digest_of(settled_text));
  if (!was_refused && !record_.on_trial && !is_record_stale_) return;
  record_.on_trial.reset();
  world_.note("trial", keep_record());
}

Result<void> Changes::keep_record() {
  auto kept = write_trial(world_.state_dir, record_);
  is_record_stale_ = !kept;
  return kept;
}

bool Changes::is_refused_at_start(const std::string& text) const {
  if (!record_.refuses(digest_of(text))) return false;
  auto last_good = read_last_good(world_.state_dir);
  return !last_good || *last_good != text;
}

void Changes::record(const Change& change) {
  Revision revision;
  revision.time = std::time(nullptr);
  revision.who = change.who;
  revision.source = change.source;
  revision.comment = change.comment;
  world_.note("history", history_.add(std::move(revision), world_.text()));
}

void Changes::save(const Change& change, ReloadReport& report) {
  auto saved = write_through_links(world_.config_file, change.text);
  world_.note("saving", saved);
  report.saved = static_cast<bool>(saved);
  report.text +=
      saved ? ", saved to " + world_.config_file : ", but not saved: " + saved.error().text;
}

}  // namespace postern
