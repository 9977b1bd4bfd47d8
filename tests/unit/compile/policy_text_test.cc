// SPDX-License-Identifier: BSD-3-Clause
// Golden policies: tests/golden/NAME.yaml compiles to tests/golden/NAME.policy, byte for byte.
// POSTERN_GOLDEN=rewrite (./dev golden) writes the .policy files anew; the diff is the review.
#include "control/compile/policy_text.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/compile/names.h"
#include "unit/compile/compiled.h"

namespace postern {
namespace {

bool is_rewriting() {
  const char* mode = std::getenv("POSTERN_GOLDEN");
  return mode != nullptr && std::string(mode) == "rewrite";
}

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> samples() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_GOLDEN_DIR)) {
    auto policy = entry.path();
    policy.replace_extension(".policy");
    bool is_sample = entry.path().extension() == ".yaml" && std::filesystem::exists(policy);
    if (is_sample) files.push_back(entry.path());
  }
  return files;
}

// Saturday 10:00, two workers, ports with addresses of their own.
CompileInputs golden_inputs(size_t interfaces) {
  CompileInputs inputs;
  inputs.shards = Shards(2);
  inputs.minute_of_week = 5 * 1440 + 10 * 60;
  for (uint8_t i = 0; i < interfaces; ++i)
    inputs.ports.push_back({MacAddress{{2, 0, 0, 0, 0, i}}, 0});
  return inputs;
}

}  // namespace

TEST_CASE("compile/policy_text: the sample configurations compile to their golden policies",
          "[golden]") {
  auto files = samples();
  REQUIRE(files.size() >= 3);
  for (auto file : files) {
    INFO(file);
    auto model = model_of(read(file));
    std::string text = to_text(*compiled(model, golden_inputs(model.interfaces.size())));
    file.replace_extension(".policy");
    if (is_rewriting()) std::ofstream(file) << text;
    CHECK(text == read(file));
  }
}

TEST_CASE("compile/policy_text: services print as the configuration writes them", "[F18]") {
  struct Row {
    const char* written;
    const char* printed;
  };
  auto row =
      GENERATE(Row{"any", "any"}, Row{"tcp", "tcp"}, Row{"tcp/80-90", "tcp/80-90"},
               Row{"tcp/>1023", "tcp/1024-65535"}, Row{"tcp+udp/53", "tcp/53, udp/53"},
               Row{"tcp/80 from 1024-65535", "tcp/80 from 1024-65535"}, Row{"icmp", "icmp"},
               Row{"icmp/echo-request", "icmp/8"}, Row{"icmp/3/4", "icmp/3/4"}, Row{"ip/50", "esp"},
               Row{"ah", "ah"}, Row{"ip/99", "ip/99"}, Row{"pptp", "tcp/1723, gre"});
  auto policy =
      compiled(std::string("version: 1\n"
                           "interfaces: { lan: { port: \"kernel:e1\", zone: internal } }\n"
                           "filter: { rules: [ { name: a, action: drop, service: \"") +
               row.written + "\" } ] }\n");
  CHECK(to_text(policy->rules.at(0).services) == row.printed);
}

TEST_CASE("compile/names: a generation's names outlive its policy", "[F36]") {
  auto policy = compiled(R"(
version: 1
interfaces:
  wan: { port: "kernel:e0", zone: external, address: 203.0.113.1/24 }
  lan: { port: "kernel:e1", zone: internal, address: 192.168.1.1/24, windows_sharing: block }
nat:
  source: [ { out: wan } ]
  one_to_one: [ { name: server, external: 203.0.113.9, internal: 192.168.1.9, on: wan } ]
filter:
  rules: [ { name: out, description: everybody gets out, in: lan, out: wan, action: permit } ]
)");
  PolicyNames names = names_of(*policy);
  policy.reset();
  CHECK(names.generation == 1);
  REQUIRE(names.find_rule(2));
  CHECK(names.find_rule(0)->name == "guard/windows-sharing/lan/in");
  CHECK(names.find_rule(2)->name == "out");
  CHECK(names.find_rule(2)->description == "everybody gets out");
  CHECK(names.find_rule(2)->line == 10);
  CHECK(names.find_rule(3) == nullptr);
  REQUIRE(names.find_nat(1));
  CHECK(names.find_nat(0)->name == "source-1");
  CHECK(names.find_nat(1)->name == "server");
  CHECK(names.find_nat(2) == nullptr);
  CHECK(names.interface(0) == std::string("wan"));
  CHECK(names.interface(kGateway) == std::string("gateway"));
  CHECK(names.interface(kNoInterface) == std::string("-"));
  CHECK(names.interface(9) == std::string("?"));
}

}  // namespace postern
