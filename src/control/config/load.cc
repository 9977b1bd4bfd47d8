// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/load.h"

#include <algorithm>
#include <optional>

#include "control/config/parse.h"
#include "control/config/report.h"
#include "control/config/validate.h"
#include "control/config/yaml.h"

namespace postern::config {

bool Loaded::ok() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.severity == Severity::error; });
}

Loaded load(std::string_view text) {
  Loaded loaded;
  Report report;
  if (std::optional<Node> root = read_yaml(text, report)) {
    Parsed parsed = parse_file(*root, report);
    report.set_tree(&*root);
    validate(parsed, report);
    loaded.model = std::move(parsed.model);
  }
  loaded.findings = report.take();
  return loaded;
}

std::string to_text(const Finding& finding, std::string_view file) {
  std::string out(file);
  if (finding.mark.line > 0) {
    out += ":" + std::to_string(finding.mark.line) + ":" + std::to_string(finding.mark.column);
  }
  out += finding.severity == Severity::error ? ": error: " : ": warning: ";
  if (!finding.path.empty()) out += finding.path + ": ";
  return out + finding.text;
}

}  // namespace postern::config
