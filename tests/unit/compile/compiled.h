// SPDX-License-Identifier: BSD-3-Clause
// A policy straight from the text of a configuration; the test fails where there is none.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "control/compile/compile.h"
#include "control/config/load.h"

namespace postern {

inline config::Model model_of(std::string_view yaml) {
  config::Loaded loaded = config::load(yaml);
  std::string errors;
  for (const config::Finding& finding : loaded.findings) {
    if (finding.severity == config::Severity::error) errors += to_text(finding, "test") + "\n";
  }
  INFO(errors);
  REQUIRE(loaded.ok());
  return std::move(loaded.model);
}

inline std::unique_ptr<Policy> compiled(const config::Model& model,
                                        const CompileInputs& inputs = {}) {
  auto policy = compile(model, inputs);
  INFO((policy ? "" : policy.error().text));
  REQUIRE(policy);
  return std::move(policy).value();
}

inline std::unique_ptr<Policy> compiled(std::string_view yaml, const CompileInputs& inputs = {}) {
  return compiled(model_of(yaml), inputs);
}

}  // namespace postern
