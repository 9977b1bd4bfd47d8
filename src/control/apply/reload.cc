// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/reload.h"

#include <fmt/format.h>

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
  auto judged = std::make_shared<JudgedText>();
  judged->text = std::move(text);
  judged->model = std::move(model);
  judged->is_valid = true;
  if (auto done = put_into_force(std::move(judged), Standing::settled); !done) {
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
  Judged judged;
  std::vector<config::Finding> findings;
  std::vector<std::string> restart;
};

Judged Reload::known(const std::string& text) const {
  for (const Judged& judged : {remembered_, in_force_, before_}) {
    if (judged && judged->text == text) return judged;
  }
  return nullptr;
}

Reload::Read Reload::read(const std::string& text) const {
  Read read;
  if (text.size() > kTextFileMax) {
    read.refusal = refused(ErrorCode::invalid, "the configuration is larger than 4 MiB", {});
    return read;
  }
  read.judged = known(text);
  if (!read.judged) read.judged = judge_text(text);
  read.findings = read.judged->findings;
  bool is_valid = read.judged->is_valid;
  if (is_valid && settings_.conflicts) {
    for (config::Finding& finding : settings_.conflicts(read.judged->model)) {
      is_valid = is_valid && finding.severity != config::Severity::error;
      read.findings.push_back(std::move(finding));
    }
  }
  if (!is_valid) {
    std::string count = error_count_text(read.findings);
    read.refusal =
        refused(ErrorCode::invalid, "the configuration has " + count + "; nothing was changed",
                std::move(read.findings));
    return read;
  }
  if (const std::string& failed = read.judged->failed_tests; !failed.empty()) {
    read.refusal =
        refused(ErrorCode::failed, failed + "; nothing was changed", std::move(read.findings));
    return read;
  }
  if (settings_.remarks) {
    for (config::Finding& finding : settings_.remarks(text, read.judged->model))
      read.findings.push_back(std::move(finding));
  }
  read.restart = restart_keys(model(), read.judged->model);
  return read;
}

ReloadReport Reload::apply(const std::string& text, Standing standing) {
  ReloadReport report;
  if (text == this->text()) {
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
  report.sections = sections_between(model(), wanted.judged->model);
  if (auto done = put_into_force(std::move(wanted.judged), standing); !done) {
    return refused(done.error().code, done.error().text, std::move(wanted.findings));
  }
  if (standing == Standing::settled) keep_as_last_good();
  report.done = report.changed = true;
  report.findings = std::move(wanted.findings);
  report.text = fmt::format("generation {} is in force", publisher_.current()->generation);
  return report;
}

Reload::Preview Reload::preview(const std::string& text) const {
  Preview preview;
  if (text == this->text()) {
    preview.report.done = true;
    return preview;
  }
  Read wanted = read(text);
  preview.report = std::move(wanted.refusal);
  if (!preview.report.text.empty()) return preview;
  auto policy = compiled(wanted.judged->model, Standing::settled);
  if (!policy) {
    preview.report = refused(policy.error().code, policy.error().text, std::move(wanted.findings));
    return preview;
  }
  preview.policy = std::move(*policy);
  preview.model = effective(wanted.judged->model);
  preview.restart = std::move(wanted.restart);
  preview.report.findings = std::move(wanted.findings);
  preview.report.done = preview.report.changed = true;
  return preview;
}

ReloadReport Reload::settle() {
  ReloadReport report;
  if (standing_ == Standing::on_trial) {
    auto policy = compiled(model(), Standing::settled);
    if (!policy) return refused(policy.error().code, policy.error().text, {});
    if (auto done = publish(std::move(*policy)); !done) {
      return refused(done.error().code, done.error().text, {});
    }
    standing_ = Standing::settled;
    before_ = nullptr;
    report.changed = true;
    settings_.on_published(effective(model()), *publisher_.current());
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
  next_change_ = next_change(model(), now);
  auto policy = compiled(model(), standing_);
  if (!policy) return settings_.warn("rules with times: " + policy.error().text);
  if (same_rules_in_force(*publisher_.current(), **policy)) return;
  if (auto done = publish(std::move(*policy)); !done) {
    next_change_ = now + 1;  // try again
    return settings_.warn("rules with times: " + done.error().text);
  }
  settings_.on_published(effective(model()), *publisher_.current());
}

Result<void> Reload::renew() {
  auto policy = compiled(model(), standing_);
  if (!policy) return std::move(policy).error();
  if (auto done = publish(std::move(*policy)); !done) return done;
  settings_.on_published(effective(model()), *publisher_.current());
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

Result<void> Reload::put_into_force(Judged judged, Standing standing) {
  auto policy = compiled(judged->model, standing);
  if (!policy) return std::move(policy).error();
  if (auto done = publish(std::move(*policy)); !done) return done;
  before_ = standing == Standing::on_trial ? std::move(in_force_) : nullptr;
  in_force_ = std::move(judged);
  remembered_ = nullptr;
  standing_ = standing;
  next_change_ = next_change(model(), std::time(nullptr));
  settings_.on_published(effective(model()), *publisher_.current());
  return {};
}

void Reload::keep_as_last_good() {
  if (auto kept = write_last_good(settings_.state_dir, text()); !kept) {
    settings_.warn("the last good configuration was not kept: " + kept.error().text);
  }
}

}  // namespace postern
