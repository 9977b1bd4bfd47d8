// SPDX-License-Identifier: BSD-3-Clause
// Rules that do nothing, planted in a large list that is sane: all are found, and nothing else is.
#include <chrono>
#include <random>
#include <set>

#include "control/config/templates.h"
#include "unit/analysis/analysed.h"

namespace postern {
namespace {

using Random = std::mt19937;
using Word = config::RuleAction;

// One service of one host each, in networks of the office and of the servers; some with times, some
// that only log, some off; a drop at the end.
std::vector<config::FilterRule> sane_rules(size_t count, Random& random) {
  std::vector<config::FilterRule> rules;
  for (size_t i = 0; i < count; ++i) {
    config::FilterRule rule;
    rule.name = "host-" + std::to_string(i);
    rule.in = {random() % 4 == 0 ? "external" : "lan"};
    rule.out = {"dmz"};
    rule.to = {"10.9." + std::to_string(i / 200) + "." + std::to_string(1 + i % 200)};
    if (random() % 3 == 0) rule.from = {"192.168.1." + std::to_string(1 + random() % 250)};
    rule.service = {(random() % 3 == 0 ? "udp/" : "tcp/") + std::to_string(1 + random() % 60000)};
    rule.action = random() % 5 == 0 ? Word::deny : Word::permit;
    if (random() % 9 == 0) rule.when = {"mon-fri 08:00-18:00"};
    if (random() % 50 == 0) rule.enabled = false;
    rules.push_back(rule);
  }
  config::FilterRule last;
  last.name = "cleanup";
  last.action = Word::drop;
  last.log = true;
  rules.push_back(last);
  return rules;
}

config::FilterRule rule_for(const std::string& name, const char* to, const char* service,
                            Word action) {
  config::FilterRule rule;
  rule.name = name;
  rule.in = {"lan"};
  rule.out = {"external"};
  rule.to = {to};
  rule.service = {service};
  rule.action = action;
  return rule;
}

// The rules that hide, at the front, and those that they hide, at random places behind; of each
// kind of seed there are three, in networks of their own.
class Seeds {
 public:
  Seeds(std::vector<config::FilterRule>& rules, Random& random) : rules_(rules), random_(random) {}

  std::set<std::string> plant();

 private:
  std::string net(const char* rest) const { return "198.18." + std::to_string(number_) + rest; }
  void before(config::FilterRule rule) {
    rule.name = "before-" + std::to_string(number_) + "-" + std::to_string(++serial_);
    front_.push_back(std::move(rule));
  }
  void hidden(config::FilterRule rule) {
    rule.name = "seed-" + std::to_string(number_);
    names_.insert(rule.name);
    auto at = static_cast<std::ptrdiff_t>(random_() % rules_.size());
    rules_.insert(rules_.begin() + at, std::move(rule));
  }
  config::FilterRule of(const char* rest, const char* service, Word action) const {
    return rule_for("", net(rest).c_str(), service, action);
  }
  void by_networks();
  void by_services();
  void by_context();

