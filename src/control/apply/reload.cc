// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/reload.h"

#include <fmt/format.h>

#include "control/analysis/judge.h"
#include "control/apply/last_good.h"
#include "control/apply/restart.h"
#include "control/check.h"
#include "control/compile/schedule.h"
#include "control/text_file.h"

namespace postern {
namespace {

// A clock that moved further than this between two ticks was set.
constexpr std::time_t kClockJump = 120;  // seconds

bool same_rules_in_force(const Policy& a, const Policy& b) {
  for (size_t i = 0; i < a.rules.size(); ++i) {
    auto index = static_cast<uint16_t>(i);
    if (a.rules.at(index).enabled != b.rules.at(index).enabled) return false;
  }
  return true;
}

// The sections of the file that mean something else.
std::vector<std::string> sections_between(const config::Model& a, const config::Model& b) {
  const std::pair<const char*, bool> sections[] = {{"system", a.system == b.system},
                                                   {"interfaces", a.interfaces == b.interfaces},
                                                   {"routes", a.routes == b.routes},
                                                   {"objects", a.objects == b.objects},
                                                   {"nat", a.nat == b.nat},
                                                   {"filter", a.filter == b.filter},
                                                   {"services", a.services == b.services},
                                                   {"admin", a.admin == b.admin},
                                                   {"logging", a.logging == b.logging}};
  std::vector<std::string> names;
  for (const auto& [name, is_same] : sections) {
    if (!is_same) names.push_back(name);
  }
  return names;
}

ReloadReport refused(ErrorCode code, std::string text, std::vector<config::Finding> findings) {
  ReloadReport report;
  report.code = code;
  report.text = std::move(text);
  report.findings = std::move(findings);
  return report;
}

}  // namespace

Reload::Reload(Publisher& publisher, Settings settings)
    : publisher_(publisher), settings_(std::move(settings)) {}

ReloadReport Reload::start(std::string text, config::Model model) {
  if (auto done = put_into_force(std::move(text), std::move(model), Standing::settled); !done) {
    return refused(done.error().code, done.error().text, {});
  }
  ReloadReport report;
  report.done = report.changed = true;
  report.text = fmt::format("generation {} is in force", publisher_.current()->generation);
  return report;
}

// A text that is not in force, understood as far as that goes.
struct Reload::Read {
  ReloadReport refusal;  // with a text: it cannot be put into force
  config::Model model;
  std::vector<config::Finding> findings;
  std::vector<std::string> restart;
};

Reload::Read Reload::read(const std::string& text) const {
  Read read;
  if (text.size() > kTextFileMax) {
    read.refusal = refused(ErrorCode::invalid, "the configuration is larger than 4 MiB", {});
    return read;
  }
  config::Loaded loaded = config::load(text);
  if (loaded.ok() && settings_.conflicts) {
    for (config::Finding& finding : settings_.conflicts(loaded.model))
      loaded.findings.push_back(std::move(finding));
  }
  if (loaded.ok()) {
    for (config::Finding& finding : check_expressions(loaded.model))
      loaded.findings.push_back(std::move(finding));
  }
  if (!loaded.ok()) {
    std::string count = error_count_text(loaded.findings);
    read.refusal =
        refused(ErrorCode::invalid, "the configuration has " + count + "; nothing was changed",
                std::move(loaded.findings));
    return read;
  }
  // What does not compile is told with what is known of the ports, later.
  for (config::Finding& finding : analysis::judge(loaded.model)) {
    if (!finding.kind.empty()) loaded.findings.push_back(std::move(finding));
  }
  if (std::string failed = analysis::failed_tests_text(loaded.findings); !failed.empty()) {
    read.refusal =
        refused(ErrorCode::failed, failed + "; nothing was changed", std::move(loaded.findings));
    return read;
  }
  read.restart = restart_keys(model_, loaded.model);
  read.model = std::move(loaded.model);
  read.findings = std::move(loaded.findings);
  return read;
}

ReloadReport Reload::apply(std::string text, Standing standing) {
  ReloadReport report;
  if (text == text_) {
    report.done = true;
    report.text = fmt::format("no change; generation {} stays", publisher_.current()->generation);
    return report;
  }
  Read wanted = read(text);
  if (!wanted.refusal.text.empty()) return std::move(wanted.refusal);
  if (!wanted.restart.empty()) {
    return refused(ErrorCode::failed,
                   fmt::format("a restart of posternd is needed to change {}; nothing was changed",
                               fmt::join(wanted.restart, ", ")),
                   std::move(wanted.findings));
  }
  report.sections = sections_between(model_, wanted.model);
  if (auto done = put_into_force(std::move(text), std::move(wanted.model), standing); !done) {
    return refused(done.error().code, done.error().text, std::move(wanted.findings));
  }
  report.done = report.changed = true;
  report.findings = std::move(wanted.findings);
  report.text = fmt::format("generation {} is in force", publisher_.current()->generation);
  return report;
}

Reload::Preview Reload::preview(const std::string& text) const {
  Preview preview;
  if (text == text_) {
    preview.report.done = true;
    return preview;
  }
  Read wanted = read(text);
  preview.report = std::move(wanted.refusal);
  if (!preview.report.text.empty()) return preview;
  auto policy = compiled(wanted.model, Standing::settled);
  if (!policy) {
    preview.report = refused(policy.error().code, policy.error().text, std::move(wanted.findings));
    return preview;
  }
  preview.policy = std::move(*policy);
  preview.restart = std::move(wanted.restart);
  preview.report.findings = std::move(wanted.findings);
  preview.report.done = preview.report.changed = true;
  return preview;
}

ReloadReport Reload::settle() {
  ReloadReport report;
  if (standing_ == Standing::on_trial) {
    auto policy = compiled(model_, Standing::settled);
    if (!policy) return refused(policy.error().code, policy.error().text, {});
    if (auto done = publish(std::move(*policy)); !done) {
      return refused(done.error().code, done.error().text, {});
    }
    standing_ = Standing::settled;
    report.changed = true;
    settings_.on_published(effective(model_), *publisher_.current());
    keep_as_last_good();
  }
  report.done = true;
  report.text = fmt::format("generation {} is in force", publisher_.current()->generation);
  return report;
}

void Reload::tick(std::time_t now) {
  bool was_set = last_tick_ != 0 && (now < last_tick_ || now - last_tick_ > kClockJump);
  last_tick_ = now;
  if (!next_change_ || (now < *next_change_ && !was_set)) return;
  next_change_ = next_change(model_, now);
  auto policy = compiled(model_, standing_);
  if (!policy) return settings_.warn("rules with times: " + policy.error().text);
  if (same_rules_in_force(*publisher_.current(), **policy)) return;
  if (auto done = publish(std::move(*policy)); !done) {
    next_change_ = now + 1;  // try again
    return settings_.warn("rules with times: " + done.error().text);
  }
  settings_.on_published(effective(model_), *publisher_.current());
}

Result<void> Reload::renew() {
  auto policy = compiled(model_, standing_);
  if (!policy) return std::move(policy).error();
  if (auto done = publish(std::move(*policy)); !done) return done;
  settings_.on_published(effective(model_), *publisher_.current());
  return {};
}

config::Model Reload::effective(const config::Model& model) const {
  return settings_.effective ? settings_.effective(model) : model;
}

Result<std::unique_ptr<Policy>> Reload::compiled(const config::Model& model,
                                                 Standing standing) const {
  CompileInputs inputs = settings_.inputs();
  inputs.generation = publisher_.next_generation();
  inputs.is_on_trial = standing == Standing::on_trial;
  return compile(effective(model), inputs);
}

Result<void> Reload::publish(std::unique_ptr<Policy> policy) {
  settings_.before_publication(*policy);
  return publisher_.publish(std::move(policy));
}

Result<void> Reload::put_into_force(std::string text, config::Model model, Standing standing) {
  auto policy = compiled(model, standing);
  if (!policy) return std::move(policy).error();
  if (auto done = publish(std::move(*policy)); !done) return done;
  text_ = std::move(text);
  model_ = std::move(model);
  standing_ = standing;
  next_change_ = next_change(model_, std::time(nullptr));
  settings_.on_published(effective(model_), *publisher_.current());
  if (standing_ == Standing::settled) keep_as_last_good();
  return {};
}

void Reload::keep_as_last_good() {
  if (auto kept = write_last_good(settings_.state_dir, text_); !kept) {
    settings_.warn("the last good configuration was not kept: " + kept.error().text);
  }
}

}  // namespace postern
