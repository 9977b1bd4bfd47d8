// SPDX-License-Identifier: BSD-3-Clause
// check_text(): all that can be said about a configuration without the machine it is for. The one
// judgement of `postern check`, `posternd --check` and of every start; a reload (apply/reload.h)
// asks the same, of load() and compile() with what it knows of the ports. Pure, but for
// machine_findings(). Thread: any.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/load.h"

namespace postern {

struct Checked {
  config::Model model;                    // meaningful only when ok()
  std::vector<config::Finding> findings;  // errors and warnings
  bool ok() const;                        // no finding is an error
  bool is_only_tests() const;             // not ok(), and all errors are tests that fail
};

// Loads, validates and judges (analysis/judge.h).
Checked check_text(std::string_view text);

// What a configuration takes for granted of the machine that it is for, where this machine is that
// one. Warnings only: what is missing is left out, the rest works. `model` is what load() made of
// `text`, `daemon` the user that posternd runs as. Looks at the disk.
std::vector<config::Finding> machine_findings(std::string_view text, const config::Model& model,
                                              uid_t daemon);

// What load() cannot judge: the expressions of logging.debug.
std::vector<config::Finding> check_expressions(const config::Model& model);

// [{"severity", "line", "column", "path", "text"}], of the analysis also "kind" and "causes"
// [{"name", "line"}]; for `--json` of the daemon and of `check`.
nlohmann::ordered_json findings_json(const std::vector<config::Finding>& findings);

// "no error", "1 error", "3 errors": for one-line summaries.
std::string error_count_text(const std::vector<config::Finding>& findings);

}  // namespace postern
