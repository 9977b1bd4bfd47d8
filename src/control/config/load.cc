// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/load.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "control/config/parse.h"
#include "control/config/report.h"
#include "control/config/validate.h"
#include "control/config/yaml.h"

namespace postern::config {

Machine this_machine() {
  Machine machine;
  long pages = sysconf(_SC_PHYS_PAGES);
  long page_bytes = sysconf(_SC_PAGESIZE);
  long cores = sysconf(_SC_NPROCESSORS_CONF);
  if (pages > 0 && page_bytes > 0) {
    machine.memory_bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  }
  if (cores > 0) machine.cores = static_cast<uint32_t>(cores);
  return machine;
}

bool Loaded::ok() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.severity == Severity::error; });
}

Loaded load(std::string_view text, const Machine* machine) {
  Loaded loaded;
  Report report;
  if (std::optional<Node> root = read_yaml(text, report)) {
    Parsed parsed = parse_file(*root, report);
    report.set_tree(&*root);
    validate(parsed, machine, report);
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
