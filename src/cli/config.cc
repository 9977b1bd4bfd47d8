// SPDX-License-Identifier: BSD-3-Clause
// postern config schema
#include <cstdio>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "control/config/load.h"

namespace postern::cli {

void add_config(Command& root, const Globals&) {
  Command config = root.add("config", "about the configuration file");
  config.add("schema", "print the JSON Schema of the file, for editors").runs([] {
    std::puts(config::json_schema().c_str());
    return kDone;
  });
}

}  // namespace postern::cli
