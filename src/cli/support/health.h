// SPDX-License-Identifier: BSD-3-Clause
// The checks of `postern doctor`: what of the machine, the configuration and the state directory
// stands in the way of the gateway, each with the command that mends it. Reads only, needs neither
// daemon nor privileges; what may not be read is told as such. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "cli/support/machine.h"
#include "control/config/model.h"

namespace postern::cli {

enum class Health { ok, warn, fail };

struct Finding {
  std::string check;  // hugepages, iommu, vfio, port NAME, ...
  Health health = Health::ok;
  std::string text;  // what is the case, and why it matters
  std::string mend;  // the command that mends it; empty: nothing to do
};

struct Patient {
  std::string config_file = "/etc/postern/gateway.yaml";
  std::string state_dir = "/var/lib/postern";
};

const char* to_word(Health health);

// Every finding, in the order of the checks; those that pass included.
std::vector<Finding> examine(const Machine& machine, const Patient& patient);

// The parts, for tests.
Finding check_hugepages(const Machine& machine, const config::System& system);
Finding check_iommu(const Machine& machine, bool has_pci_ports);
Finding check_vfio(const Machine& machine, bool has_pci_ports);
Finding check_port(const Machine& machine, const config::Interface& interface);
Finding check_vhost_net(const Machine& machine, const config::Model& model);
Finding check_cores(const Machine& machine, const config::Workers& workers);
Finding check_governor(const Machine& machine, const config::Workers& workers);
Finding check_clock(const Machine& machine);
Finding check_space(const Machine& machine, const std::string& state_dir);
// The file of the HTTP cache: there as configured, or with room for it.
Finding check_cache(const Machine& machine, const config::HttpCache& cache,
                    const std::string& state_dir);
// The folder of the mail service, its certificate and passwords: there, and for nobody else; the
// programs and sockets that it asks: there. One finding where all is well.
std::vector<Finding> check_mail(const Machine& machine, const config::Mail& mail,
                                const std::string& state_dir);
Finding check_forwarding(const Machine& machine);
Finding check_permissions(const Machine& machine, const std::string& config_file);

}  // namespace postern::cli
