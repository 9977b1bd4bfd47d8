// SPDX-License-Identifier: BSD-3-Clause
// postern_bench_scene: prints the scene as a configuration for posternd or as rules for nftables.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/common/scene.h"

int main(int argc, char** argv) {
  using namespace postern::bench;
  Scene scene;
  bool is_nftables = false;
  CLI::App app("Prints what the benches configure.", "postern_bench_scene");
  app.add_option("--sessions", scene.sessions);
  app.add_option("--rules", scene.rules);
  app.add_option("--wan", scene.wan_port, "port");
  app.add_option("--lan", scene.lan_port, "port");
  app.add_option("--core", scene.core, "of the worker");
  app.add_option("--memory", scene.memory_mib, "MiB of hugepages for packet buffers");
  app.add_flag("--log", scene.log_default, "log what falls through the rules");
  app.add_flag("--nftables", is_nftables, "the rules alone, for nftables");
  CLI11_PARSE(app, argc, argv);
  const std::string text = is_nftables ? nftables_rules(scene.rules) : postern_config(scene);
  std::fputs(text.c_str(), stdout);
  return 0;
}