  std::vector<config::FilterRule>& rules_;
  Random& random_;
  std::vector<config::FilterRule> front_;
  std::set<std::string> names_;
  int number_ = 0, serial_ = 0;
};

void Seeds::by_networks() {
  ++number_;  // one broad rule, the same
  before(of(".0/24", "tcp/1-1000", Word::permit));
  hidden(of(".7", "tcp/80", Word::permit));
  ++number_;  // one broad rule, the opposite
  before(of(".0/24", "tcp/1-1000", Word::deny));
  hidden(of(".0/25", "tcp/443", Word::permit));
  ++number_;  // two halves
  before(of(".0/25", "udp/53", Word::permit));
  before(of(".128/25", "udp/53", Word::drop));
  hidden(of(".0/24", "udp/53", Word::permit));
  ++number_;  // four pieces of sources, all of the destinations
  for (const char* from : {"0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"}) {
    config::FilterRule part = of(".0/24", "tcp", Word::drop);
    part.from = {from};
    before(part);
  }
  hidden(of(".9", "tcp/22", Word::permit));
}

void Seeds::by_services() {
  ++number_;  // ranges of ports together
  before(of(".0/24", "tcp/1-499", Word::permit));
  before(of(".0/24", "tcp/500-65535", Word::permit));
  hidden(of(".0/24", "tcp/400-600", Word::drop));
  ++number_;  // each service by another rule
  before(of(".0/24", "tcp/25", Word::deny));
  before(of(".0/24", "udp/25", Word::deny));
  hidden(of(".4", "tcp+udp/25", Word::permit));
  ++number_;  // all protocols
  config::FilterRule every = of(".0/24", "any", Word::drop);
  every.service.clear();
  before(every);
  hidden(of(".0/24", "icmp/echo-request", Word::permit));
}

void Seeds::by_context() {
  ++number_;  // both states of TCP
  config::FilterRule opening = of(".0/24", "tcp/99", Word::permit);
  opening.tcp = config::TcpState::opening;
  before(opening);
  opening.tcp = config::TcpState::established;
  before(opening);
  hidden(of(".0/24", "tcp/99", Word::deny));
  ++number_;  // the days of the week
  config::FilterRule timed = of(".0/24", "tcp/80", Word::permit);
  timed.when = {"mon-fri"};
  before(timed);
  timed.when = {"sat", "sun"};
  before(timed);
  hidden(of(".5", "tcp/80", Word::drop));
  ++number_;  // one interface after another
  config::FilterRule part = of(".0/24", "udp", Word::permit);
  part.in = {"lan", "dmz"};
  before(part);
  part.in = {"external", "gateway"};
  before(part);
  config::FilterRule rest = of(".1", "udp/1000-2000", Word::drop);
  rest.in.clear();
  hidden(rest);
}

std::set<std::string> Seeds::plant() {
  for (int round = 0; round < 3; ++round) {
    by_networks();
    by_services();
    by_context();
  }
  rules_.insert(rules_.begin(), front_.begin(), front_.end());
  return names_;
}

config::Model gateway() {
  return model_of(gateway_with({"name: x, action: drop"}));
}

}  // namespace

TEST_CASE("analysis/seeded: 30 planted rules among 2,000 are found, and no other", "[C06]") {
  for (unsigned seed : {1u, 2u, 3u}) {
    Random random(seed);
    config::Model model = gateway();
    model.filter.rules = sane_rules(2000, random);
    const std::set<std::string> planted = Seeds(model.filter.rules, random).plant();
    REQUIRE(planted.size() == 30);
    std::set<std::string> found;
    for (const config::Finding& finding : analysed(model)) {
      INFO(finding.path << ": " << finding.text);
      CHECK((finding.kind == "never-reached" || finding.kind == "contradiction"));
      REQUIRE_FALSE(finding.causes.empty());
      for (const config::Cause& cause : finding.causes) {
        std::string number = finding.path.substr(std::string("filter.rules.seed-").size());
        CHECK(cause.name.starts_with("before-" + number + "-"));
      }
      found.insert(finding.path.substr(std::string("filter.rules.").size()));
    }
    CHECK(found == planted);
  }
}

TEST_CASE("analysis/seeded: 10,000 rules take seconds at most", "[C06]") {
  Random random(4);
  config::Model model = gateway();
  model.filter.rules = sane_rules(10'000, random);
  Seeds(model.filter.rules, random).plant();
  auto policy = compiled(model);
  auto begin = std::chrono::steady_clock::now();
  const auto findings = analysis::analyse(model, *policy);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK(findings.size() == 30);
  CHECK(took.count() < 10);  // half a second on a quiet machine
}

TEST_CASE("analysis/seeded: a hostile list is given up in time, and that is said", "[C06]") {
  // Each rule leaves a part of each packet set that the next one cuts again.
  Random random(5);
  config::Model model = gateway();
  model.filter.rules.clear();
  for (int i = 0; i < 3000; ++i) {
    config::FilterRule rule;
    rule.name = "r" + std::to_string(i);
    auto range = [&](uint32_t bits) {
      const auto a = static_cast<uint32_t>(random()) >> (32 - bits);
      const auto b = static_cast<uint32_t>(random()) >> (32 - bits);
      return std::pair(std::min(a, b), std::max(a, b));
    };
    auto addresses = [&] {
      auto [a, b] = range(32);
      return to_text(AddressRange{Ipv4Address(a), Ipv4Address(b)});
    };
    rule.from = {addresses(), addresses()};
    rule.to = {addresses(), addresses()};
    auto [first, last] = range(16);
    rule.service = {"tcp/" + std::to_string(first) + "-" + std::to_string(last)};
    rule.action = random() % 2 == 0 ? Word::permit : Word::drop;
    model.filter.rules.push_back(rule);
  }
  auto policy = compiled(model);
  auto begin = std::chrono::steady_clock::now();
  const auto findings = analysis::analyse(model, *policy);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK(took.count() < 40);  // a few seconds on a quiet machine
  CHECK(findings.size() <= analysis::kAnalysisFindingsMax + 1);
}

TEST_CASE("analysis/seeded: nothing is odd about what is shipped", "[C06]") {
  for (const config::Template& item : config::builtin_templates()) {
    INFO(item.name);
    CHECK(text_of(analysed(model_of(config::template_sample(item)))).empty());
  }
  const std::string root = POSTERN_SOURCE_ROOT "/";
  for (const char* file : {"conf/gateway.yaml", "conf/minimal.yaml"}) {
    INFO(file);
    CHECK(text_of(analysed(model_of(file_text(root + file)))).empty());
  }
}

TEST_CASE("analysis/seeded: any two templates go together", "[C06][F24]") {
  const auto& all = config::builtin_templates();
  for (const config::Template& first : all) {
    for (const config::Template& second : all) {
      if (first.name == second.name) continue;
      std::string text = config::template_sample(first);
      const std::string end = " ] }\n";
      text.insert(text.size() - end.size(),
                  ", { template: " + second.name + ", with: " + second.sample + " }");
      INFO(text);
      for (const config::Finding& finding : analysed(model_of(text))) {
        // What one forbids and the other permits, as a whole, is worth a word.
        INFO(finding.path << ": " << finding.text);
        CHECK(finding.kind == "contradiction");
      }
    }
  }
}

}  // namespace postern
