// SPDX-License-Identifier: BSD-3-Clause
// machine_findings() of check.h.
#include <grp.h>

#include <optional>
#include <string>
#include <utility>

#include "control/check.h"
#include "control/config/report.h"
#include "control/config/yaml.h"
#include "services/io/trusted_program.h"

namespace postern {
namespace {

using Remarks = std::vector<std::pair<std::string, std::string>>;  // about a path

class MailPrograms {
 public:
  MailPrograms(uid_t daemon, Remarks& remarks) : daemon_(daemon), remarks_(remarks) {}

  void look_at(const config::Mail& mail) {
    const std::string path = "services.mail";
    if (mail.scan) require(mail.scan->command, config::join(path, "scan.command"));
    if (mail.relay) look_at(*mail.relay, config::join(path, "relay"));
    for (size_t i = 0; i < mail.fetch.size(); ++i) {
      require(mail.fetch[i].login.token_command,
              config::join(config::join(path, "fetch"), i) + ".token_command");
    }
  }

 private:
  void look_at(const config::MailRelay& relay, const std::string& path) {
    look_at(relay.hosts, config::join(path, "hosts"));
    for (size_t i = 0; i < relay.by_sender.size(); ++i) {
      look_at(relay.by_sender[i].hosts,
              config::join(config::join(path, "by_sender"), i) + ".hosts");
    }
  }
  void look_at(const std::vector<config::MailHop>& hosts, const std::string& path) {
    for (size_t i = 0; i < hosts.size(); ++i)
      require(hosts[i].login.token_command, config::join(path, i) + ".token_command");
  }
  void require(const std::vector<std::string>& command, const std::string& path) {
    if (command.empty()) return;
    if (auto trusted = io::trusted_program(command[0], daemon_); !trusted)
      remarks_.emplace_back(path, "will not be run: " + config::printable(trusted.error().text));
  }

  uid_t daemon_;
  Remarks& remarks_;
};

}  // namespace

std::vector<config::Finding> machine_findings(std::string_view text, const config::Model& model,
                                              uid_t daemon) {
  Remarks remarks;
  const std::string& group = model.admin.socket.group;
  if (!group.empty() && getgrnam(group.c_str()) == nullptr) {
    remarks.emplace_back("admin.socket.group", "no group `" + config::printable(group) +
                                                   "` on this machine; the socket is for root "
                                                   "alone");
  }
  const auto& command = model.logging.alert.command;
  if (!command.empty()) {
    if (auto trusted = io::trusted_program(command[0], daemon); !trusted) {
      remarks.emplace_back("logging.alert.command",
                           "will not be run: " + config::printable(trusted.error().text));
    }
  }
  if (model.services.mail && model.services.mail->enabled)
    MailPrograms(daemon, remarks).look_at(*model.services.mail);
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
