// SPDX-License-Identifier: BSD-3-Clause
// load(): text of a configuration file -> Model, or every error of it at once.
//
// The entry point of control/config: strict YAML (yaml.cc), typed fields (parse.cc), templates
// expanded (templates.cc), cross-field rules (validate.cc). Nothing is read but the text given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/model.h"

namespace postern::config {

enum class Severity { error, warning };

// What a finding is because of: another entry of the file.
struct Cause {
  std::string name;
  uint32_t line = 0;  // 0: the compiler added it
};

// One thing that is wrong, ready to print: "FILE:LINE:COL: error: PATH: TEXT".
struct Finding {
  Severity severity = Severity::error;
  Mark mark;
  std::string path;  // key path, "interfaces.wan.mtu" or "filter.rules[3].service"
  std::string text;  // what is wrong, what was expected, nearest valid word
  // Of the analysis of rules and of policy tests (control/analysis); else empty:
  std::string kind = {};  // one word: "never-reached", "contradiction", "redundant", "test", ...
  std::vector<Cause> causes = {};
};

struct Loaded {
  Model model;                    // meaningful only when ok()
  std::vector<Finding> findings;  // in file order, errors and warnings
  bool ok() const;                // no finding is an error
};

Loaded load(std::string_view text);

// "FILE:LINE:COL: error: interfaces.wan.mtu: 99999 exceeds 9000"
std::string to_text(const Finding& finding, std::string_view file);

// The JSON Schema (draft 7) of the file format, generated from the description that parse uses.
std::string json_schema();

}  // namespace postern::config
