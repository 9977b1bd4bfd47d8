// SPDX-License-Identifier: BSD-3-Clause
// What the analysis finds in the text of a configuration.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "control/analysis/analyse.h"
#include "unit/compile/compiled.h"

namespace postern {

inline std::vector<config::Finding> analysed(const config::Model& model) {
  return analysis::analyse(model, *compiled(model));
}

// "LINE KIND: PATH: TEXT", a line each.
inline std::string text_of(const std::vector<config::Finding>& findings) {
  std::string out;
  for (const config::Finding& finding : findings) {
    out += std::to_string(finding.mark.line) + " " + finding.kind + ": " + finding.path + ": " +
           finding.text + "\n";
  }
  return out;
}

// The gateway of the tests; `filter` is what stands under filter.rules, an entry each.
inline std::string gateway_with(const std::vector<std::string>& rules,
                                const std::string& more = "") {
  std::string text =
      "version: 1\n"
      "interfaces:\n"
      "  wan: { port: kernel:wan0, zone: external, address: 203.0.113.1/24 }\n"
      "  lan: { port: kernel:lan0, zone: internal, address: 192.168.1.1/24 }\n"
      "  dmz: { port: kernel:dmz0, zone: dmz, address: 10.9.0.1/16 }\n"
      "routes: [ { to: default, via: 203.0.113.254 } ]\n" +
      more + "filter:\n  rules:\n";
  for (const std::string& rule : rules)
    text += "    - { " + rule + " }\n";
  return text;
}

inline std::string findings_in(const std::vector<std::string>& rules,
                               const std::string& more = "") {
  return text_of(analysed(model_of(gateway_with(rules, more))));
}

inline std::string file_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace postern
