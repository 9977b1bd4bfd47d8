// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/access/url_rules.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "services/http/access/url_match.h"

namespace postern::http {
namespace {

constexpr int64_t kSetMemory = 64 << 20;  // octets for all expressions together
constexpr size_t kHostMax = 253;
constexpr int kNoPattern = -1;

RE2::Options options(int64_t memory) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // octets, whatever they mean
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(memory);
  return options;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Ascending indices of rules, by the host that they name.
using HostIndex = std::unordered_map<std::string, std::vector<uint32_t>, Hash, std::equal_to<>>;

using Indices = std::span<const uint32_t>;

Indices rules_of(const HostIndex& index, std::string_view host) {
  const auto found = index.find(host);
  return found == index.end() ? Indices() : Indices(found->second);
}

}  // namespace

struct UrlRules::Compiled {
  // The patterns of a rule as they are compared.
  struct Patterns {
    std::string path;
    int substring = kNoPattern;   // its number in `patterns`
    int expression = kNoPattern;  // its number in `patterns`
  };

  std::vector<UrlRule> rules;
  std::vector<Patterns> of_rule;
  UrlAction otherwise = UrlAction::permit;
  HostIndex by_host;
  HostIndex below_domain;
  std::vector<uint32_t> of_any_host;
  std::vector<std::unique_ptr<RE2>> patterns;
  std::unique_ptr<RE2::Set> all;  // none: it would have been too large

  std::string add_rule(uint32_t index);
  std::string add_host(uint32_t index);
  std::string add_pattern(const std::string& text, const char* key, int& number);
  void join_patterns();
};

namespace {

using Compiled = UrlRules::Compiled;

// One look-up: which patterns the URL matches is found out when it is asked for first.
class Look {
 public:
  Look(const Compiled& compiled, const UrlQuestion& question)
      : compiled_(compiled), question_(question), path_(lowered(question.path)) {}

  bool matches(uint32_t index) {
    const UrlRule& rule = compiled_.rules[index];
    const Compiled::Patterns& patterns = compiled_.of_rule[index];
    if (rule.time && question_.holds != nullptr && !(*question_.holds)(*rule.time)) return false;
    if (!patterns.path.empty() && (path_.empty() || !matches_path(patterns.path, path_)))
      return false;
    return has(patterns.substring) && has(patterns.expression);
  }

 private:
  bool has(int number) {
    if (number == kNoPattern) return true;
    if (!is_searched_) search();
    if (is_listed_) return std::binary_search(found_.begin(), found_.end(), number);
    return RE2::PartialMatch(piece(question_.url),
                             *compiled_.patterns[static_cast<size_t>(number)]);
  }

  // All at once; where that takes more memory than it may, one by one.
  void search() {
    is_searched_ = true;
    if (!compiled_.all) return;
    RE2::Set::ErrorInfo error{RE2::Set::kNoError};
    compiled_.all->Match(piece(question_.url), &found_, &error);
    is_listed_ = error.kind == RE2::Set::kNoError;
    std::sort(found_.begin(), found_.end());
  }

  const Compiled& compiled_;
  const UrlQuestion& question_;
  std::string path_;
  std::vector<int> found_;
  bool is_searched_ = false;
  bool is_listed_ = false;
};

// The rules that may be meant for a host, in their order: those of all lists that name it.
class Candidates {
 public:
  Candidates(const Compiled& compiled, std::string_view host) {
    std::string name = lowered(host.substr(0, kHostMax + 1));
    if (!name.empty() && name.back() == '.') name.pop_back();
    lists_.reserve(8);
    add(compiled.of_any_host);
    add(rules_of(compiled.by_host, name));
    for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      add(rules_of(compiled.below_domain, std::string_view(name).substr(dot + 1)));
  }

  std::optional<uint32_t> next() {
    Indices* lowest = nullptr;
    for (Indices& list : lists_) {
      if (!list.empty() && (lowest == nullptr || list.front() < lowest->front())) lowest = &list;
    }
    if (lowest == nullptr) return std::nullopt;
    const uint32_t index = lowest->front();
    *lowest = lowest->subspan(1);
    return index;
  }

 private:
  void add(Indices list) {
    if (!list.empty()) lists_.push_back(list);
  }

