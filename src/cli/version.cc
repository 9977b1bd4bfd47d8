// SPDX-License-Identifier: BSD-3-Clause
// postern version
#include <cstdio>

#include "cli/commands.h"
#include "cli/exit_code.h"

namespace postern::cli {

void add_version(Command& root, const Globals& globals) {
  root.add("version", "print the version of this program").runs([&globals] {
    if (globals.json) {
      std::puts("{\n  \"schema_version\": 1,\n  \"version\": \"" POSTERN_VERSION "\"\n}");
    } else {
      std::puts("postern " POSTERN_VERSION);
    }
    return kDone;
  });
}

}  // namespace postern::cli
