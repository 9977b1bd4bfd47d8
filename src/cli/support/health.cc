// SPDX-License-Identifier: BSD-3-Clause
#include "cli/support/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "control/check.h"
#include "control/text_file.h"

namespace postern::cli {
namespace {

constexpr const char* kPages = "/sys/kernel/mm/hugepages";
constexpr const char* kCpus = "/sys/devices/system/cpu";
constexpr std::array kOurDrivers = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core"};
constexpr uint64_t kSpaceLow = uint64_t{256} << 20, kSpaceNone = uint64_t{16} << 20;

Finding ok(std::string check, std::string text) {
  return {std::move(check), Health::ok, std::move(text), ""};
}
Finding warn(std::string check, std::string text, std::string mend) {
  return {std::move(check), Health::warn, std::move(text), std::move(mend)};
}
Finding fail(std::string check, std::string text, std::string mend) {
  return {std::move(check), Health::fail, std::move(text), std::move(mend)};
}

std::string joined(const std::vector<unsigned>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ","));
}

bool has_pci_ports(const config::Model& model) {
  return std::any_of(model.interfaces.begin(), model.interfaces.end(), [](const auto& interface) {
    return interface.enabled && interface.port.kind == config::PortKind::pci;
  });
}

// The configuration, and what it says; defaults where it cannot be read.
Finding check_configuration(const Machine& machine, const std::string& file, config::Model& model) {
  auto text = read_text_file(machine.path(file));
  if (!text) {
    return fail("configuration", text.error().text, "postern check " + file);
  }
  Checked checked = check_text(*text);
  if (!checked.ok()) {
    return fail("configuration", file + ": " + error_count_text(checked.findings),
                "postern check " + file);
  }
  model = std::move(checked.model);
  return ok("configuration", file + " is valid");
}

}  // namespace

const char* to_word(Health health) {
  switch (health) {
    case Health::ok:
      return "OK";
    case Health::warn:
      return "WARN";
    case Health::fail:
      return "FAIL";
  }
  return "-";
}

Finding check_hugepages(const Machine& machine, const config::System& system) {
  const std::string check = "hugepages";
  if (system.memory.hugepages == config::HugepageMode::off) {
    return ok(check, "not wanted (system.memory.hugepages: off)");
  }
  uint64_t total_mib = 0;
  for (const std::string& name : machine.entries(kPages)) {
    const std::string folder = std::string(kPages) + "/" + name;
    const size_t dash = name.find('-');
    if (dash == std::string::npos) continue;
    const uint64_t kib = std::strtoull(name.c_str() + dash + 1, nullptr, 10);
    total_mib += machine.number(folder + "/nr_hugepages").value_or(0) * kib / 1024;
  }
  const uint64_t pages = (uint64_t{system.memory.mib} + 1) / 2;
  const std::string mend = fmt::format("prepare-host hugepages {}", pages);
  if (total_mib >= system.memory.mib) {
    return ok(check, fmt::format("{} MiB reserved, {} MiB wanted", total_mib, system.memory.mib));
  }
  const std::string text =
      fmt::format("{} MiB reserved, {} MiB wanted", total_mib, system.memory.mib);
  if (system.memory.hugepages == config::HugepageMode::required) {
    return fail(check, text + ": the gateway refuses to start", mend);
  }
  return warn(check, text + ": runs on ordinary pages, slower and not for vfio", mend);
}