  std::vector<Indices> lists_;
};

void append_fault(std::string& faults, const std::string& fault) {
  if (fault.empty()) return;
  faults.append(faults.empty() ? "" : "\n").append(fault);
}

}  // namespace

std::string UrlRules::Compiled::add_host(uint32_t index) {
  const std::string host = lowered(rules[index].host);
  if (host.empty() || host == "*") {
    of_any_host.push_back(index);
    return "";
  }
  const std::string fault = fault_of_host(host);
  if (!fault.empty()) return "host: " + fault + ": " + host;
  if (host.substr(0, 2) == "*.") {
    below_domain[host.substr(2)].push_back(index);
  } else {
    const bool is_bracketed = host.front() == '[';
    by_host[is_bracketed ? host.substr(1, host.size() - 2) : host].push_back(index);
  }
  return "";
}

std::string UrlRules::Compiled::add_pattern(const std::string& text, const char* key, int& number) {
  auto pattern = std::make_unique<RE2>(piece(text), options(kRegexMemory));
  if (!pattern->ok()) return std::string(key) + ": " + text + ": " + pattern->error();
  number = static_cast<int>(patterns.size());
  patterns.push_back(std::move(pattern));
  return "";
}

// What is wrong with the rule, a line for each thing.
std::string UrlRules::Compiled::add_rule(uint32_t index) {
  UrlRule& rule = rules[index];
  Patterns& compiled = of_rule[index];
  const std::string prefix = "rules[" + std::to_string(index) + "].";
  const auto told = [&prefix](std::string fault) {
    return fault.empty() ? fault : prefix + std::move(fault);
  };
  for (const std::string* text : {&rule.host, &rule.path, &rule.substring, &rule.expression}) {
    if (text->size() > kPatternMax)
      return prefix + "a pattern of more than " + std::to_string(kPatternMax) + " octets";
  }
  std::sort(rule.principals.begin(), rule.principals.end());
  std::string faults;
  append_fault(faults, told(add_host(index)));
  if (!rule.path.empty()) {
    const std::string fault = fault_of_path(rule.path);
    if (!fault.empty()) append_fault(faults, prefix + "path: " + fault + ": " + rule.path);
    compiled.path = lowered(rule.path);
  }
  if (!rule.substring.empty()) {
    const std::string quoted = RE2::QuoteMeta(rule.substring);
    append_fault(faults, told(add_pattern(quoted, "substring", compiled.substring)));
  }
  if (!rule.expression.empty())
    append_fault(faults, told(add_pattern(rule.expression, "expression", compiled.expression)));
  return faults;
}

void UrlRules::Compiled::join_patterns() {
  if (patterns.empty()) return;
  auto set = std::make_unique<RE2::Set>(options(kSetMemory), RE2::UNANCHORED);
  for (const std::unique_ptr<RE2>& pattern : patterns) {
    if (set->Add(pattern->pattern(), nullptr) < 0) return;
  }
  if (set->Compile()) all = std::move(set);
}

Result<UrlRules> UrlRules::compile(std::vector<UrlRule> rules, UrlAction otherwise) {
  if (rules.size() > kUrlRulesMax)
    return Error{ErrorCode::exhausted, "more than " + std::to_string(kUrlRulesMax) + " URL rules"};
  auto compiled = std::make_unique<Compiled>();
  compiled->rules = std::move(rules);
  compiled->of_rule.resize(compiled->rules.size());
  compiled->otherwise = otherwise;
  std::string faults;
  for (uint32_t index = 0; index < compiled->rules.size(); ++index)
    append_fault(faults, compiled->add_rule(index));
  if (!faults.empty()) return Error{ErrorCode::invalid, faults};
  compiled->join_patterns();
  return UrlRules(std::move(compiled));
}

UrlRules::UrlRules(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
UrlRules::UrlRules(UrlRules&&) noexcept = default;
UrlRules& UrlRules::operator=(UrlRules&&) noexcept = default;
UrlRules::~UrlRules() = default;

UrlVerdict UrlRules::judge(const UrlQuestion& question) const {
  UrlVerdict verdict;
  verdict.action = compiled_->otherwise;
  Candidates candidates(*compiled_, question.host);
  Look look(*compiled_, question);
  while (const std::optional<uint32_t> index = candidates.next()) {
    const UrlRule& rule = compiled_->rules[*index];
    const bool is_meant =
        rule.principals.empty() || have_common(rule.principals, question.principals);
    const bool may_be_meant = question.principals.empty() && !verdict.may_change_by_login;
    if ((!is_meant && !may_be_meant) || !look.matches(*index)) continue;
    if (is_meant) {
      verdict.action = rule.action;
      verdict.rule = *index;
      break;
    }
    verdict.may_change_by_login = true;
  }
  return verdict;
}

const UrlRule& UrlRules::rule(size_t index) const {
  return compiled_->rules[index];
}

size_t UrlRules::size() const {
  return compiled_->rules.size();
}

}  // namespace postern::http
