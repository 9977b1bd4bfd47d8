// SPDX-License-Identifier: BSD-3-Clause
// Runs the flow scripts of tests/flow through the real program: worker threads, rings between them,
// DPDK ports. Frames arrive at the workers in turn, owner or not.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/ring_bed.h"
#include "support/flow_runner.h"

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

std::string run_file(const std::filesystem::path& path, unsigned workers) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string name = std::filesystem::relative(path, POSTERN_FLOWS);
  auto script = read_flow_script(name, text);
  if (!script) return name + ":" + script.error().text;
  RingBed bed(workers);
  return run_flow_script(*script, path.parent_path(), bed);
}

}  // namespace

TEST_CASE("runtime: every flow script comes true on ring devices", "[flow]") {
  REQUIRE(scripts().size() > 10);
  for (const auto& path : scripts()) {
    DYNAMIC_SECTION(std::filesystem::relative(path, POSTERN_FLOWS).string()) {
      for (const unsigned workers : {1u, 3u}) {
        INFO(workers << " workers");
        const std::string failure = run_file(path, workers);
        if (!failure.empty()) FAIL_CHECK(failure);
      }
      SUCCEED();
    }
  }
}

}  // namespace postern::test
