// SPDX-License-Identifier: BSD-3-Clause
// Filter rules in their order: never reached, contradictory, partly reached, redundant.
#include <algorithm>

#include "control/analysis/findings.h"
#include "control/analysis/lists.h"
#include "control/analysis/order.h"
#include "control/compile/policy_text.h"

namespace postern::analysis {
namespace {

// Services of one rule that are asked for one by one.
constexpr size_t kServicesMax = 64;

bool is_opposite(Action a, Action b) {
  return a != Action::next && b != Action::next && (a == Action::permit) != (b == Action::permit);
}

class FilterJudge {
 public:
  FilterJudge(const config::Model& model, const Policy& policy, const std::vector<Item>& items,
              Findings& findings)
      : model_(model),
        policy_(policy),
        items_(items),
        first_(first_user_rule(model, policy)),
        samples_(policy.rules, items),
        findings_(findings) {}

  void run();

 private:
  const config::FilterRule& source(size_t item) const { return model_.filter.rules[item - first_]; }
  const Rule& rule(size_t item) const { return policy_.rules.at(static_cast<uint16_t>(item)); }
  Subject subject(size_t item) const {
    return {"filter.rules." + source(item).name, source(item).mark};
  }
  bool is_of_template(size_t item) const {
    return item >= first_ && !source(item).from_template.empty();
  }
  bool is_same_use(size_t a, size_t b) const {
    return is_of_template(a) && is_of_template(b) && source(a).mark.line == source(b).mark.line &&
           source(a).mark.column == source(b).mark.column;
  }
  bool is_any_opposite(size_t item, const std::vector<size_t>& causes) const;
  bool is_told(size_t item, const Place& place) const;
  std::string hidden_text(size_t item, const std::vector<size_t>& causes) const;
  void tell_hidden(size_t item, const Place& place);
  void tell_redundant(size_t item, const Place& place);
  void tell_partly(size_t item);
  bool is_partly_hidden(size_t item, const ServiceSpec& service, size_t& by);

