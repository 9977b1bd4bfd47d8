// SPDX-License-Identifier: BSD-3-Clause
// load(): text of a configuration file -> Model, or every error of it at once.
//
// The entry point of control/config: strict YAML (yaml.cc), typed fields (parse.cc), templates
// expanded (templates.cc), cross-field rules (validate.cc). Nothing is read but the text given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/model.h"

namespace postern::config {

enum class Severity { error, warning };

// One thing that is wrong, ready to print: "FILE:LINE:COL: error: PATH: TEXT".
struct Finding {
  Severity severity = Severity::error;
  Mark mark;
  std::string path;  // key path, "interfaces.wan.mtu" or "filter.rules[3].service"
  std::string text;  // what is wrong, what was expected, nearest valid word
};

struct Loaded {
  Model model;                    // meaningful only when ok()
  std::vector<Finding> findings;  // in file order, errors and warnings
  bool ok() const;                // no finding is an error
};

// What the configuration must fit; 0 means unknown and is not checked.
struct Machine {
  uint64_t memory_bytes = 0;
  uint32_t cores = 0;
};
Machine this_machine();

// With `machine`, table sizes and core numbers are checked against it: pass this_machine() where
// the configuration is to run, so that it is refused at check and not at start.
Loaded load(std::string_view text, const Machine* machine = nullptr);

// "FILE:LINE:COL: error: interfaces.wan.mtu: 99999 exceeds 9000"
std::string to_text(const Finding& finding, std::string_view file);

// The JSON Schema (draft 7) of the file format, generated from the description that parse uses.
std::string json_schema();

}  // namespace postern::config
