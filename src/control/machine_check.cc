// SPDX-License-Identifier: BSD-3-Clause
// machine_findings() of check.h.
#include <grp.h>

#include <optional>
#include <string>
#include <utility>

#include "control/check.h"
#include "control/config/report.h"
#include "control/config/yaml.h"
#include "control/log/trusted_program.h"

namespace postern {

std::vector<config::Finding> machine_findings(std::string_view text, const config::Model& model,
                                              uid_t daemon) {
  std::vector<std::pair<std::string, std::string>> remarks;  // about a path
  const std::string& group = model.admin.socket.group;
  if (!group.empty() && getgrnam(group.c_str()) == nullptr) {
    remarks.emplace_back("admin.socket.group", "no group `" + config::printable(group) +
                                                   "` on this machine; the socket is for root "
                                                   "alone");
  }
  const auto& command = model.logging.alert.command;
  if (!command.empty()) {
    if (auto trusted = trusted_program(command[0], daemon); !trusted) {
      remarks.emplace_back("logging.alert.command",
                           "will not be run: " + config::printable(trusted.error().text));
    }
  }
  if (remarks.empty()) return {};
  // The model has no marks of these; a file that is sound makes no findings of its own here.
  config::Report unused, report;
  std::optional<config::Node> root = config::read_yaml(text, unused);
  if (root) report.set_tree(&*root);
  for (auto& [path, remark] : remarks)
    report.warning_at(std::move(path), std::move(remark));
  return report.take();
}

}  // namespace postern