  const config::Model& model_;
  const Policy& policy_;
  const std::vector<Item>& items_;
  const size_t first_;
  Samples samples_;
  Budget partly_budget_{50'000'000};  // half a second
  Findings& findings_;
};

bool FilterJudge::is_any_opposite(size_t item, const std::vector<size_t>& causes) const {
  return std::any_of(causes.begin(), causes.end(), [&](size_t cause) {
    return is_opposite(rule(item).action, rule(cause).action);
  });
}

// A template fits many gateways, so that parts of it may be idle; that it is contradicted is news.
bool FilterJudge::is_told(size_t item, const Place& place) const {
  if (!is_of_template(item)) return true;
  bool is_by_itself = std::any_of(place.causes.begin(), place.causes.end(),
                                  [&](size_t cause) { return is_same_use(item, cause); });
  return !is_by_itself && is_any_opposite(item, place.causes);
}

std::string FilterJudge::hidden_text(size_t item, const std::vector<size_t>& causes) const {
  const std::vector<config::Cause> told = causes_of(items_, causes);
  std::string text = "never reached: " + named(told) +
                     (told.size() == 1 ? " comes first, matches all of it and "
                                       : " come first, match all of it together and ");
  const bool is_one = told.size() == 1;
  const Action mine = rule(item).action;
  const bool is_same = std::all_of(causes.begin(), causes.end(),
                                   [&](size_t cause) { return rule(cause).action == mine; });
  const char* where = is_one ? "that one" : "those";
  if (mine == Action::next) {
    return text + (is_one ? "decides" : "decide") + "; move this one above " + where +
           ", or remove it";
  }
  if (is_same) return text + (is_one ? "does" : "do") + " the same; remove this one";
  if (!is_one) return text + "act otherwise; move this one above those, or remove it";
  return text + "says " + to_word(rule(causes.front()).action) + ", not " + to_word(mine) +
         "; move this one above that one, or remove it";
}

void FilterJudge::tell_hidden(size_t item, const Place& place) {
  const char* kind = is_any_opposite(item, place.causes) ? "contradiction" : "never-reached";
  std::string text = hidden_text(item, place.causes);
  findings_.push_back(
      finding(kind, subject(item), std::move(text), causes_of(items_, place.causes)));
}

void FilterJudge::tell_redundant(size_t item, const Place& place) {
  auto causes = causes_of(items_, place.causes);
  std::string text = "does nothing: without it " + named(causes) +
                     " would do the same with all that reaches it; remove this one";
  findings_.push_back(finding("redundant", subject(item), std::move(text), std::move(causes)));
}

// Whether a broader rule before it, with the opposite action, has one of its services whole. A rule
// that lies within this one is an exception from it, as people write them.
bool FilterJudge::is_partly_hidden(size_t item, const ServiceSpec& service, size_t& by) {
  std::vector<Region> regions;
  for (const Region& region : items_[item].regions) {
    Region only = region;
    only[Number::protocol] = {service.protocol, service.protocol};
    only[Number::port] = {service.first_destination, service.last_destination};
    only[Number::second_port] = {service.first_source, service.last_source};
    if (!region[Number::protocol].contains(only[Number::protocol])) continue;
    only[Number::port] = only[Number::port].common(region[Number::port]);
    if (!only.is_empty()) regions.push_back(std::move(only));
  }
  if (regions.empty()) return false;
  Cover cover(items_, partly_budget_);
  for (size_t other : samples_.deciding_before(item, regions.front())) {
    const bool is_exact = !items_[other].is_coarse && !items_[other].is_for_some;
    if (!is_opposite(rule(item).action, rule(other).action) || !is_exact) continue;
    if (!cover.is_covered_by(regions, other)) continue;
    if (cover.is_covered_by(items_[other].regions, item)) continue;
    by = other;
    return true;
  }
  return false;
}

void FilterJudge::tell_partly(size_t item) {
  const std::vector<ServiceSpec>& services = rule(item).services;
  if (services.size() < 2 || services.size() > kServicesMax || items_[item].is_coarse) return;
  for (const ServiceSpec& service : services) {
    if (service.any_protocol || !has_ports(service.protocol)) continue;
    size_t by = 0;
    if (!is_partly_hidden(item, service, by)) continue;
    auto causes = causes_of(items_, {by});
    std::string text = "only partly reached: " + named(causes) + " comes first for " +
                       to_text(service) + " and says " + to_word(rule(by).action) + ", not " +
                       to_word(rule(item).action) + "; move this one above that one";
    findings_.push_back(finding("partly-reached", subject(item), std::move(text), causes));
    return;
  }
}

void FilterJudge::run() {
  std::vector<bool> may_be_redundant(items_.size());
  for (size_t i = first_; i < items_.size(); ++i)
    may_be_redundant[i] = !is_of_template(i);
  const std::vector<Place> places = places_in(items_, &samples_, may_be_redundant);
  size_t unknown = 0, first_unknown = 0;
  for (size_t i = first_; i < items_.size() && findings_.size() < kAnalysisFindingsMax; ++i) {
    switch (places[i].standing) {
      case Standing::hidden:
        if (is_told(i, places[i])) tell_hidden(i, places[i]);
        break;
      case Standing::redundant:
        tell_redundant(i, places[i]);
        break;
      case Standing::needed:
        if (!is_of_template(i)) tell_partly(i);
        break;
      case Standing::unknown:
        if (unknown++ == 0) first_unknown = i;
        break;
    }
  }
  if (unknown == 0) return;
  findings_.push_back(finding("analysis", subject(first_unknown),
                              std::to_string(unknown) +
                                  " rules from here on are too many or too intricate to tell "
                                  "whether they are reached"));
}

}  // namespace

void judge_filter(const config::Model& model, const Policy& policy, const std::vector<Item>& rules,
                  Findings& findings) {
  if (policy.rules.size() == 0) return;
  FilterJudge(model, policy, rules, findings).run();
}

}  // namespace postern::analysis