Finding check_iommu(const Machine& machine, bool has_pci_ports) {
  const size_t groups = machine.entries("/sys/kernel/iommu_groups").size();
  if (groups != 0) return ok("iommu", fmt::format("on, {} groups", groups));
  if (!has_pci_ports) return ok("iommu", "off; no pci: port needs it");
  if (machine.first_line("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y") {
    return warn("iommu", "off, vfio works without: a network card can write to all memory",
                "add intel_iommu=on iommu=pt (AMD: iommu=pt) to the kernel's command line");
  }
  return fail("iommu", "off: vfio-pci cannot give a card to the gateway",
              "add intel_iommu=on iommu=pt (AMD: iommu=pt) to the kernel's command line");
}

Finding check_vfio(const Machine& machine, bool has_pci_ports) {
  if (machine.exists("/sys/bus/pci/drivers/vfio-pci")) return ok("vfio", "vfio-pci is loaded");
  if (!has_pci_ports) return ok("vfio", "not loaded; no pci: port needs it");
  return fail("vfio", "vfio-pci is not loaded", "modprobe vfio-pci");
}

Finding check_port(const Machine& machine, const config::Interface& interface) {
  const std::string check = "port " + interface.name, name = interface.port.name;
  if (!interface.enabled) return ok(check, "disabled");
  switch (interface.port.kind) {
    case config::PortKind::vdev:
      return ok(check, name + " is made by DPDK");
    case config::PortKind::kernel:
      if (machine.exists("/sys/class/net/" + name)) return ok(check, "kernel device " + name);
      return fail(check, "there is no network device " + name, "postern show ports");
    case config::PortKind::pci:
      break;
  }
  const std::string device = "/sys/bus/pci/devices/" + name;
  if (!machine.exists(device)) {
    return fail(check, "there is no PCI device " + name, "postern show ports");
  }
  const std::string driver = machine.link_name(device + "/driver");
  if (std::find(kOurDrivers.begin(), kOurDrivers.end(), driver) != kOurDrivers.end()) {
    return ok(check, name + " is bound to " + driver);
  }
  return fail(check, name + " is bound to " + (driver.empty() ? "no driver" : driver),
              "prepare-host bind " + name);
}

Finding check_vhost_net(const Machine& machine, const config::Model& model) {
  if (machine.exists("/dev/vhost-net")) return ok("vhost-net", "/dev/vhost-net is there");
  const bool is_needed =
      std::any_of(model.interfaces.begin(), model.interfaces.end(), [](const auto& interface) {
        return interface.enabled && interface.port.kind == config::PortKind::vdev &&
               interface.port.name.starts_with("net_virtio_user");
      });
  if (!is_needed) return ok("vhost-net", "not loaded; no port needs it");
  return fail("vhost-net", "no /dev/vhost-net, which net_virtio_user needs", "modprobe vhost-net");
}

Finding check_cores(const Machine& machine, const config::Workers& workers) {
  const std::vector<unsigned> online = cores_of(machine.first_line(std::string(kCpus) + "/online"));
  const std::vector<unsigned> isolated =
      cores_of(machine.first_line(std::string(kCpus) + "/isolated"));
  auto without = [&](const std::vector<unsigned>& set) {
    std::vector<unsigned> missing;
    for (unsigned core : workers.cores) {
      if (std::find(set.begin(), set.end(), core) == set.end()) missing.push_back(core);
    }
    return missing;
  };
  if (const auto gone = without(online); !gone.empty()) {
    return fail("cores", "system.workers.cores: this machine has no core " + joined(gone), "lscpu");
  }
  if (workers.cores.empty()) {
    return warn("cores", "workers share their cores with everything else: latency varies",
                "set system.workers.cores and isolcpus= of the kernel");
  }
  const auto shared = without(isolated);
  if (shared.empty()) return ok("cores", "cores " + joined(workers.cores) + " are isolated");
  return warn("cores", "cores " + joined(shared) + " run other programs, too: latency varies",
              "add isolcpus=" + joined(workers.cores) + " to the kernel's command line");
}

Finding check_governor(const Machine& machine, const config::Workers& workers) {
  std::vector<unsigned> slow;
  unsigned known = 0;
  for (unsigned core : cores_of(machine.first_line(std::string(kCpus) + "/online"))) {
    const bool is_ours =
        workers.cores.empty() ||
        std::find(workers.cores.begin(), workers.cores.end(), core) != workers.cores.end();
    const std::string governor =
        machine.first_line(fmt::format("{}/cpu{}/cpufreq/scaling_governor", kCpus, core));
    if (!is_ours || governor.empty()) continue;
    ++known;
    if (governor != "performance") slow.push_back(core);
  }
  if (known == 0) return ok("governor", "the kernel does not set the clock rate here");
  if (slow.empty()) return ok("governor", "performance");
  return warn("governor", "cores " + joined(slow) + " save power: bursts begin on a slow core",
              "cpupower -c " + joined(slow) + " frequency-set -g performance");
}

Finding check_clock(const Machine& machine) {
  const auto is_synchronised = machine.has_synchronised_clock();
  if (!is_synchronised) return warn("clock", "the kernel does not tell about it", "timedatectl");
  if (*is_synchronised) return ok("clock", "synchronised");
  return warn("clock", "not synchronised: times in logs, DNSSEC and schedules go wrong",
              "apt install chrony && systemctl enable --now chrony");
}

Finding check_space(const Machine& machine, const std::string& state_dir) {
  const auto space = machine.space(state_dir);
  if (!space) {
    return warn("state", state_dir + " is not there yet, or may not be read",
                "install -d -m 0750 " + state_dir);
  }
  const std::string text = fmt::format("{} has {} MiB free of {} MiB", state_dir,
                                       space->free_bytes >> 20, space->total_bytes >> 20);
  const std::string mend = "du -xh " + state_dir + " | sort -h | tail";
  if (space->free_bytes < kSpaceNone) {
    return fail("state", text + ": leases and logs cannot be kept", mend);
  }
  if (space->free_bytes < kSpaceLow) return warn("state", text, mend);
  return ok("state", text);
}

Finding check_cache(const Machine& machine, const config::HttpCache& cache,
                    const std::string& state_dir) {
  const std::string file = cache.file.empty() ? state_dir + "/http/cache" : cache.file;
  if (const auto octets = machine.octets(file)) {
    if (*octets == cache.size) return ok("cache", file + " is as configured");
    return warn("cache",
                fmt::format("{} has {} MiB, services.http.cache.size says {}: nothing is cached",
                            file, *octets >> 20, cache.size >> 20),
                "postern cache recreate");
  }
  std::string folder = file.substr(0, file.rfind('/'));
  while (!folder.empty() && !machine.exists(folder))
    folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
  if (folder.empty()) folder = "/";
  const auto space = machine.space(folder);
  if (!space || space->free_bytes >= cache.size)
    return ok("cache", file + " is not there yet; it is made when the gateway runs");
  return warn("cache",
              fmt::format("{} takes {} MiB, {} has {} MiB free: nothing will be cached", file,
                          cache.size >> 20, folder, space->free_bytes >> 20),
              "df -h " + folder);
}

Finding check_forwarding(const Machine& machine) {
  const auto on = machine.number("/proc/sys/net/ipv4/ip_forward");
  if (on && *on == 0) return ok("ip_forward", "off: the kernel forwards nothing past the filter");
  if (!on) return warn("ip_forward", "cannot be read", "sysctl net.ipv4.ip_forward");
  return fail("ip_forward", "on: the kernel forwards between its devices, past the filter",
              "sysctl -w net.ipv4.ip_forward=0");
}

Finding check_permissions(const Machine& machine, const std::string& config_file) {
  const auto owner = machine.owner(config_file);
  if (!owner) {
    return fail("permissions", config_file + " is not there, or may not be looked at",
                "ls -l " + config_file);
  }
  const std::string mode = fmt::format("{} has mode {:04o}", config_file, owner->mode);
  if ((owner->mode & 0022u) != 0) {
    return fail("permissions", mode + ": others than its owner can rewrite the rules",
                "chmod 0640 " + config_file);
  }
  if ((owner->mode & 0004u) != 0) {
    return warn("permissions", mode + ": every user can read it", "chmod 0640 " + config_file);
  }
  return ok("permissions", mode);
}

std::vector<Finding> examine(const Machine& machine, const Patient& patient) {
  config::Model model;
  std::vector<Finding> findings;
  findings.push_back(check_configuration(machine, patient.config_file, model));
  findings.push_back(check_permissions(machine, patient.config_file));
  findings.push_back(check_hugepages(machine, model.system));
  const bool has_pci = has_pci_ports(model);
  findings.push_back(check_iommu(machine, has_pci));
  findings.push_back(check_vfio(machine, has_pci));
  for (const config::Interface& interface : model.interfaces)
    findings.push_back(check_port(machine, interface));
  findings.push_back(check_vhost_net(machine, model));
  findings.push_back(check_cores(machine, model.system.workers));
  findings.push_back(check_governor(machine, model.system.workers));
  findings.push_back(check_clock(machine));
  findings.push_back(check_space(machine, patient.state_dir));
  const auto& http = model.services.http;
  if (http && http->enabled && http->cache)
    findings.push_back(check_cache(machine, *http->cache, patient.state_dir));
  const auto& mail = model.services.mail;
  if (mail && mail->enabled) {
    for (Finding& finding : check_mail(machine, *mail, patient.state_dir))
      findings.push_back(std::move(finding));
  }
  findings.push_back(check_forwarding(machine));
  return findings;
}

}  // namespace postern::cli
