// SPDX-License-Identifier: BSD-3-Clause
// Runs every *.flow file below this folder on the bare pipeline: with one worker, and with several
// whose packets arrive at any of them; and once more without the fast path, which may make no
// difference (pipeline/fast_path.cc).
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/flow_runner.h"
#include "support/testbed.h"

namespace postern::test {
namespace {

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(POSTERN_FLOWS)) {
    if (entry.path().extension() == ".flow") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Packets arrive at the workers in turn, owner or not.
class CrowdedBed : public Testbed {
 public:
  explicit CrowdedBed(unsigned workers) : Testbed(workers), workers_(workers) {}
  std::vector<Effect> inject(const std::string& interface,
                             std::span<const uint8_t> frame) override {
    receive_at(static_cast<WorkerId>(turn_++ % workers_));
    return Testbed::inject(interface, frame);
  }

 private:
  unsigned workers_;
  unsigned turn_ = 0;
};

enum class Way { any, only_long };

std::string run_file(const std::filesystem::path& path, unsigned workers, Way way) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string name = std::filesystem::relative(path, POSTERN_FLOWS);
  auto script = read_flow_script(name, text);
  if (!script) return name + ":" + script.error().text;
  CrowdedBed bed(workers);
  if (way == Way::only_long) bed.take_long_way();
  return run_flow_script(*script, path.parent_path(), bed);
}

}  // namespace

TEST_CASE("flow: every script comes true on the bare pipeline", "[flow]") {
  REQUIRE(scripts().size() > 10);
  for (const auto& path : scripts()) {
    DYNAMIC_SECTION(std::filesystem::relative(path, POSTERN_FLOWS).string()) {
      for (unsigned workers : {1u, 3u}) {
        INFO(workers << " workers");
        const std::string failure = run_file(path, workers, Way::any);
        if (!failure.empty()) FAIL_CHECK(failure);
      }
      SUCCEED();
    }
  }
}

TEST_CASE("flow: every script comes true without the fast path", "[flow]") {
  for (const auto& path : scripts()) {
    DYNAMIC_SECTION(std::filesystem::relative(path, POSTERN_FLOWS).string()) {
      const std::string failure = run_file(path, 1, Way::only_long);
      if (!failure.empty()) FAIL_CHECK(failure);
      SUCCEED();
    }
  }
}

}  // namespace postern::test
