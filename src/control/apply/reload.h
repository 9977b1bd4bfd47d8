// SPDX-License-Identifier: BSD-3-Clause
// Reload: the way of a text from a file or a client to the policy in force.
//
//   text -> judge (judged_text.h) -> conflicts -> needs a restart? -> compile -> publish ->
//   on_published -> last good
//
// What remember() was told, what is in force and what was before a trial is not judged again.
// Any error on the way leaves everything as it was. Thread: control. Identical text is no change:
// nothing is published and the generation stays.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/apply/judged_text.h"
#include "control/compile/compile.h"
#include "control/config/load.h"
#include "control/publisher.h"

namespace postern {

// Whether a configuration is what the next start begins with, or is only tried out (changes.h).
enum class Standing { settled, on_trial };

// What came of an attempt.
struct ReloadReport {
  bool done = false;                      // `text` is in force now (or was already)
  bool changed = false;                   // a new generation was published
  ErrorCode code = ErrorCode::failed;     // unless done
  std::string text;                       // one line: what happened
  std::optional<bool> saved;              // as the configuration file, if that was asked for
  std::vector<config::Finding> findings;  // errors and warnings of the file
  std::vector<std::string> sections;      // of the file, whose meaning is another now
};

class Reload {
 public:
  struct Settings {
    std::string state_dir;  // for the last good configuration
    // Facts of the machine for the compiler; generation is filled in here.
    std::function<CompileInputs()> inputs;
    // What a model comes to with what is known at run time alone (addresses by DHCP). Policies are
    // compiled from it, and on_published gets it.
    std::function<config::Model(const config::Model& model)> effective;
    // Called before a policy is published, and after it, so that the parts beside the workers keep
    // up.
    std::function<void(const Policy& policy)> before_publication;
    std::function<void(const config::Model& model, const Policy& policy)> on_published;
    // What else has something against a model: errors refuse it.
    std::function<std::vector<config::Finding>(const config::Model& model)> conflicts;
    // What else is to be said of a text and its model; nothing of it refuses them.
    std::function<std::vector<config::Finding>(const std::string& text, const config::Model& model)>
        remarks;
    // What went wrong without stopping the reload, for the error log.
    std::function<void(const std::string& line)> warn;
  };
  Reload(Publisher& publisher, Settings settings);

  // A judgement made beside this thread, for an apply() or preview() of the same text to come.
  void remember(Judged judged) { remembered_ = std::move(judged); }
  bool knows(const std::string& text) const { return known(text) != nullptr; }

  // The configuration at start: valid, and what the ports were made from. It is not yet the last
  // good one: see keep_as_last_good().
  ReloadReport start(std::string text, config::Model model);
  // What is in force is what a start takes when all else fails. Call it when everything is live;
  // later changes do it by themselves.
  void keep_as_last_good();
  // A new text for the running gateway.
  ReloadReport apply(const std::string& text, Standing standing = Standing::settled);
  // What apply() would do, without doing it.
  struct Preview {
    ReloadReport report;               // done: it could be put into force
    std::vector<std::string> restart;  // keys that take a restart, see restart_keys()
    config::Model model;               // meaningful with `policy`
    std::unique_ptr<Policy> policy;    // nullptr: it is what is in force, or it is invalid
  };
  Preview preview(const std::string& text) const;
  // What is in force on trial becomes the last good configuration; connections that it does not
  // allow end. On an error it stays on trial.
  ReloadReport settle();
  // Compiles again, since what `effective` makes of the model has changed.
  Result<void> renew();
  // Compiles again when rules with times come into or go out of force. Call it every second.
  void tick(std::time_t now);

  const config::Model& model() const { return in_force_->model; }
  const std::string& text() const { return in_force_->text; }

 private:
  struct Read;
  Judged known(const std::string& text) const;  // nullptr: not yet judged
  Read read(const std::string& text) const;
  config::Model effective(const config::Model& model) const;
  Result<std::unique_ptr<Policy>> compiled(const config::Model& model, Standing standing) const;
  Result<void> publish(std::unique_ptr<Policy> policy);
  Result<void> put_into_force(Judged judged, Standing standing);

  Publisher& publisher_;
  Settings settings_;
  Judged in_force_ = std::make_shared<JudgedText>();
  Judged before_;      // what is on trial; nullptr: nothing is
  Judged remembered_;  // nullptr: nothing
  Standing standing_ = Standing::settled;
  std::optional<std::time_t> next_change_;
  std::time_t last_tick_ = 0;
};

}  // namespace postern
