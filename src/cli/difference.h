// SPDX-License-Identifier: BSD-3-Clause
// What differs between configurations, and what a change would bring. Thread: the only one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/client.h"
#include "cli/command.h"

namespace postern::cli {

struct LabelledText {
  std::string label;
  std::string text;
};

// The lines that differ, as `diff -u` prints them; empty: none do.
Result<std::string> difference(const LabelledText& before, const LabelledText& after);

// What the daemon has in force, or the revision of the history that `revision` names.
Result<LabelledText> text_of_daemon(const std::optional<uint32_t>& revision,
                                    const Globals& globals);

// Of what the daemon has in force, for `apply --base`.
Result<std::string> digest_of_daemon(const Globals& globals);

// From what the daemon has in force to `after`.
Result<std::string> difference_to(const LabelledText& after, const Globals& globals);

// Prints what the daemon says that applying `text` would do (`postern plan`).
struct PlanOptions {
  bool diff = false;
  bool detailed_exitcode = false;  // kDifferent instead of kDone when it would change something
};
int plan_text(const std::string& text, const std::string& file, const PlanOptions& options,
              const Globals& globals);

}  // namespace postern::cli
