// SPDX-License-Identifier: BSD-3-Clause
// judge_text(): all that a reload says about a text without asking the running gateway: loaded,
// validated, analysed, its tests run. It takes up to some seconds for what is large or intricate,
// so it runs beside the control thread (Gateway::judge). Pure; thread: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/config/load.h"

namespace postern {

struct JudgedText {
  std::string text;
  config::Model model;                    // meaningful only when is_valid
  std::vector<config::Finding> findings;  // errors and warnings; an error is one of validity
  bool is_valid = false;
  std::string failed_tests;  // one line; empty: none
};
using Judged = std::shared_ptr<const JudgedText>;

Judged judge_text(std::string text);

}  // namespace postern
